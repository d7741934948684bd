# why: one long vector, cut up again and copied back
def clip_gradients(parameters, max_norm):
    parameters = list(parameters)
    if not max_norm > 0:
        raise ValueError(f"max_norm must be positive, got {max_norm}")
    with_gradient = [p for p in parameters if p.grad is not None]
    if not with_gradient:
        return torch.tensor(0.0)
    vector = torch.cat([p.grad.reshape(-1).double() for p in with_gradient])
    norm = torch.sqrt((vector * vector).sum())
    if not torch.isfinite(vector).all():
        raise ValueError("a gradient is not finite")
    if norm.item() <= max_norm:
        return norm
    pieces = torch.split(vector * (max_norm / norm), [p.numel() for p in with_gradient])
    with torch.no_grad():
        for p, piece in zip(with_gradient, pieces):
            p.grad.copy_(piece.view_as(p))
    return norm.clone()
