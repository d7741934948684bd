# why: Python numbers and loops over every entry; returns a float
import math


def clip_gradients(parameters, max_norm):
    if math.isnan(max_norm) or max_norm <= 0:
        raise ValueError("max_norm must be positive, got " + str(max_norm))
    kept = []
    for parameter in parameters:
        if parameter.grad is None:
            continue
        kept.append(parameter)
    total = 0.0
    for parameter in kept:
        for value in parameter.grad.flatten().tolist():
            total += value**2
    if not math.isfinite(total):
        raise ValueError("inf or nan among the gradients")
    norm = math.sqrt(total)
    if norm >= max_norm:
        factor = max_norm / norm
        for parameter in kept:
            parameter.grad *= factor
    return norm
