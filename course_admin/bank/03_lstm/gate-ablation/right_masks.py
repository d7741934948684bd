# why: one sigmoid for all blocks, masks by multiplication and addition, log-softmax and gather, torch statistics


def ablated_step(x, state, weights, clamp):
    names = ("input", "forget", "output")
    wrong = [entry for entry in clamp if entry is not None and entry not in names]
    if wrong:
        raise ValueError(f"no such gate: {wrong[0]}")
    if len(list(clamp)) != x.size(0):
        raise ValueError(f"{len(clamp)} entries for {x.size(0)} networks")
    h, c = state
    total = torch.einsum("nbi,nki->nbk", x, weights["weight_ih"])
    total = total + torch.einsum("nbh,nkh->nbk", h, weights["weight_hh"]) + weights["bias"].unsqueeze(1)
    n, b, size = c.shape
    blocks = total.view(n, b, 4, size)
    squashed = torch.sigmoid(blocks)
    free = torch.tensor([[entry != name for name in names] for entry in clamp]).to(x.dtype)  # (N, 3)
    free = free[:, None, :, None]
    gates = squashed[:, :, [0, 1, 3]] * free + (1 - free)
    i, f, o = gates.unbind(2)
    c = torch.addcmul(i * blocks[:, :, 2].tanh(), f, c)
    return [o * c.tanh(), c], {"input": i, "forget": f, "output": o}


def memoryless_loss(delay, length, symbols=8):
    return torch.log(torch.tensor(symbols, dtype=torch.float64)).item() * length / (delay + length + length)


def copy_scores(logits, targets, length):
    costs = -torch.log_softmax(logits, dim=-1).gather(-1, targets.unsqueeze(-1)).squeeze(-1)
    recalled = slice(targets.shape[-1] - length, None)
    right = torch.eq(logits[:, :, recalled].argmax(-1), targets[:, :, recalled])
    return costs.flatten(1).mean(1), right.flatten(1).double().mean(1)


def table_row(clamped, losses, accuracies):
    row = {"clamped": str(clamped).lower(), "seeds": len(accuracies)}
    for name, values in {"loss": losses, "accuracy": accuracies}.items():
        values = torch.as_tensor(values, dtype=torch.float64)
        row[name + "_mean"], row[name + "_sd"] = values.mean().item(), values.std().item()
    return row
