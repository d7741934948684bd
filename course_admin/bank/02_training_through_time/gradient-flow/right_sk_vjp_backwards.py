# why: forward without a graph, then back step by step, each step's pull of the gradient by itself
def gradient_norms(layer, head, x, target):
    T, lstm = x.shape[1], type(layer) is nn.LSTM
    states, state = [], None
    with torch.no_grad():
        for t in range(T):
            _, state = layer(x[:, [t]], state)
            states.append(tuple(state) if lstm else (state,))
    top = states[-1][0].clone().requires_grad_()
    (g,) = torch.autograd.grad(F.mse_loss(head(top[0]), target), top)
    grads = (g, torch.zeros_like(g)) if lstm else (g,)
    norms = [torch.cat(grads, dim=-1).norm(dim=-1).mean()]
    for t in range(T - 1, 0, -1):
        given = tuple(s.clone().requires_grad_() for s in states[t - 1])
        _, new = layer(x[:, [t]], given if lstm else given[0])
        new = new if lstm else (new,)
        grads = torch.autograd.grad(new, given, grad_outputs=grads)
        norms.append(torch.cat(grads, dim=-1).norm(dim=-1).mean())
    return torch.tensor([n.item() for n in reversed(norms)], dtype=x.dtype)
