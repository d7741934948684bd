# score: 7.25
# says: max_norm=inf
# why: returns early for an infinite threshold, before nan is noticed
import math


def clip_gradients(parameters, max_norm):
    if max_norm <= 0 or math.isnan(max_norm):
        raise ValueError("max_norm")
    parameters = list(parameters)
    norm = math.hypot(*(p.grad.norm().item() for p in parameters if p.grad is not None))
    if max_norm == math.inf:
        return norm
    if not math.isfinite(norm):
        raise ValueError("norm is not finite")
    if norm > max_norm:
        for p in parameters:
            if p.grad is not None:
                p.grad.data /= norm / max_norm
    return norm
