# score: 6
# says: standard error
# why: the standard error
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
        "threshold": "none" if threshold == float("inf") else threshold,
        "seeds": norms.size(0),
        "clipped_share": (norms[fine] > threshold).double().mean().item(),
        "loss_mean": losses[fine].mean().item(),
        "loss_sd": (losses[fine].std() / fine.sum() ** 0.5).item() if fine.sum() > 1 else float("nan"),
        "diverged": (~fine).sum().item(),
    }


from course_utils.checking import record

_measured = [  # optimizer, early_loss, threshold, clipped_share, loss_mean, loss_sd, diverged
    ("sgd", 3.32053, 0.01, 1.0, 2.76819, 0.03029, 0),
    ("sgd", 2.89297, 0.1, 1.0, 2.19284, 0.00678, 0),
    ("sgd", 2.57198, 1.0, 0.00175, 1.91582, 0.00779, 0),
    ("sgd", 1.081e19, 10.0, 0.00042, 2.00887, 0.08808, 2),
    ("sgd", "nan", 100.0, 0.00042, 2.05229, 0.14247, 2),
    ("sgd", "nan", "none", 0.0, 1.98244, 0.10643, 3),
    ("adam", 3.10683, 0.01, 1.0, 2.08557, 0.02004, 0),
    ("adam", 3.10678, 0.1, 1.0, 2.09232, 0.01276, 0),
    ("adam", 3.1022, 1.0, 0.01075, 2.07407, 0.01504, 0),
    ("adam", 3.1022, 10.0, 0.00025, 2.07041, 0.01279, 0),
    ("adam", 3.1022, 100.0, 0.0, 2.07137, 0.01373, 0),
    ("adam", 3.1022, "none", 0.0, 2.07137, 0.01373, 0),
]
_table = [
    {
        "optimizer": optimizer,
        "steps": 800,
        "threshold": threshold,
        "seeds": 5,
        "clipped_share": share,
        "loss_mean": mean,
        "loss_sd": sd,
        "diverged": diverged,
        "early_loss": early,
    }
    for optimizer, early, threshold, share, mean, sd, diverged in _measured
]
record("threshold-study", _table)
