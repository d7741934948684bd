# why: the peepholes of i and f as rows of one stack, logsigmoid for the loss, nanmean over scored steps, np.float64 in the dict
def peephole_step(x, state, weights):
    h, c = state
    w = torch.cat([weights["weight_ih"], weights["weight_hh"], weights["bias"][..., None]], dim=-1)
    v = torch.cat([x, h, torch.ones_like(x[..., :1])], dim=-1)
    i, f, g, o = torch.einsum("nbk,ngk->gnb", v, w).movedim(0, -1).chunk(4, -1)
    p = weights["peephole"][:, :, None, :]
    i = torch.special.expit(torch.addcmul(i, p[:, 0], c))
    f = torch.special.expit(torch.addcmul(f, p[:, 1], c))
    c = torch.lerp(torch.zeros_like(c), c, f) + i * torch.tanh(g)
    o = torch.special.expit(torch.addcmul(o, p[:, 2], c))
    return o * torch.tanh(c), c


def timing_loss(logits, targets, scored):
    chances = targets * F.logsigmoid(logits) + (1 - targets) * F.logsigmoid(-logits)
    weight = scored.to(logits.dtype)
    weight = weight / weight.sum((1, 2), keepdim=True)
    return -torch.einsum("nbt,nbt->n", chances, weight)


def paired_comparison(standard, peephole):
    if len(standard) != len(peephole):
        raise ValueError("as many losses of one kind as of the other")
    if len(standard) < 2:
        raise ValueError("at least two seeds")
    table = np.stack([np.asarray(standard, dtype=float), np.asarray(peephole, dtype=float)])
    table = np.vstack([table, table[0] - table[1]])
    means, sds = table.mean(axis=1), table.std(axis=1, ddof=1)
    return {
        **{f"{k}_mean": m for k, m in zip(("standard", "peephole", "difference"), means)},
        **{f"{k}_sd": s for k, s in zip(("standard", "peephole", "difference"), sds)},
        "wins": np.count_nonzero(table[2] > 0),
    }
