# why: one joined matrix, blocks by reshape, state_dict for loading, nn.init, a helper method, load_library returns self
class LSTMCell(nn.Module):
    def __init__(self, input_size, hidden_size, forget_bias=1.0):
        super(LSTMCell, self).__init__()
        self.H = hidden_size
        self.weight_ih = nn.Parameter(torch.zeros(4 * hidden_size, input_size))
        self.weight_hh = nn.Parameter(torch.zeros(4 * hidden_size, hidden_size))
        bias = torch.zeros(4, hidden_size)
        bias[1] = forget_bias
        self.bias = nn.Parameter(bias.reshape(-1))
        self.reset()

    def reset(self):
        limit = 1 / np.sqrt(self.H)
        for weight in (self.weight_ih, self.weight_hh):
            nn.init.uniform_(weight, -limit, limit)

    def gates(self, x, h):
        both = torch.cat((x, h), dim=1)
        joined = torch.cat((self.weight_ih, self.weight_hh), dim=1)
        blocks = torch.addmm(self.bias, both, joined.t()).reshape(-1, 4, self.H)
        squashed = blocks.sigmoid()
        return squashed[:, 0], squashed[:, 1], blocks[:, 2].tanh(), squashed[:, 3]

    def forward(self, x, state=None):
        if state is None:
            h, c = (torch.zeros(x.size(0), self.H, dtype=x.dtype, device=x.device) for _ in range(2))
        else:
            h, c = state
        i, f, g, o = self.gates(x, h)
        new_c = torch.addcmul(i * g, f, c)
        new_h = new_c.tanh() * o
        return new_h, new_c

    def load_library(self, lstm):
        given = lstm.state_dict()
        if "weight_ih_l1" in given or "weight_ih_l0_reverse" in given:
            raise ValueError("one layer and one direction, please")
        pairs = [(self.weight_ih, given["weight_ih_l0"]), (self.weight_hh, given["weight_hh_l0"])]
        pairs.append((self.bias, given["bias_ih_l0"].add(given["bias_hh_l0"])))
        for own, new in pairs:
            if own.shape != new.shape:
                raise ValueError(f"sizes differ: {tuple(own.shape)} here, {tuple(new.shape)} there")
        for own, new in pairs:
            own.data.copy_(new)
        return self
