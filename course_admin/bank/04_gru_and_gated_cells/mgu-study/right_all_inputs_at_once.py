# why: a doubling search, lerp, input products of all steps at once (the step is not called), a NumPy integer as the count


def recurrent_parameters(kind, input_size, hidden_size, biases=1):
    try:
        blocks = {"lstm": 4, "gru": 3, "mgu": 2, "rnn": 1}[kind]
    except KeyError:
        raise ValueError(f"{kind} is none of rnn, mgu, gru, lstm") from None
    return np.int64(blocks) * (input_size * hidden_size + hidden_size * hidden_size + biases * hidden_size)


def largest_hidden_size(kind, input_size, budget):
    fits = lambda size: recurrent_parameters(kind, input_size, size) <= budget
    if not fits(1):
        raise ValueError("no unit fits")
    low, high = 1, 2
    while fits(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def _advance(seen_f, seen_n, h, weight_hh):
    u_f, u_n = torch.split(weight_hh, h.shape[-1])
    f = (seen_f + torch.einsum("bh,gh->bg", h, u_f)).sigmoid()
    n = (seen_n + torch.einsum("bh,gh->bg", f * h, u_n)).tanh()
    return torch.lerp(h, n, f)


def mgu_step(x, h, weight_ih, weight_hh, bias):
    seen = torch.addmm(bias, x, weight_ih.t())
    return _advance(*seen.chunk(2, dim=1), h, weight_hh)


def mgu_states(x, weight_ih, weight_hh, bias):
    seen_f, seen_n = (x @ weight_ih.T + bias).chunk(2, dim=2)
    h = torch.zeros_like(seen_f[:, 0])
    out = []
    for f_t, n_t in zip(seen_f.unbind(1), seen_n.unbind(1)):
        h = _advance(f_t, n_t, h, weight_hh)
        out.append(h)
    return torch.stack(out, dim=1)
