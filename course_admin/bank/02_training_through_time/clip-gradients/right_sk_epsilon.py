# why: a small epsilon in the denominator, as the library has it, within the 1e-4 that the contract allows
def clip_gradients(parameters, max_norm):
    if max_norm <= 0:
        raise ValueError("max_norm must be positive")
    gradients = [p.grad for p in parameters if p.grad is not None]
    if len(gradients) == 0:
        return 0.0
    norm = torch.cat([g.flatten().float() for g in gradients]).norm()
    if torch.isnan(norm) or torch.isinf(norm):
        raise ValueError("not finite")
    if norm > max_norm:
        for g in gradients:
            g *= max_norm / (norm + 1e-12)
    return norm
