# why: einsum, new parameters instead of copied ones, split instead of chunk, tanh from the sigmoid, zeros by expand
def squash(z):
    return torch.reciprocal(1 + (-z).exp())


class LSTMCell(nn.Module):
    def __init__(self, input_size, hidden_size, forget_bias=1.0):
        super().__init__()
        shapes = {"weight_ih": (4 * hidden_size, input_size), "weight_hh": (4 * hidden_size, hidden_size)}
        bound = np.sqrt(1 / hidden_size)
        for name, shape in shapes.items():
            self.register_parameter(name, nn.Parameter(torch.empty(shape)))
            torch.nn.init.uniform_(getattr(self, name), a=-bound, b=bound)
        bias = torch.zeros(4 * hidden_size)
        bias[hidden_size : -2 * hidden_size].fill_(forget_bias)
        self.register_parameter("bias", nn.Parameter(bias))

    @property
    def units(self):
        return self.weight_hh.shape[1]

    def gates(self, x, h):
        total = torch.einsum("bi,ki->bk", x, self.weight_ih) + torch.einsum("bj,kj->bk", h, self.weight_hh)
        i, f, g, o = torch.split(total + self.bias, self.units, dim=-1)
        return squash(i), squash(f), 2 * squash(2 * g) - 1, squash(o)

    def forward(self, x, state=None):
        if state is None:
            state = torch.zeros(2, x.shape[0], self.units).to(x)
        i, f, g, o = self.gates(x, state[0])
        memory = torch.mul(f, state[1]) + torch.mul(i, g)
        return torch.mul(o, 2 * squash(2 * memory) - 1), memory

    def load_library(self, lstm):
        layer = lstm.all_weights
        if len(layer) != 1:
            raise ValueError("several layers or directions")
        w_ih, w_hh, b_ih, b_hh = layer[0]
        if w_ih.shape != self.weight_ih.shape or w_hh.shape != self.weight_hh.shape:
            raise ValueError("the layer has other sizes")
        self.weight_ih = nn.Parameter(w_ih.detach().clone())
        self.weight_hh = nn.Parameter(w_hh.detach().clone())
        self.bias = nn.Parameter((b_ih + b_hh).detach())
