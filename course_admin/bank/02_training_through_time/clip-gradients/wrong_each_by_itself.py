# score: 4.5
# says: clipped by its own norm
# why: clips each parameter by its own norm
def clip_gradients(parameters, max_norm):
    if not max_norm > 0:
        raise ValueError("max_norm")
    parameters = list(parameters)
    norms = [p.grad.norm() for p in parameters if p.grad is not None]
    total = torch.stack([n.double() for n in norms]).norm() if norms else torch.tensor(0.0)
    if not torch.isfinite(total):
        raise ValueError("not finite")
    for p in parameters:
        if p.grad is not None and p.grad.norm() > max_norm:
            p.grad.mul_(max_norm / p.grad.norm())
    return total
