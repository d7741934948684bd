# why: the formula of the text as it stands: factor min(1, threshold / norm), multiplied in whatever the norm is
def clip_gradients(parameters, max_norm):
    if max_norm <= 0:
        raise ValueError("max_norm must be positive")
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = sum((g.double() ** 2).sum() for g in gradients) ** 0.5
    if norm == 0:
        return 0
    if not torch.isfinite(torch.as_tensor(norm)):
        raise ValueError("not finite")
    for g in gradients:
        g.mul_(min(1.0, max_norm / float(norm)))
    return norm
