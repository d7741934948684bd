# why: one network and one sequence at a time, statistics by hand


def peephole_step(x, state, weights):
    hs, cs = [], []
    for n in range(x.shape[0]):
        w_x, w_h, b = weights["weight_ih"][n], weights["weight_hh"][n], weights["bias"][n]
        p = weights["peephole"][n]
        size = p.shape[1]
        h_rows, c_rows = [], []
        for row in range(x.shape[1]):
            h, c = state[0][n, row], state[1][n, row]
            a = torch.mv(w_x, x[n, row]) + torch.mv(w_h, h) + b
            i = torch.sigmoid(a[:size] + p[0] * c)
            f = torch.sigmoid(a[size : 2 * size] + p[1] * c)
            g = torch.tanh(a[2 * size : 3 * size])
            c = f * c + i * g
            o = torch.sigmoid(a[3 * size :] + p[2] * c)
            h_rows.append(o * torch.tanh(c))
            c_rows.append(c)
        hs.append(torch.stack(h_rows))
        cs.append(torch.stack(c_rows))
    return torch.stack(hs), torch.stack(cs)


def timing_loss(logits, targets, scored):
    means = []
    for n in range(len(logits)):
        z, y = logits[n][scored[n]], targets[n][scored[n]]
        means.append(nn.functional.binary_cross_entropy_with_logits(z, y))
    return torch.stack(means)


def paired_comparison(standard, peephole):
    if len(standard) != len(peephole):
        raise ValueError("not as many seeds in one as in the other")
    if len(standard) < 2:
        raise ValueError("a spread needs two seeds")
    differences = [a - b for a, b in zip(standard, peephole)]

    def mean(values):
        return sum(values) / len(values)

    def sd(values):
        return (sum((v - mean(values)) ** 2 for v in values) / (len(values) - 1)) ** 0.5

    return {
        "wins": sum(1 for d in differences if d > 0),
        "standard_mean": mean(standard),
        "standard_sd": sd(standard),
        "peephole_mean": mean(peephole),
        "peephole_sd": sd(peephole),
        "difference_mean": mean(differences),
        "difference_sd": sd(differences),
    }
