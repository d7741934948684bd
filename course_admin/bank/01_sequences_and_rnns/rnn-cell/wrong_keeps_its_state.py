# score: 13
# says: state should not be kept between calls
# why: remembers the last state and goes on from it where none is given
class RNNCell(nn.Module):
    def __init__(self, input_size, hidden_size, activation="tanh", layer_norm=False):
        super().__init__()
        if activation not in ("tanh", "relu"):
            raise ValueError(activation)
        self.activation, self.layer_norm, self.state = activation, layer_norm, None
        self.weight_ih = nn.Parameter(torch.empty(hidden_size, input_size))
        self.weight_hh = nn.Parameter(torch.empty(hidden_size, hidden_size))
        self.bias = nn.Parameter(torch.zeros(hidden_size))
        nn.init.xavier_uniform_(self.weight_ih)
        nn.init.xavier_uniform_(self.weight_hh)
        if layer_norm:
            self.gain = nn.Parameter(torch.ones(hidden_size))
            self.shift = nn.Parameter(torch.zeros(hidden_size))

    def forward(self, x, h=None):
        if h is None:
            h = self.state if self.state is not None else x.new_zeros(len(x), len(self.bias))
        a = x @ self.weight_ih.T + h @ self.weight_hh.T + self.bias
        if self.layer_norm:
            a = nn.functional.layer_norm(a, a.shape[-1:], self.gain, self.shift)
        self.state = getattr(torch, self.activation)(a)
        return self.state
