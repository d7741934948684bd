# why: einsum, nn.init with keyword arguments in a method of its own, relu as clamp, helper outside the class
def standardize(a, epsilon=0.00001):
    mean = a.sum(dim=-1, keepdim=True) / a.shape[-1]
    variance = (a**2).mean(dim=-1, keepdim=True) - mean**2
    return (a - mean) / torch.sqrt(variance + epsilon)


class RNNCell(nn.Module):
    def __init__(self, input_size, hidden_size, activation="tanh", layer_norm=False):
        super().__init__()
        assert input_size > 0 and hidden_size > 0
        if activation == "tanh":
            self.act = lambda a: (torch.exp(a) - torch.exp(-a)) / (torch.exp(a) + torch.exp(-a))
        elif activation == "relu":
            self.act = lambda a: a.clamp(min=0)
        else:
            raise ValueError(f"activation {activation} is neither tanh nor relu")
        self.weight_ih = nn.Parameter(torch.zeros(hidden_size, input_size))
        self.weight_hh = nn.Parameter(torch.zeros(hidden_size, hidden_size))
        self.bias = nn.Parameter(torch.randn(hidden_size))
        self.layer_norm = layer_norm
        if layer_norm:
            self.gain = nn.Parameter(torch.ones(hidden_size))
            self.shift = nn.Parameter(torch.zeros(hidden_size))
        self.reset()

    def reset(self):
        for name, parameter in self.named_parameters():
            if name.startswith("weight"):
                nn.init.xavier_uniform_(parameter, gain=1.0)
            elif name == "bias":
                nn.init.zeros_(parameter)

    def forward(self, x, h=None):
        a = torch.einsum("bi,hi->bh", x, self.weight_ih) + self.bias
        if h is not None:
            a = a + torch.einsum("bg,hg->bh", h, self.weight_hh)
        if self.layer_norm:
            a = self.gain * standardize(a) + self.shift
        return self.act(a)
