# score: 3.5
# says: differ from the right
# why: a dictionary by shape: of two gradients of one shape only the last is counted
import math


def clip_gradients(parameters, max_norm):
    if max_norm <= 0 or math.isnan(max_norm):
        raise ValueError("max_norm")
    parameters = list(parameters)
    norm = math.hypot(
        *{tuple(p.shape): p.grad.norm().item() for p in parameters if p.grad is not None}.values()
    )
    if not math.isfinite(norm):
        raise ValueError("norm is not finite")
    if norm > max_norm:
        for p in parameters:
            if p.grad is not None:
                p.grad.data /= norm / max_norm
    return norm
