# why: a match statement, ones_like chosen in Python per network, list for the pair of scores, accuracy in the logits' dtype, statistics by torch
def ablated_step(x, state, weights, clamp):
    clamp = list(clamp)
    if len(clamp) != x.size(0):
        raise ValueError("one entry for each network")
    for entry in clamp:
        match entry:
            case None | "input" | "forget" | "output":
                pass
            case _:
                raise ValueError("cannot hold " + repr(entry))

    def pick(name, gate):
        return torch.stack([torch.ones_like(g) if held == name else g for held, g in zip(clamp, gate)])

    both = torch.cat((x, state[0]), -1) @ torch.cat((weights["weight_ih"], weights["weight_hh"]), -1).mT
    i, f, g, o = (both + weights["bias"][:, None, :]).unflatten(-1, (4, -1)).unbind(-2)
    i, f, o = pick("input", i.sigmoid()), pick("forget", f.sigmoid()), pick("output", o.sigmoid())
    c = i * g.tanh() + f * state[1]
    return (c.tanh() * o, c), dict(output=o, forget=f, input=i)


def memoryless_loss(delay, length, symbols=8):
    return length * torch.log(torch.tensor(float(symbols), dtype=torch.float64)).item() / (delay + 2 * length)


def copy_scores(logits, targets, length):
    n, b, t, v = logits.shape
    loss = (
        F.cross_entropy(logits.reshape(-1, v), targets.reshape(-1), reduction="none").reshape(n, -1).mean(-1)
    )
    said = torch.argmax(logits[:, :, t - length :], dim=3)
    accuracy = (said == targets[:, :, t - length :]).to(logits.dtype).mean((1, 2))
    return loss, accuracy


def table_row(clamped, losses, accuracies):
    loss, accuracy = torch.tensor(losses, dtype=torch.float64), torch.tensor(accuracies, dtype=torch.float64)
    return {
        "clamped": "none" if clamped is None else str(clamped),
        "seeds": loss.numel(),
        "loss_mean": float(loss.mean()),
        "loss_sd": float(loss.std()),
        "accuracy_mean": float(accuracy.mean()),
        "accuracy_sd": float(accuracy.std()),
    }
