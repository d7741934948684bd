# why: vectorized in torch, QR in NumPy, nn.init-free; LambdaLR, a NumPy scalar as the result, ReLU by torch.where


def adding_sequences(count, length, seed):
    g = torch.Generator()
    g.manual_seed(seed)
    numbers = torch.rand((count, length), generator=g)
    first = torch.randint(length // 2, (count, 1), generator=g)
    second = torch.randint(length // 2, length, (count, 1), generator=g)
    steps = torch.arange(length)
    marks = ((steps == first) | (steps == second)).float()
    return torch.stack((numbers, marks), -1), torch.einsum("bt,bt->b", numbers, marks)[:, None]


def _gaussian_q(size, rng):
    return np.linalg.qr(rng.standard_normal((size, size)))[0]


def recurrent_matrix(kind, hidden_size, seed):
    rng = np.random.default_rng(seed)
    a = np.sqrt(6 / (2 * hidden_size))
    makers = {
        "identity": lambda: np.identity(hidden_size),
        "xavier": lambda: rng.uniform(-a, a, size=(hidden_size, hidden_size)),
        "orthogonal": lambda: _gaussian_q(hidden_size, rng),
    }
    if kind not in makers:
        raise ValueError(f"no initialization is called {kind}")
    return torch.tensor(makers[kind](), dtype=torch.float32)


class AddingRNN(nn.Module):
    def __init__(self, activation, init, seed, hidden_size=32):
        super().__init__()
        torch.manual_seed(seed)
        self.activation = activation
        self.weight_ih = nn.Parameter(nn.init.xavier_uniform_(torch.empty(hidden_size, 2)))
        self.bias = nn.Parameter(torch.zeros(hidden_size))
        self.head = nn.Linear(hidden_size, 1)
        self.weight_hh = nn.Parameter(recurrent_matrix(init, hidden_size, seed))

    def phi(self, z):
        if self.activation == "relu":
            return torch.where(z > 0, z, torch.zeros_like(z))
        return getattr(torch, self.activation)(z)

    def forward(self, x):
        projected = torch.einsum("bti,hi->tbh", x, self.weight_ih) + self.bias
        h = self.phi(projected[0])  # h_0 = 0 adds nothing
        for p in projected[1:]:
            h = self.phi(torch.addmm(p, h, self.weight_hh.t()))
        return self.head(h)


def run_setting(activation, init, seed, train, test, steps):
    model, (x, y) = AddingRNN(activation, init, seed), train
    optimizer = torch.optim.Adam(model.parameters(), 0.004)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: 1 - k / steps)
    model.train()
    k = 0
    while k < steps:
        batch = torch.arange(32 * k, 32 * (k + 1))
        optimizer.zero_grad(set_to_none=False)
        nn.MSELoss()(model(x[batch]), y[batch]).backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm=1)
        optimizer.step()
        schedule.step()
        k += 1
    with torch.inference_mode():
        squared = (model(test[0]) - test[1]).square()
    return np.float64(squared.mean())
