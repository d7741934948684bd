# score: 4.5
# says: differ from the right
# why: leaves gradients alone that by themselves are below the threshold
import math


def clip_gradients(parameters, max_norm):
    if max_norm <= 0 or math.isnan(max_norm):
        raise ValueError("max_norm")
    parameters = list(parameters)
    norm = math.hypot(*(p.grad.norm().item() for p in parameters if p.grad is not None))
    if not math.isfinite(norm):
        raise ValueError("norm is not finite")
    if norm > max_norm:
        for p in parameters:
            if p.grad is not None and p.grad.norm() > max_norm:
                p.grad.data /= norm / max_norm
    return norm
