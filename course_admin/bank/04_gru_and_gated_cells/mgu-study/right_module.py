# why: a class inside, counts from an actual list of tensors, max over a range, sigmoid written out, a preallocated result


class _Unit(nn.Module):
    def __init__(self, weight_ih, weight_hh, bias):
        super().__init__()
        self.parts = [weight_ih, weight_hh, bias]

    def forward(self, x, h):
        w, u, b = (part.reshape(2, -1, *part.shape[1:]) for part in self.parts)
        f = 1 / (1 + torch.exp(-(x @ w[0].mT + h @ u[0].mT + b[0])))
        kept = torch.mul(h, 1 - f)
        n = torch.tanh(x @ w[1].mT + torch.mul(h, f) @ u[1].mT + b[1])
        return kept + torch.mul(f, n)


def recurrent_parameters(kind, input_size, hidden_size, biases=1):
    if kind == "rnn":
        count = 1
    elif kind == "mgu":
        count = 2
    elif kind == "gru":
        count = 3
    elif kind == "lstm":
        count = 4
    else:
        raise ValueError(f"unknown kind {kind}")
    shapes = [(hidden_size, input_size), (hidden_size, hidden_size)] + [(hidden_size,)] * biases
    return sum(int(np.prod(shape)) for shape in shapes * count)


def largest_hidden_size(kind, input_size, budget):
    sizes = [h for h in range(1, int(budget**0.5) + 2) if recurrent_parameters(kind, input_size, h) <= budget]
    return max(sizes)  # max of an empty list raises ValueError


def mgu_step(x, h, weight_ih, weight_hh, bias):
    return _Unit(weight_ih, weight_hh, bias)(x, h)


def mgu_states(x, weight_ih, weight_hh, bias):
    unit, H = _Unit(weight_ih, weight_hh, bias), weight_hh.size(1)
    state = torch.zeros(x.size(0), H).to(x)
    out = torch.zeros(x.size(0), x.size(1), H).to(x)
    for t in range(x.size(1)):
        state = unit(x[:, t], state)
        out[:, t] = state
    return out
