# why: functional linear and layer_norm, hand-drawn uniform weights, activation chosen in forward
from torch.nn import functional


class RNNCell(nn.Module):
    def __init__(self, input_size, hidden_size, activation="tanh", layer_norm=False):
        if activation != "tanh" and activation != "relu":
            raise ValueError(activation)
        nn.Module.__init__(self)
        self.size = hidden_size
        self.kind = activation

        def drawn(rows, columns):
            bound = (6 / (rows + columns)) ** 0.5
            return nn.Parameter(torch.rand(rows, columns) * 2 * bound - bound)

        self.weight_hh = drawn(hidden_size, hidden_size)
        self.weight_ih = drawn(hidden_size, input_size)
        self.bias = nn.Parameter(torch.zeros(hidden_size))
        self.gain = nn.Parameter(torch.ones(hidden_size)) if layer_norm else None
        self.shift = nn.Parameter(torch.zeros(hidden_size)) if layer_norm else None

    def forward(self, x, h=None):
        if h is None:
            h = torch.zeros((len(x), self.size), dtype=x.dtype, device=x.device)
        out = functional.linear(x, self.weight_ih, self.bias) + functional.linear(h, self.weight_hh)
        if self.gain is not None:
            out = functional.layer_norm(out, (self.size,), weight=self.gain, bias=self.shift)
        return {"tanh": torch.tanh, "relu": functional.relu}[self.kind](out)
