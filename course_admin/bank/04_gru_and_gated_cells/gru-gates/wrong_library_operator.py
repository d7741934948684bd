# score: 1
# says: library.s layers do not count|library.s recurrent layers
# why: calls the library cell by a name made at run time
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
        raise ValueError("the library keeps its gates to itself")

    def candidate(self, x, h, r):
        raise ValueError("the library keeps its candidate to itself")

    def forward(self, x, h=None):
        if h is None:
            h = x.new_zeros(len(x), self.hidden_size)
        step = getattr(torch, "_".join(["gru", "cell"]))
        return step(x, h, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)


def gated_states(cell, x, h0=None):
    states, h = [], h0
    for x_t in x.unbind(1):
        h = cell(x_t, h)
        states.append(h)
    return torch.stack(states, dim=1)
