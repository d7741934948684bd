# score: 9
# says: held a gradient before the call, all 7
# why: keeps the old gradients without a copy, and backward() adds to the very tensors
def gradient_norms(layer, head, x, target):
    parameters = [*layer.parameters(), *head.parameters()]
    saved = [p.grad for p in parameters]
    states, state = [], None
    for step in x.split(1, dim=1):
        _, state = layer(step, state)
        parts = state if isinstance(state, tuple) else (state,)
        for part in parts:
            part.retain_grad()
        states.append(parts)
    F.mse_loss(head(states[-1][0][0]), target).backward()
    norms = []
    for parts in states:
        joined = torch.cat(
            [p.grad[0] if p.grad is not None else torch.zeros_like(p[0]) for p in parts], dim=-1
        )
        norms.append(joined.norm(dim=-1).mean())
    for p, old in zip(parameters, saved):
        p.grad = old
    return torch.stack(norms)
