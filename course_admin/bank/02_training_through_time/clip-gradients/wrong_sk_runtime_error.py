# score: 7.25
# says: raised RuntimeError
# why: raises RuntimeError where the norm is not finite, as the library does
import math


def clip_gradients(parameters, max_norm):
    if max_norm <= 0 or math.isnan(max_norm):
        raise ValueError("max_norm")
    parameters = list(parameters)
    norm = math.hypot(*(p.grad.norm().item() for p in parameters if p.grad is not None))
    if not math.isfinite(norm):
        raise RuntimeError("norm is not finite")
    if norm > max_norm:
        for p in parameters:
            if p.grad is not None:
                p.grad.data /= norm / max_norm
    return norm
