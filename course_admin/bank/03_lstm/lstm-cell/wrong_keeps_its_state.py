# score: 13
# says: state should not be kept between calls
# why: remembers the last state and goes on from it where none is given
class LSTMCell(nn.Module):
    def __init__(self, input_size, hidden_size, forget_bias=1.0):
        super().__init__()
        self.input_size, self.hidden_size, self.last = input_size, hidden_size, None
        bound = hidden_size**-0.5
        self.weight_ih = nn.Parameter(torch.empty(4 * hidden_size, input_size).uniform_(-bound, bound))
        self.weight_hh = nn.Parameter(torch.empty(4 * hidden_size, hidden_size).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(4 * hidden_size))
        self.bias.data[hidden_size : 2 * hidden_size] = forget_bias

    def gates(self, x, h):
        i, f, g, o = (x @ self.weight_ih.T + h @ self.weight_hh.T + self.bias).chunk(4, 1)
        return i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()

    def forward(self, x, state=None):
        if state is None:
            state = self.last or (x.new_zeros(len(x), self.hidden_size),) * 2
        h, c = state
        i, f, g, o = self.gates(x, h)
        c = f * c + i * g
        self.last = o * c.tanh(), c
        return self.last

    def load_library(self, lstm):
        if lstm.num_layers != 1 or lstm.bidirectional or lstm.proj_size:
            raise ValueError("one layer, one direction")
        if (lstm.input_size, lstm.hidden_size) != (self.input_size, self.hidden_size):
            raise ValueError("other sizes")
        with torch.no_grad():
            self.weight_ih.copy_(lstm.weight_ih_l0)
            self.weight_hh.copy_(lstm.weight_hh_l0)
            self.bias.copy_(lstm.bias_ih_l0 + lstm.bias_hh_l0)
