# why: literally the definition: cut after every step, run the rest anew with the state as a leaf
def gradient_norms(layer, head, x, target):
    norms, state = [], None
    for t in range(x.size(1)):
        with torch.no_grad():
            _, state = layer(x[:, t : t + 1], state)
        is_pair = type(state) is tuple
        leaves = tuple(s.clone().requires_grad_(True) for s in (state if is_pair else [state]))
        last = leaves[0]
        if t + 1 < x.size(1):
            _, end = layer(x[:, t + 1 :], leaves if is_pair else leaves[0])
            last = end[0] if is_pair else end
        loss = torch.nn.functional.mse_loss(head(last[-1]), target)
        g = torch.autograd.grad(loss, leaves, allow_unused=True)
        total = torch.zeros(len(x), dtype=x.dtype)
        for piece in g:
            if piece is not None:
                total += (piece**2).sum(2).squeeze(0)
        norms.append(float(total.sqrt().mean()))
    return torch.tensor(norms, dtype=x.dtype)
