# score: 0
# says: not those of the contract
# why: two nn.Linear layers: other names, the library's linear initialization, no loading
class LSTMCell(nn.Module):
    def __init__(self, input_size, hidden_size, forget_bias=1.0):
        super().__init__()
        self.hidden_size = hidden_size
        self.from_input = nn.Linear(input_size, 4 * hidden_size)
        self.from_state = nn.Linear(hidden_size, 4 * hidden_size, bias=False)

    def gates(self, x, h):
        i, f, g, o = (self.from_input(x) + self.from_state(h)).chunk(4, 1)
        return i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()

    def forward(self, x, state=None):
        h, c = state if state is not None else (x.new_zeros(len(x), self.hidden_size),) * 2
        i, f, g, o = self.gates(x, h)
        c = f * c + i * g
        return o * c.tanh(), c
