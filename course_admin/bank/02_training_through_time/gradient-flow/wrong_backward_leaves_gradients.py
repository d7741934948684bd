# score: 9
# says: left with a gradient in .grad
# why: calls backward() and leaves the parameters' gradients behind
def gradient_norms(layer, head, x, target):
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
    return torch.stack(norms)
