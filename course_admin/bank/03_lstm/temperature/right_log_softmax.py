# why: log_softmax after the shift, temperature as a tensor; tokens written into a matrix made beforehand, row by row
def temperature_probabilities(logits, temperature):
    t = torch.as_tensor(temperature, dtype=torch.float64)
    if not torch.isfinite(t) or t <= 0:
        raise ValueError("temperature must be positive and finite")
    shifted = logits - logits.amax(-1, keepdim=True)
    return torch.log_softmax(shifted.double() / t, -1).exp().to(logits.dtype)


@torch.no_grad()
def generate(step, start, length, temperature, generator, state=None):
    written = torch.empty((start.shape[0], length), dtype=torch.int64)
    tokens = start.clone()
    for k in range(length):
        logits, state = step(tokens, state)
        for b, row in enumerate(temperature_probabilities(logits, temperature)):
            written[b, k] = torch.multinomial(row, 1, generator=generator)
        tokens = written[:, k]
    return written
