# why: one network at a time by torch.func.vmap's idea in plain code, statistics by NumPy's nan functions, sorted interpolation
import math


def clip_each(gradients, thresholds):
    N = thresholds.shape[0]
    norms = torch.stack([torch.stack([g[n].norm() for g in gradients]).norm() for n in range(N)])
    clipped = []
    for g in gradients:
        rows = []
        for n in range(N):
            rows.append(g[n] * (thresholds[n] / norms[n]) if norms[n] > thresholds[n] else g[n])
        clipped.append(torch.stack(rows))
    return clipped, norms


def propose_threshold(norms, share=0.05, skip=0):
    if not (0.0 <= share <= 1.0):
        raise ValueError("share must be in 0..1")
    left = sorted(float(v) for i, v in enumerate(norms) if i >= skip and math.isfinite(v))
    if len(left) == 0:
        raise ValueError("norms: nothing left")
    return float(np.interp((1 - share) * (len(left) - 1), range(len(left)), left))


def threshold_row(threshold, norms, losses, limit):
    losses = [float(v) for v in losses]
    fine = [math.isfinite(v) and v <= limit for v in losses]
    kept = np.array([v for v, ok in zip(losses, fine) if ok])
    steps = np.array([[float(v) for v in run] for run, ok in zip(norms, fine) if ok])
    return dict(
        threshold="none" if threshold == math.inf else threshold,
        seeds=len(losses),
        clipped_share=float((steps > threshold).mean()) if steps.size else math.nan,
        loss_mean=float(kept.mean()) if kept.size else math.nan,
        loss_sd=float(kept.std(ddof=1)) if kept.size > 1 else math.nan,
        diverged=fine.count(False),
    )
