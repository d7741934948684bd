# why: loops over the rows, state taken as a list, weights written with .data
class LSTMCell(nn.Module):
    def __init__(self, input_size, hidden_size, forget_bias=1.0):
        super().__init__()
        self.sizes = (input_size, hidden_size)
        self.weight_ih = nn.Parameter(torch.zeros(4 * hidden_size, input_size))
        self.weight_hh = nn.Parameter(torch.zeros(4 * hidden_size, hidden_size))
        self.bias = nn.Parameter(torch.zeros(4 * hidden_size))
        for weight in (self.weight_hh, self.weight_ih):
            nn.init.uniform_(weight, -(hidden_size**-0.5), hidden_size**-0.5)
        nn.init.constant_(self.bias[hidden_size : 2 * hidden_size], forget_bias)

    def gates(self, x, h):
        columns = []
        for row in range(4 * self.sizes[1]):
            total = (
                (x * self.weight_ih[row]).sum(dim=1) + (h * self.weight_hh[row]).sum(dim=1) + self.bias[row]
            )
            candidate = 2 * self.sizes[1] <= row < 3 * self.sizes[1]
            columns.append(total.tanh() if candidate else total.sigmoid())
        return tuple(torch.stack(columns, dim=1).split(self.sizes[1], dim=1))

    def forward(self, x, state=None):
        if state is None:
            state = [torch.zeros_like(x[:, :1]).expand(-1, self.sizes[1]) for _ in range(2)]
        i, f, g, o = self.gates(x, state[0])
        new = torch.mul(f, state[1]) + torch.mul(i, g)
        return torch.mul(o, torch.tanh(new)), new

    def load_library(self, lstm):
        if lstm.num_layers > 1:
            raise ValueError(f"{lstm.num_layers} layers")
        if lstm.bidirectional or lstm.proj_size:
            raise ValueError("two directions")
        if (lstm.input_size, lstm.hidden_size) != self.sizes:
            raise ValueError(f"sizes {(lstm.input_size, lstm.hidden_size)}")
        self.weight_ih.data[:] = lstm.weight_ih_l0.data
        self.weight_hh.data[:] = lstm.weight_hh_l0.data
        self.bias.data[:] = lstm.bias_ih_l0.data + lstm.bias_hh_l0.data
