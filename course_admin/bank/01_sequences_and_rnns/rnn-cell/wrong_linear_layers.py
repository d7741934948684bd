# score: 0
# says: not those of the contract
# why: two nn.Linear layers: two biases, other names, the library's default initialization
class RNNCell(nn.Module):
    def __init__(self, input_size, hidden_size, activation="tanh", layer_norm=False):
        super().__init__()
        if activation not in ("tanh", "relu"):
            raise ValueError(activation)
        self.hidden_size = hidden_size
        self.activation = activation
        self.from_input = nn.Linear(input_size, hidden_size)
        self.from_state = nn.Linear(hidden_size, hidden_size)
        self.norm = nn.LayerNorm(hidden_size) if layer_norm else nn.Identity()

    def forward(self, x, h=None):
        if h is None:
            h = x.new_zeros(len(x), self.hidden_size)
        return getattr(torch, self.activation)(self.norm(self.from_input(x) + self.from_state(h)))
