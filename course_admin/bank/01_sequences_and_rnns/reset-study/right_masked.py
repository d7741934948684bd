# why: masked_fill under no_grad, means of piece means (all pieces are equally long), NumPy at the end


def next_state(state, starts):
    with torch.no_grad():
        return state.masked_fill(starts[None, :, None], 0.0)


def stream_outputs(layer, pieces, starts):
    def begun():
        state = None
        for n, piece in enumerate(pieces):
            output, last = layer(piece, state)
            yield output
            if n + 1 < len(pieces):
                state = next_state(last, starts[n + 1])

    return torch.stack(list(begun()))


def first_and_later(losses, starts):
    means, begins = losses.mean(dim=2).numpy(), starts.numpy()
    return np.mean(means[begins]), np.mean(means[np.logical_not(begins)])
