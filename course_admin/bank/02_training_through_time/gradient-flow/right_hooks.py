# why: tensor hooks that note the norm on the way back; gradients of the inputs only, so no parameter is touched
def gradient_norms(layer, head, x, target):
    steps = x.shape[1]
    squares = torch.zeros(steps, x.shape[0], dtype=x.dtype)

    def note(t):
        def hook(gradient):
            squares[t] += gradient.detach()[0].pow(2).sum(-1)

        return hook

    x = x.clone().requires_grad_()
    state = None
    for t, step in enumerate(x.unbind(1)):
        out, state = layer(step[:, None], state)
        if isinstance(state, tuple):
            h, c = state
            h.register_hook(note(t))
            c.register_hook(note(t))
            last = h
        else:
            state.register_hook(note(t))
            last = state
    loss = F.mse_loss(head(last[0]), target)
    torch.autograd.grad(loss, x)
    return squares.sqrt().mean(dim=1)
