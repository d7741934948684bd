# why: adds a zero to each state and asks for the gradient of the zeros
def gradient_norms(layer, head, x, target):
    lstm = isinstance(layer, nn.LSTM)
    B, T = x.shape[:2]
    zeros, state = [], None
    for t in range(T):
        out, state = layer(x[:, t : t + 1, :], state)
        parts = state if lstm else (state,)
        eps = torch.zeros(len(parts), *parts[0].shape, dtype=x.dtype, requires_grad=True)
        zeros.append(eps)
        parts = tuple(part + e for part, e in zip(parts, eps))
        state = parts if lstm else parts[0]
    h = parts[0][-1]
    grads = torch.autograd.grad(F.mse_loss(head(h), target), zeros)
    return torch.stack([g[:, 0].pow(2).sum(dim=(0, 2)).sqrt().mean() for g in grads]).detach()
