# score: 8
# says: library's recurrent layers and cells may not be called
# why: own parameters and gates, but forward runs the library's layer on one step
class LSTMCell(nn.Module):
    def __init__(self, input_size, hidden_size, forget_bias=1.0):
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        bound = hidden_size**-0.5
        self.weight_ih = nn.Parameter(torch.empty(4 * hidden_size, input_size).uniform_(-bound, bound))
        self.weight_hh = nn.Parameter(torch.empty(4 * hidden_size, hidden_size).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(4 * hidden_size))
        self.bias.data[hidden_size : 2 * hidden_size] = forget_bias

    def gates(self, x, h):
        i, f, g, o = (x @ self.weight_ih.T + h @ self.weight_hh.T + self.bias).chunk(4, 1)
        return i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()

    def forward(self, x, state=None):
        layer = nn.LSTM(self.input_size, self.hidden_size, batch_first=True).to(x)
        given = {"weight_ih_l0": self.weight_ih, "weight_hh_l0": self.weight_hh, "bias_ih_l0": self.bias}
        layer.load_state_dict(given | {"bias_hh_l0": 0 * self.bias})
        if state is not None:
            state = tuple(part[None] for part in state)
        _, (h, c) = layer(x[:, None], state)
        return h[0], c[0]

    def load_library(self, lstm):
        if lstm.num_layers != 1 or lstm.bidirectional or lstm.proj_size:
            raise ValueError("one layer, one direction")
        if (lstm.input_size, lstm.hidden_size) != (self.input_size, self.hidden_size):
            raise ValueError("other sizes")
        with torch.no_grad():
            self.weight_ih.copy_(lstm.weight_ih_l0)
            self.weight_hh.copy_(lstm.weight_hh_l0)
            self.bias.copy_(lstm.bias_ih_l0 + lstm.bias_hh_l0)
