# why: baddbmm, gates with unsqueeze, softplus for the loss, sums with where, torch numbers for the spreads
def peephole_step(x, state, weights):
    h, c = state
    p = weights["peephole"].unsqueeze(2)  # (N, 3, 1, H)
    z = torch.baddbmm(weights["bias"].unsqueeze(1), x, weights["weight_ih"].transpose(1, 2))
    z = z + torch.bmm(h, weights["weight_hh"].transpose(1, 2))
    i, f, g, o = torch.tensor_split(z, 4, dim=2)
    i, f = (i + p[:, 0] * c).sigmoid(), (f + p[:, 1] * c).sigmoid()
    new = i * g.tanh() + f * c
    return (o + p[:, 2] * new).sigmoid() * new.tanh(), new


def timing_loss(logits, targets, scored):
    each = F.softplus(logits) - logits * targets
    each = torch.where(scored, each, torch.zeros_like(each))
    return each.sum(dim=(1, 2)) / scored.sum(dim=(1, 2))


def paired_comparison(standard, peephole):
    a, b = torch.as_tensor(standard, dtype=torch.float64), torch.as_tensor(peephole, dtype=torch.float64)
    if len(a) != len(b) or len(a) < 2:
        raise ValueError("pairs of at least two seeds")
    out = {}
    for name, values in {"standard": a, "peephole": b, "difference": a - b}.items():
        out[name + "_mean"], out[name + "_sd"] = values.mean().item(), values.std(unbiased=True).item()
    out["wins"] = int((a > b).sum())
    return out
