# why: one network at a time, one block at a time; a loss by masked_select; the statistics module, NumPy in between
import statistics


def peephole_step(x, state, weights):
    states = []
    for n in range(x.shape[0]):
        size = weights["peephole"].shape[-1]
        wx, wh, b = (weights[k][n].reshape(4, size, -1) for k in ("weight_ih", "weight_hh", "bias"))
        p, h, c = weights["peephole"][n], state[0][n], state[1][n]
        total = [x[n] @ wx[k].T + h @ wh[k].T + b[k].T for k in range(4)]
        c_new = torch.sigmoid(total[1] + p[1] * c) * c + torch.sigmoid(total[0] + p[0] * c) * torch.tanh(
            total[2]
        )
        states.append((torch.sigmoid(total[3] + p[2] * c_new) * torch.tanh(c_new), c_new))
    return tuple(torch.stack(part) for part in zip(*states))


def timing_loss(logits, targets, scored):
    return torch.stack(
        [
            F.binary_cross_entropy_with_logits(logits[n][scored[n]], targets[n][scored[n]])
            for n in range(len(logits))
        ]
    )


def paired_comparison(standard, peephole):
    standard, peephole = [float(v) for v in standard], [float(v) for v in peephole]
    differences = [a - b for a, b in zip(standard, peephole, strict=True)]
    if len(differences) < 2:
        raise ValueError("fewer than two seeds")
    return {
        "standard_mean": statistics.fmean(standard),
        "standard_sd": statistics.stdev(standard),
        "peephole_mean": statistics.fmean(peephole),
        "peephole_sd": statistics.stdev(peephole),
        "difference_mean": statistics.fmean(differences),
        "difference_sd": statistics.stdev(differences),
        "wins": sum(d > 0 for d in differences),
    }
