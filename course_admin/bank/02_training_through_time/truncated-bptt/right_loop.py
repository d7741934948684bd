# why: a loop over start indices, a generator of pairs, gradients cleared after the step, NumPy-style averages
class StreamModel(nn.Module):
    def __init__(self, kind, vocabulary, hidden_size):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, hidden_size)
        self.layer = getattr(nn, kind)(hidden_size, hidden_size, batch_first=True)
        self.head = nn.Linear(hidden_size, vocabulary)

    def forward(self, tokens, state=None):
        hidden, state = self.layer(self.embedding(tokens), state)
        return self.head(hidden), state


def detach_state(state):
    if isinstance(state, tuple):
        return tuple([detach_state(part) for part in state])
    elif isinstance(state, list):
        return [detach_state(part) for part in state]
    elif state is None:
        return state
    else:
        return state.clone().detach()


def chunk_pairs(tokens, length):
    if length <= 0:
        raise ValueError("length must be positive")
    predictions = tokens.shape[1] - 1

    def pairs():
        for start in range(0, predictions, length):
            stop = min(start + length, predictions)
            yield tokens[:, start:stop], tokens[:, start + 1 : stop + 1]

    return pairs()


def train_pass(model, tokens, optimizer, length, clip=None):
    optimizer.zero_grad(set_to_none=True)
    losses, weights = [], []
    state = None
    for inputs, targets in chunk_pairs(tokens, length):
        logits, state = model(inputs, state)
        state = detach_state(state)
        loss = F.cross_entropy(logits.transpose(1, 2), targets)
        loss.backward()
        if clip:
            torch.nn.utils.clip_grad_norm_(list(model.parameters()), max_norm=clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(loss.item())
        weights.append(targets.shape[1])
    return float(np.average(losses, weights=weights))
