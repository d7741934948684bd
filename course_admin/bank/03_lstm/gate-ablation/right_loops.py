# why: a loop over the networks, ones_like for a held gate, statistics by hand

import math


def ablated_step(x, state, weights, clamp):
    known = ["input", "forget", "output", None]
    if len(clamp) != x.shape[0]:
        raise ValueError("one entry for each network, please")
    for entry in clamp:
        if entry not in known:
            raise ValueError("unknown gate " + str(entry))
    hs, cs, used = [], [], {"output": [], "forget": [], "input": []}
    for n in range(x.shape[0]):
        h, c = state[0][n], state[1][n]
        a = nn.functional.linear(x[n], weights["weight_ih"][n], weights["bias"][n])
        a = a + nn.functional.linear(h, weights["weight_hh"][n])
        size = c.shape[1]
        i = torch.ones_like(c) if clamp[n] == "input" else torch.sigmoid(a[:, :size])
        f = torch.ones_like(c) if clamp[n] == "forget" else torch.sigmoid(a[:, size : 2 * size])
        o = torch.ones_like(c) if clamp[n] == "output" else torch.sigmoid(a[:, 3 * size :])
        c = f * c + i * torch.tanh(a[:, 2 * size : 3 * size])
        cs.append(c)
        hs.append(o * torch.tanh(c))
        for name, gate in (("input", i), ("forget", f), ("output", o)):
            used[name].append(gate)
    return (torch.stack(hs), torch.stack(cs)), {name: torch.stack(gate) for name, gate in used.items()}


def memoryless_loss(delay, length, symbols=8):
    steps = length + delay + length
    return sum(-math.log(1 / symbols) for _ in range(length)) / steps


def copy_scores(logits, targets, length):
    losses, shares = [], []
    for n in range(len(logits)):
        losses.append(
            nn.functional.cross_entropy(logits[n].reshape(-1, logits.shape[-1]), targets[n].reshape(-1))
        )
        hits = total = 0
        for b in range(logits.shape[1]):
            for t in range(logits.shape[2] - length, logits.shape[2]):
                hits += int(logits[n, b, t].argmax()) == int(targets[n, b, t])
                total += 1
        shares.append(hits / total)
    return torch.stack(losses), torch.tensor(shares)


def table_row(clamped, losses, accuracies):
    def spread(values):
        middle = sum(values) / len(values)
        return middle, math.sqrt(sum((value - middle) ** 2 for value in values) / (len(values) - 1))

    loss_mean, loss_sd = spread(losses)
    accuracy_mean, accuracy_sd = spread(accuracies)
    return {
        "clamped": "none" if clamped is None else clamped,
        "seeds": len(losses),
        "accuracy_mean": accuracy_mean,
        "accuracy_sd": accuracy_sd,
        "loss_mean": loss_mean,
        "loss_sd": loss_sd,
    }
