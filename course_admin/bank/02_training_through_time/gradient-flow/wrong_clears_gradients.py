# score: 9
# says: held a gradient before the call and is None
# why: tidies up with zero_grad(), which also clears what was there before the call
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
    layer.zero_grad()
    head.zero_grad()
    return torch.stack(norms)
