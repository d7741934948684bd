# score: 7.25
# says: no parameters at all
# why: looks at the threshold only if there is a gradient
import math


def clip_gradients(parameters, max_norm):
    parameters = list(parameters)
    if all(p.grad is None for p in parameters):
        return 0.0
    if max_norm <= 0:
        raise ValueError("max_norm")
    norm = math.hypot(*(p.grad.norm().item() for p in parameters if p.grad is not None))
    if not math.isfinite(norm):
        raise ValueError("norm is not finite")
    if norm > max_norm:
        for p in parameters:
            if p.grad is not None:
                p.grad.data /= norm / max_norm
    return norm
