# why: as the library does it: norm of the norms, an epsilon, a factor clamped at 1
def clip_gradients(parameters, max_norm):
    if max_norm <= 0:
        raise ValueError("max_norm must be positive")
    grads = [p.grad for p in parameters if p.grad is not None]
    if len(grads) == 0:
        return torch.tensor(0.0)
    total_norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g).double() for g in grads]))
    if torch.isnan(total_norm) or torch.isinf(total_norm):
        raise ValueError("the total norm is not finite")
    coefficient = torch.clamp(max_norm / (total_norm + 1e-6), max=1.0)
    for g in grads:
        g.detach().mul_(coefficient.to(g.dtype))
    return total_norm
