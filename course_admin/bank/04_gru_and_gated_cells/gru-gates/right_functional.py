# why: chunks, F.linear, gates one by one, the interpolation as torch.lerp, states written into a new tensor
class GatedCell(nn.Module):
    def __init__(self, input_size, hidden_size, reset_after=True):
        super().__init__()
        self.hidden_size, self.reset_after = hidden_size, reset_after
        bound = hidden_size**-0.5
        for name, shape in (
            ("weight_ih", (3 * hidden_size, input_size)),
            ("weight_hh", (3 * hidden_size, hidden_size)),
            ("bias_ih", (3 * hidden_size,)),
            ("bias_hh", (3 * hidden_size,)),
        ):
            setattr(self, name, nn.Parameter(torch.empty(shape).uniform_(-bound, bound)))

    def gates(self, x, h):
        w, u = self.weight_ih.chunk(3), self.weight_hh.chunk(3)
        b, c = self.bias_ih.chunk(3), self.bias_hh.chunk(3)
        return [torch.sigmoid(F.linear(x, w[i], b[i]) + F.linear(h, u[i], c[i])) for i in range(2)]

    def candidate(self, x, h, r):
        W, U = self.weight_ih.chunk(3)[2], self.weight_hh.chunk(3)[2]
        b, c = self.bias_ih.chunk(3)[2], self.bias_hh.chunk(3)[2]
        if not self.reset_after:
            return F.tanh(F.linear(x, W, b) + F.linear(r * h, U, c))
        return F.tanh(torch.addcmul(F.linear(x, W, b), r, F.linear(h, U, c)))

    def forward(self, x, h=None):
        if h is None:
            h = torch.zeros((x.size(0), self.hidden_size), dtype=x.dtype, device=x.device)
        r, z = self.gates(x, h)
        return torch.lerp(self.candidate(x, h, r), h, z)


def gated_states(cell, x, h0=None):
    B, T, _ = x.shape
    h = h0
    out = []
    for t in range(T):
        h = cell(x[:, t, :], h)
        out += [h.unsqueeze(1)]
    return torch.cat(out, dim=1)
