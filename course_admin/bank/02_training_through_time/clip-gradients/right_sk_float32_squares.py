# why: squares in the dtype of the gradient, which the contract allows for entries below 1e15
import math


def clip_gradients(parameters, max_norm):
    if max_norm <= 0 or math.isnan(max_norm):
        raise ValueError("max_norm")
    parameters = list(parameters)
    norm = math.sqrt(sum((p.grad**2).sum().item() for p in parameters if p.grad is not None))
    if not math.isfinite(norm):
        raise ValueError("norm is not finite")
    if norm > max_norm:
        for p in parameters:
            if p.grad is not None:
                p.grad.data /= norm / max_norm
    return norm
