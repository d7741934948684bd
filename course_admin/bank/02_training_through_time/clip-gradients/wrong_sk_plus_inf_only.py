# score: 7.25
# says: holds -inf
# why: looks for nan and +inf, lets -inf through
import math


def clip_gradients(parameters, max_norm):
    if max_norm <= 0 or math.isnan(max_norm):
        raise ValueError("max_norm")
    parameters = list(parameters)
    for p in parameters:
        if p.grad is not None and (p.grad.isnan().any() or (p.grad == math.inf).any()):
            raise ValueError("not finite")
    norm = math.hypot(*(p.grad.norm().item() for p in parameters if p.grad is not None))
    if norm > max_norm:
        for p in parameters:
            if p.grad is not None:
                p.grad.data /= norm / max_norm
    return norm
