# why: einsum, views (N, B, 4, H), softplus for the loss, torch for the statistics, a list for the state


def peephole_step(x, state, weights):
    h, c = state
    n, b, size = h.shape
    total = torch.einsum("nbi,nki->nbk", x, weights["weight_ih"])
    total = total + torch.einsum("nbh,nkh->nbk", h, weights["weight_hh"]) + weights["bias"].unsqueeze(1)
    total = total.view(n, b, 4, size)
    seen = torch.einsum("nph,nbh->nbph", weights["peephole"][:, :2], c)
    gates = (total[:, :, :2] + seen).sigmoid()
    candidate = total[:, :, 2].tanh()
    new = gates[:, :, 1] * c + gates[:, :, 0] * candidate
    out = 1 / (1 + torch.exp(-(total[:, :, 3] + weights["peephole"][:, 2].unsqueeze(1) * new)))
    return [out * new.tanh(), new]


def timing_loss(logits, targets, scored):
    losses = F.softplus(logits) - targets * logits
    losses = torch.where(scored, losses, torch.zeros_like(losses))
    return losses.flatten(1).sum(-1) / scored.flatten(1).sum(-1)


def paired_comparison(standard, peephole):
    s, p = (torch.as_tensor(list(values), dtype=torch.float64) for values in (standard, peephole))
    if s.shape != p.shape or s.numel() < 2:
        raise ValueError(f"got {len(s)} and {len(p)} seeds")
    d = s - p
    return {
        "standard_mean": s.mean().item(),
        "standard_sd": s.std().item(),
        "peephole_mean": p.mean().item(),
        "peephole_sd": p.std().item(),
        "difference_mean": d.mean().item(),
        "difference_sd": d.std().item(),
        "wins": int((d > 0).sum()),
    }
