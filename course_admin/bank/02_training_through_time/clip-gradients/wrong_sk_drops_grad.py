# score: 7.25
# says: set to None
# why: sets the gradients to None where the norm is not finite, then raises
import math


def clip_gradients(parameters, max_norm):
    if max_norm <= 0 or math.isnan(max_norm):
        raise ValueError("max_norm")
    parameters = list(parameters)
    norm = math.hypot(*(p.grad.norm().item() for p in parameters if p.grad is not None))
    if not math.isfinite(norm):
        for p in parameters:
            p.grad = None
        raise ValueError("norm is not finite")
    if norm > max_norm:
        for p in parameters:
            if p.grad is not None:
                p.grad.data /= norm / max_norm
    return norm
