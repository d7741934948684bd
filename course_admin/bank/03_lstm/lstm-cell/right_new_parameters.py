# why: load_library puts new parameters in the place of the old ones; a numerically written sigmoid by tanh; uniform_ in place
class LSTMCell(nn.Module):
    def __init__(self, input_size, hidden_size, forget_bias=1.0):
        super().__init__()
        self.i_size, self.h_size = input_size, hidden_size
        k = 1 / np.sqrt(hidden_size)
        self.weight_ih = nn.Parameter(torch.empty(4 * hidden_size, input_size).uniform_(-k, k))
        self.weight_hh = nn.Parameter(torch.empty(4 * hidden_size, hidden_size).uniform_(-k, k))
        self.bias = nn.Parameter(
            torch.cat([torch.full((hidden_size,), float(v)) for v in (0, forget_bias, 0, 0)])
        )

    def gates(self, x, h):
        z = self.bias + x @ self.weight_ih.T + h @ self.weight_hh.T
        n = self.h_size
        sig = lambda v: 0.5 * (1 + torch.tanh(v / 2))
        return sig(z[:, :n]), sig(z[:, n : 2 * n]), torch.tanh(z[:, 2 * n : 3 * n]), sig(z[:, 3 * n :])

    def forward(self, x, state=None):
        h, c = (x.new_zeros((len(x), self.h_size)),) * 2 if state is None else state
        i, f, g, o = self.gates(x, h)
        c = f * c + i * g
        return (o * torch.tanh(c), c)

    def load_library(self, lstm):
        if lstm.proj_size:
            raise ValueError("a projection")
        if (lstm.num_layers, lstm.bidirectional, lstm.input_size, lstm.hidden_size) != (
            1,
            False,
            self.i_size,
            self.h_size,
        ):
            raise ValueError("does not fit")
        self.weight_ih = nn.Parameter(lstm.weight_ih_l0.detach().clone())
        self.weight_hh = nn.Parameter(lstm.weight_hh_l0.detach().clone())
        self.bias = nn.Parameter((lstm.bias_ih_l0 + lstm.bias_hh_l0).detach())
