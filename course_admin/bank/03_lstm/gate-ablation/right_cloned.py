# why: gates written into clones with ones, cross_entropy with the classes moved forward, the statistics module

import statistics


def ablated_step(x, state, weights, clamp):
    if len(clamp) != len(weights["bias"]):
        raise ValueError("clamp must have as many entries as there are networks")
    h, c = state
    a = torch.baddbmm(weights["bias"][:, None, :], x, weights["weight_ih"].transpose(1, 2))
    a = a + torch.bmm(h, weights["weight_hh"].transpose(1, 2))
    i, f, g, o = torch.split(a, c.shape[2], dim=2)
    gates = {"input": i.sigmoid().clone(), "forget": f.sigmoid().clone(), "output": o.sigmoid().clone()}
    for n, name in enumerate(clamp):
        if name is None:
            continue
        if name not in gates:
            raise ValueError(f"{name} is no gate")
        gates[name][n] = 1.0
    c = gates["forget"] * c + gates["input"] * g.tanh()
    return (gates["output"] * c.tanh(), c), gates


def memoryless_loss(delay, length, symbols=8):
    return np.float64(length / (delay + 2 * length) * np.log(symbols))


def copy_scores(logits, targets, length):
    costs = F.cross_entropy(torch.movedim(logits, -1, 1), targets, reduction="none")
    answers = logits.detach().max(dim=-1).indices
    right = (answers[:, :, -length:] == targets[:, :, -length:]).float()
    return costs.sum((1, 2)) / costs[0].numel(), right.sum((1, 2)) / right[0].numel()


def table_row(clamped, losses, accuracies):
    return dict(
        clamped=clamped if clamped else "none",
        seeds=np.int64(len(losses)),
        loss_mean=statistics.mean(losses),
        loss_sd=statistics.stdev(losses),
        accuracy_mean=np.mean(accuracies),
        accuracy_sd=np.std(accuracies, ddof=1),
    )
