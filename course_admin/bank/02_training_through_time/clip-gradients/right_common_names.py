# why: helpers called pair and norm, names that a check might want for itself
def norm(gradients):
    return math.sqrt(sum(float(g.detach().double().pow(2).sum()) for g in gradients))


def pair(parameters):
    first = [p for p in parameters if p.grad is not None]
    second = [p.grad for p in first]
    return first, second


def clip_gradients(parameters, max_norm):
    if max_norm <= 0:
        raise ValueError(f"max_norm is {max_norm}; it should be positive")
    owners, gradients = pair(parameters)
    before = norm(gradients)
    if not math.isfinite(before):
        raise ValueError("a gradient is not finite")
    if before > max_norm:
        for owner in owners:
            owner.grad = (owner.grad * (max_norm / before)).to(owner.grad.dtype)
    return before
