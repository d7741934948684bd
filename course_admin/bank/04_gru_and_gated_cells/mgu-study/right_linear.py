# why: explicit sums, a quadratic equation for the largest size, unbound loops over steps, F.linear
import math


def recurrent_parameters(kind, input_size, hidden_size, biases=1):
    order = ["rnn", "mgu", "gru", "lstm"]
    if kind not in order:
        raise ValueError("no cell is called " + str(kind))
    total = 0
    for _ in range(order.index(kind) + 1):
        total += hidden_size * input_size  # from the input
        total += hidden_size**2  # from the state
        total += biases * hidden_size
    return total


def largest_hidden_size(kind, input_size, budget):
    blocks = recurrent_parameters(kind, 0, 1, 0)
    b = input_size + 1
    size = int((-b + math.sqrt(b * b + 4 * budget / blocks)) / 2) + 2
    while size > 0 and recurrent_parameters(kind, input_size, size) > budget:
        size -= 1
    if size < 1:
        raise ValueError("too small a budget")
    return size


def mgu_step(x, h, weight_ih, weight_hh, bias):
    H = h.shape[1]
    f = torch.sigmoid(F.linear(x, weight_ih[:H], bias[:H]) + F.linear(h, weight_hh[:H]))
    n = torch.tanh(F.linear(x, weight_ih[H:], bias[H:]) + F.linear(f * h, weight_hh[H:]))
    return h + f * (n - h)


def mgu_states(x, weight_ih, weight_hh, bias):
    B, T, _ = x.shape
    states = [torch.zeros(B, weight_hh.shape[1], dtype=x.dtype, device=x.device)]
    for t in range(T):
        states.append(mgu_step(x[:, t], states[t], weight_ih, weight_hh, bias))
    return torch.stack(states[1:], 1)
