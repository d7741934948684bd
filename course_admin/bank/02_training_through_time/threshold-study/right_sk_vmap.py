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
