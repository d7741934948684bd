# score: 7
# says: a number
# why: the threshold as text
def clip_each(gradients, thresholds):
    total = sum(g.pow(2).reshape(g.shape[0], -1).sum(1) for g in gradients)
    norms = total.sqrt()
    safe = torch.where(norms == 0, torch.ones_like(norms), norms)
    factors = (thresholds / safe).clamp(max=1.0)
    return [torch.einsum("n...,n->n...", g, factors) for g in gradients], norms


def propose_threshold(norms, share=0.05, skip=0):
    if min(max(share, 0), 1) != share:
        raise ValueError(f"share must lie in 0..1, not {share}")
    values = [float(v) for v in norms]
    del values[:skip]
    values = torch.tensor(values, dtype=torch.float64)
    values = values[values.isfinite()]
    if values.numel() == 0:
        raise ValueError("norms are empty after skipping")
    return torch.quantile(values, 1 - share).item()


def threshold_row(threshold, norms, losses, limit):
    norms = torch.as_tensor(norms, dtype=torch.float64)
    losses = torch.as_tensor(losses, dtype=torch.float64)
    fine = losses.isfinite() & (losses <= limit)
    return {
        "threshold": "none" if threshold == float("inf") else str(threshold),
        "seeds": norms.size(0),
        "clipped_share": (norms[fine] > threshold).double().mean().item(),
        "loss_mean": losses[fine].mean().item(),
        "loss_sd": losses[fine].std().item() if fine.sum() > 1 else float("nan"),
        "diverged": (~fine).sum().item(),
    }
