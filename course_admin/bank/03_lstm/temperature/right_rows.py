# why: one row at a time, Categorical's own steps written out with multinomial, a growing matrix that holds start too
def temperature_probabilities(logits, temperature):
    if isinstance(temperature, str) or np.isnan(temperature) or temperature <= 0 or np.isinf(temperature):
        raise ValueError(temperature)
    top, _ = logits.max(dim=-1, keepdim=True)
    return F.softmax((logits - top) * (1 / temperature), dim=-1)


@torch.no_grad()
def generate(step, start, length, temperature, generator, state=None):
    texts = start.reshape(-1, 1)
    while texts.size(1) < length + 1:
        logits, state = step(texts[:, -1], state)
        drawn = [
            torch.multinomial(temperature_probabilities(row, temperature), num_samples=1, generator=generator)
            for row in logits
        ]
        texts = torch.cat([texts, torch.stack(drawn)], dim=1)
    return texts[:, 1:]
