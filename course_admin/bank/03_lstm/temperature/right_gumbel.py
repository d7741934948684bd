# why: exponentials and their sum; draws by the largest of logits / temperature plus Gumbel noise
def temperature_probabilities(logits, temperature):
    temperature = float(temperature)
    if temperature != temperature or temperature <= 0 or temperature == float("inf"):
        raise ValueError(f"bad temperature {temperature}")
    shifted = logits - torch.max(logits, dim=-1, keepdim=True).values
    exponentials = torch.exp(shifted / temperature)
    return exponentials / exponentials.sum(dim=-1, keepdim=True)


@torch.no_grad()
def generate(step, start, length, temperature, generator, state=None):
    result = torch.empty(len(start), length, dtype=torch.int64)
    current = start.clone()
    for t in range(length):
        logits, state = step(current, state)
        p = temperature_probabilities(logits, temperature).double()
        noise = -torch.log(-torch.log(torch.rand(p.shape, generator=generator, dtype=torch.float64)))
        current = (p.log() + noise).argmax(dim=1)
        result[:, t] = current
    return result
