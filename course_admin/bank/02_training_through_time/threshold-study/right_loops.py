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
