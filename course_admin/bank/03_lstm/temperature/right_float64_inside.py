# why: computes in float64 and goes back, loops over rows; multinomial on float64; recursion over the length
import math


def temperature_probabilities(logits, temperature):
    if not (0 < temperature < math.inf):
        raise ValueError(f"temperature {temperature}")
    flat = logits.detach().double().reshape(-1, logits.shape[-1])
    rows = []
    for row in flat:
        z = (row - row.max()) / float(temperature)
        e = z.exp()
        rows.append(e / e.sum())
    return torch.stack(rows).reshape(logits.shape).to(logits.dtype)


@torch.no_grad()
def generate(step, start, length, temperature, generator, state=None):
    if length == 0:
        return start.new_zeros(len(start), 0)
    logits, state = step(start, state)
    p = temperature_probabilities(logits, temperature)
    token = torch.multinomial(p, num_samples=1, generator=generator).squeeze(1)
    rest = generate(step, token, length - 1, temperature, generator, state)
    return torch.cat((token.unsqueeze(1), rest), dim=1)
