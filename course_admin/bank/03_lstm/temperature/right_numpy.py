# why: NumPy inside, inverse of the cumulated probabilities with one uniform number a text
def temperature_probabilities(logits, temperature):
    if not np.isfinite(temperature) or temperature <= 0:
        raise ValueError("the temperature must be a positive finite number")
    z = logits.detach().cpu().numpy().astype(np.float64)
    with np.errstate(over="ignore"):
        z = (z - z.max(axis=-1, keepdims=True)) / temperature
    p = np.exp(z)
    return torch.from_numpy(p / p.sum(axis=-1, keepdims=True)).to(logits.dtype)


@torch.no_grad()
def generate(step, start, length, temperature, generator, state=None):
    columns, tokens = [], start
    while len(columns) < length:
        logits, state = step(tokens, state)
        below = temperature_probabilities(logits.double(), temperature).cumsum(-1)
        drawn = torch.rand(len(start), 1, generator=generator, dtype=torch.float64)
        tokens = (below[:, :-1] <= drawn).sum(-1)
        columns.append(tokens)
    return torch.stack(columns, 1)
