# why: NumPy for the norm; puts a new tensor into .grad
def clip_gradients(parameters, max_norm):
    assert_positive = max_norm > 0
    if not assert_positive:
        raise ValueError("max_norm")
    parameters = [p for p in parameters if p.grad is not None]
    if not parameters:
        return 0.0
    vector = np.concatenate([p.grad.numpy().ravel().astype(np.float64) for p in parameters])
    if not np.isfinite(vector).all():
        raise ValueError("non-finite gradient")
    norm = np.linalg.norm(vector)
    scale = 1.0 if norm <= max_norm else max_norm / norm
    for p in parameters:
        if scale < 1:
            p.grad = p.grad * scale
    return norm
