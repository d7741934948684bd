# score: 4.5
# says: entries were cut off one by one
# why: clips by value
def clip_gradients(parameters, max_norm):
    if not max_norm > 0:
        raise ValueError("max_norm")
    grads = [p.grad for p in parameters if p.grad is not None]
    total = sum(g.double().pow(2).sum() for g in grads) ** 0.5
    total = torch.as_tensor(total)
    if not total.isfinite():
        raise ValueError("not finite")
    for g in grads:
        g.clamp_(-max_norm, max_norm)
    return total
