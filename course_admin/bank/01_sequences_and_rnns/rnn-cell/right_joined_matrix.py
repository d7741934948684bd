# why: one joined product, torch.var with correction 0, activation as a module, registered by name
class RNNCell(nn.Module):
    def __init__(self, input_size, hidden_size, activation="tanh", layer_norm=False):
        super(RNNCell, self).__init__()
        modules = {"tanh": nn.Tanh(), "relu": nn.ReLU()}
        if activation not in modules:
            raise ValueError("unknown activation " + str(activation))
        self.phi = modules[activation]
        shapes = {"weight_ih": (hidden_size, input_size), "weight_hh": (hidden_size, hidden_size)}
        for name, shape in shapes.items():
            limit = np.sqrt(6.0 / sum(shape))
            self.register_parameter(name, nn.Parameter(torch.empty(shape).uniform_(-limit, limit)))
        self.register_parameter("bias", nn.Parameter(torch.zeros(hidden_size)))
        self.norm = layer_norm
        if self.norm:
            self.gain = nn.Parameter(torch.full((hidden_size,), 1.0))
            self.shift = nn.Parameter(torch.full((hidden_size,), 0.0))

    def forward(self, x, h=None):
        B = x.size(0)
        H = self.bias.numel()
        if h is None:
            h = torch.zeros(B, H).to(x)
        both = torch.cat((x, h), dim=1)
        weights = torch.cat((self.weight_ih, self.weight_hh), dim=1)
        a = torch.addmm(self.bias, both, weights.t())
        if self.norm:
            variance, mean = torch.var_mean(a, dim=1, keepdim=True, correction=0)
            a = (a - mean) * torch.rsqrt(variance + 1e-5)
            a = a * self.gain + self.shift
        return self.phi(a)
