# why: softmax through logsumexp in float64; draws row by row from the cumulated probabilities; recursion over texts' tokens
def temperature_probabilities(logits, temperature):
    if not (temperature > 0 and np.isfinite(temperature)):
        raise ValueError("temperature must be positive and finite")
    z = logits.double()
    z = (z - z.max(-1)[0].unsqueeze(-1)) / temperature
    return torch.exp(z - z.logsumexp(-1, keepdim=True)).to(logits.dtype)


@torch.no_grad()
def generate(step, start, length, temperature, generator, state=None):
    logits, state = step(start, state)
    p = temperature_probabilities(logits, temperature).double()
    u = torch.rand(len(p), 1, generator=generator, dtype=torch.float64)
    drawn = (p.cumsum(1) < u * p.sum(1, keepdim=True)).sum(1)
    column = drawn.unsqueeze(1)
    if length == 1:
        return column
    return torch.cat([column, generate(step, drawn, length - 1, temperature, generator, state)], dim=1)
