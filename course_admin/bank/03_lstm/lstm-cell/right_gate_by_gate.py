# why: every gate by itself with F.linear, forward does not use gates(), loads by load_state_dict, nn.LSTM named in an isinstance
class LSTMCell(nn.Module):
    def __init__(self, input_size: int, hidden_size: int, forget_bias: float = 1.0) -> None:
        nn.Module.__init__(self)
        self.sizes = input_size, hidden_size

        def drawn(columns):
            return nn.Parameter((torch.rand(4 * hidden_size, columns) * 2 - 1) / hidden_size**0.5)

        self.weight_hh = drawn(hidden_size)
        self.weight_ih = drawn(input_size)
        zeros = torch.zeros(hidden_size)
        self.bias = nn.Parameter(torch.cat([zeros, torch.full_like(zeros, forget_bias), zeros, zeros]))

    def total(self, number, x, h):
        H = self.sizes[1]
        rows = slice(number * H, (number + 1) * H)
        return F.linear(x, self.weight_ih[rows], self.bias[rows]) + F.linear(h, self.weight_hh[rows])

    def gates(self, x, h):
        input_gate = torch.sigmoid(self.total(0, x, h))
        forget_gate = torch.sigmoid(self.total(1, x, h))
        candidate = torch.tanh(self.total(2, x, h))
        output_gate = torch.sigmoid(self.total(3, x, h))
        return [input_gate, forget_gate, candidate, output_gate]

    def forward(self, x, state=None):
        h, c = state or (x.new_zeros(len(x), self.sizes[1]),) * 2
        z = [self.total(number, x, h) for number in range(4)]
        kept = c / (1 + torch.exp(-z[1]))
        written = torch.tanh(z[2]) / (1 + torch.exp(-z[0]))
        c = kept + written
        h = torch.tanh(c) / (1 + torch.exp(-z[3]))
        return [h, c]

    def load_library(self, lstm: nn.LSTM):
        if not isinstance(lstm, nn.LSTM):
            raise TypeError("not an nn.LSTM")
        if lstm.num_layers > 1:
            raise ValueError("num_layers must be 1")
        if lstm.bidirectional:
            raise ValueError("one direction only")
        if (lstm.input_size, lstm.hidden_size) != self.sizes:
            raise ValueError("sizes")
        w_ih, w_hh, b_ih, b_hh = (p.detach() for p in lstm.parameters())
        self.load_state_dict({"weight_ih": w_ih, "weight_hh": w_hh, "bias": b_ih + b_hh})
