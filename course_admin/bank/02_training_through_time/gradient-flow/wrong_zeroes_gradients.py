# score: 9
# says: it was cleared
# why: notes that .grad was None, else fills it with zeros
def gradient_norms(layer, head, x, target):
    fresh = [p for m in (layer, head) for p in m.parameters() if p.grad is None]
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
    for p in [p for m in (layer, head) for p in m.parameters()]:
        if any(p is q for q in fresh):
            p.grad = None
        else:
            p.grad.zero_()
    return torch.stack(norms)
