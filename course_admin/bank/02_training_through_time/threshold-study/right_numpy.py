# why: einsum norms, np.percentile, nan-aware statistics with masked arrays, a helper for nan

import math


def _or_nan(values, reduce, least=1):
    return reduce(values) if len(values) >= least else math.nan


def clip_each(gradients, thresholds):
    squares = torch.zeros_like(thresholds)
    for g in gradients:
        rows = g.reshape(len(g), -1)
        squares = squares + torch.einsum("ni,ni->n", rows, rows)
    norms = torch.sqrt(squares)
    scale = torch.minimum(torch.ones_like(norms), thresholds / norms)
    clipped = []
    for g in gradients:
        clipped.append((g.reshape(len(g), -1) * scale.unsqueeze(1)).reshape_as(g))
    return [clipped, norms]


def propose_threshold(norms, share=0.05, skip=0):
    if share > 1 or share < 0:
        raise ValueError("share out of range")
    values = np.array([float(v) for v in norms][skip:])
    values = values[~(np.isnan(values) | np.isinf(values))] if values.size else values
    if values.size == 0:
        raise ValueError("these norms say nothing")
    return np.percentile(values, 100 * (1 - share))


def threshold_row(threshold, norms, losses, limit):
    norms = np.array(norms)
    losses = np.array(losses)
    with np.errstate(invalid="ignore"):
        well = np.logical_and(np.abs(losses) != np.inf, losses <= limit)
    clipped = [step for run in norms[well] for step in (run > threshold)]
    return {
        "threshold": threshold if np.isfinite(threshold) else "none",
        "seeds": norms.shape[0],
        "clipped_share": _or_nan(clipped, np.mean),
        "loss_mean": _or_nan(losses[well], np.mean),
        "loss_sd": _or_nan(losses[well], lambda v: np.sqrt(((v - v.mean()) ** 2).sum() / (len(v) - 1)), 2),
        "diverged": np.count_nonzero(~well),
    }
