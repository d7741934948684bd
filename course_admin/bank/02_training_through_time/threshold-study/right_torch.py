# why: torch throughout: one matrix of all gradients, torch.quantile, masked means, tensor scalars as results


def clip_each(gradients, thresholds):
    flat = torch.cat([g.reshape(g.shape[0], -1) for g in gradients], dim=1)  # (N, everything)
    norms = torch.linalg.vector_norm(flat, dim=1)
    factors = torch.where(norms > thresholds, thresholds / norms, torch.ones_like(norms))
    pieces = (flat * factors[:, None]).split([g[0].numel() for g in gradients], dim=1)
    return tuple(p.reshape(g.shape) for p, g in zip(pieces, gradients)), norms


def propose_threshold(norms, share=0.05, skip=0):
    if not 0 <= share <= 1:
        raise ValueError(f"share={share}")
    values = torch.as_tensor(norms, dtype=torch.float64)[skip:]
    values = values[torch.isfinite(values)]
    if values.numel() == 0:
        raise ValueError("norms are empty")
    return torch.quantile(values, 1 - share).item()


def threshold_row(threshold, norms, losses, limit):
    norms, losses = torch.as_tensor(norms).double(), torch.as_tensor(losses).double()
    bad = ~torch.isfinite(losses) | (losses > limit)
    norms, losses = norms[~bad], losses[~bad]
    nan = torch.tensor(float("nan"))
    row = dict(threshold=threshold, seeds=len(bad))
    if threshold == float("inf"):
        row["threshold"] = "none"
    row["clipped_share"] = torch.gt(norms, threshold).double().mean() if len(losses) else nan
    row["loss_mean"] = losses.mean() if len(losses) else nan
    row["loss_sd"] = losses.std() if len(losses) > 1 else nan
    row["diverged"] = bad.sum()
    return row
