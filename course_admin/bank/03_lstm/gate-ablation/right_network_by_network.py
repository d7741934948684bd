# why: one network at a time with F.linear, a dict of activations; plain Python for the row; topk for the accuracy
import math
import statistics


def ablated_step(x, state, weights, clamp):
    if len(clamp) != len(x):
        raise ValueError(f"{len(clamp)} entries for {len(x)} networks")
    for entry in clamp:
        if entry not in {"input", "forget", "output", None}:
            raise ValueError(f"unknown gate {entry!r}")
    hs, cs, used = [], [], {"input": [], "forget": [], "output": []}
    for n, held in enumerate(clamp):
        z = F.linear(x[n], weights["weight_ih"][n], weights["bias"][n]) + F.linear(
            state[0][n], weights["weight_hh"][n]
        )
        i, f, g, o = z.chunk(4, dim=1)
        gates = {"input": i.sigmoid(), "forget": f.sigmoid(), "output": o.sigmoid()}
        if held is not None:
            gates[held] = torch.ones_like(i)
        cs.append(gates["forget"] * state[1][n] + gates["input"] * g.tanh())
        hs.append(gates["output"] * cs[-1].tanh())
        for name in used:
            used[name].append(gates[name])
    return (torch.stack(hs), torch.stack(cs)), {name: torch.stack(values) for name, values in used.items()}


def memoryless_loss(delay, length, symbols=8):
    return math.log(symbols**length) / (delay + length + length)


def copy_scores(logits, targets, length):
    loss = torch.stack(
        [F.cross_entropy(a.reshape(-1, a.shape[-1]), t.reshape(-1)) for a, t in zip(logits, targets)]
    )
    said = logits.topk(1, dim=-1).indices[..., 0]
    right = said[:, :, said.shape[2] - length :] == targets[:, :, said.shape[2] - length :]
    return loss, right.double().mean(dim=(1, 2))


def table_row(clamped, losses, accuracies):
    losses, accuracies = [float(v) for v in losses], [float(v) for v in accuracies]
    return {
        "clamped": "none" if clamped is None else clamped,
        "seeds": len(losses),
        "loss_mean": statistics.mean(losses),
        "loss_sd": statistics.stdev(losses),
        "accuracy_mean": statistics.mean(accuracies),
        "accuracy_sd": statistics.stdev(accuracies),
    }
