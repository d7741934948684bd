# why: torch.where, a state of zeros from the beginning, weighted means; a list in place of a tuple


def next_state(state, starts):
    return torch.where(starts.view(1, -1, 1), torch.zeros_like(state), state).detach()


def stream_outputs(layer, pieces, starts):
    state = pieces.new_zeros(1, pieces.shape[1], layer.hidden_size)
    rows = []
    for piece, begins in zip(pieces.unbind(0), starts.unbind(0)):
        rows.append(None)
        rows[-1], state = layer(piece, next_state(state, begins))
    return torch.stack(rows, 0)


def first_and_later(losses, starts):
    weight = starts[:, :, None].expand(losses.shape).double()
    first = (losses * weight).sum() / weight.sum()
    later = (losses * (1 - weight)).sum() / (1 - weight).sum()
    return [first, later]
