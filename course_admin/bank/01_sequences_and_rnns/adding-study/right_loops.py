# why: loops over rows and steps, torch's global generator, a scheduler, clipping by hand, testing in pieces

import math
import random


def adding_sequences(count, length, seed):
    random.seed(seed)
    x = torch.zeros(count, length, 2)
    y = torch.zeros(count, 1)
    for b in range(count):
        for t in range(length):
            x[b, t, 0] = random.random()
        first, second = random.randrange(length // 2), random.randrange(length // 2, length)
        x[b, first, 1] = x[b, second, 1] = 1.0
        y[b, 0] = x[b, first, 0] + x[b, second, 0]
    return x, y


def recurrent_matrix(kind, hidden_size, seed):
    torch.manual_seed(seed)
    if kind == "identity":
        matrix = torch.zeros(hidden_size, hidden_size)
        for j in range(hidden_size):
            matrix[j, j] = 1
    elif kind == "orthogonal":
        q, r = torch.linalg.qr(torch.randn(hidden_size, hidden_size))
        matrix = q * torch.sign(torch.diagonal(r))  # the signs make the draw uniform
    elif kind == "xavier":
        a = math.sqrt(3.0 / hidden_size)
        matrix = torch.empty(hidden_size, hidden_size).uniform_(-a, a)
    else:
        raise ValueError("unknown kind: " + str(kind))
    return matrix


class AddingRNN(nn.Module):
    def __init__(self, activation, init, seed, hidden_size=32):
        super().__init__()
        torch.manual_seed(seed)
        self.activation = activation
        self.weight_ih = nn.Parameter(nn.init.xavier_uniform_(torch.empty(hidden_size, 2)))
        self.bias = nn.Parameter(torch.zeros(hidden_size))
        self.head = nn.Linear(hidden_size, 1)
        self.weight_hh = nn.Parameter(recurrent_matrix(init, hidden_size, seed))

    def forward(self, x):
        state = torch.zeros(x.shape[0], self.weight_hh.shape[0], dtype=x.dtype)
        for t in range(x.shape[1]):
            total = nn.functional.linear(x[:, t], self.weight_ih, self.bias)
            total = total + nn.functional.linear(state, self.weight_hh)
            if self.activation == "relu":
                state = total.clamp(min=0)
            elif self.activation == "tanh":
                state = torch.tanh(total)
            else:
                state = 1 / (1 + torch.exp(-total))
        return self.head(state)


def run_setting(activation, init, seed, train, test, steps):
    net = AddingRNN(activation, init, seed)
    opt = torch.optim.Adam(net.parameters(), lr=4e-3)
    schedule = torch.optim.lr_scheduler.LinearLR(opt, start_factor=1.0, end_factor=0.0, total_iters=steps)
    for xs, ys, _ in zip(train[0].split(32), train[1].split(32), range(steps)):
        loss = ((net(xs) - ys) ** 2).mean()
        net.zero_grad()
        loss.backward()
        norm = math.sqrt(sum(float((p.grad**2).sum()) for p in net.parameters()))
        if norm > 1:
            for p in net.parameters():
                p.grad /= norm
        opt.step()
        schedule.step()
    net.eval()
    total = 0.0
    with torch.no_grad():
        for xs, ys in zip(test[0].split(100), test[1].split(100)):
            total += float(((net(xs) - ys) ** 2).sum())
    return total / len(test[0])
