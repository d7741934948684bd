# why: the library's lists-of-tensors arithmetic, and the factor as a tensor
def clip_gradients(parameters, max_norm):
    if not max_norm > 0:
        raise ValueError(f"max_norm must be positive, got {max_norm}")
    grads = [p.grad for p in parameters if p.grad is not None]
    if not grads:
        return torch.tensor(0.0)
    norms = torch._foreach_norm(grads, 2.0)
    total = torch.linalg.vector_norm(torch.stack([n.double() for n in norms]))
    if not torch.isfinite(total):
        raise ValueError("the norm is not finite")
    if total > max_norm:
        torch._foreach_mul_(grads, float(max_norm / total))
    return total
