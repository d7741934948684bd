# why: recursion over the list, torch.dot, the returned norm an array of NumPy, and a new tensor for each .grad
def clip_gradients(parameters, max_norm):
    def squares(tensors):
        if not tensors:
            return 0.0
        flat = tensors[0].detach().reshape(-1).to(torch.float64)
        return torch.dot(flat, flat).item() + squares(tensors[1:])

    having = [p for p in parameters if p.grad is not None]
    if not max_norm > 0:
        raise ValueError("threshold")
    norm = np.sqrt(squares([p.grad for p in having]))
    if not np.isfinite(norm):
        raise ValueError("inf or nan")
    if norm > max_norm:
        for p in having:
            p.grad = (p.grad * (max_norm / norm)).to(p.grad.dtype)
    return norm
