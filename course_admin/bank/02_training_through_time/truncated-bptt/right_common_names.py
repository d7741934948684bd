# why: match for the structure, slices for the chunks, helpers called loss and count
class StreamModel(nn.Module):
    """A small language model. Given: nothing to do here.

    Args:
        kind: "RNN", "GRU" or "LSTM".
        vocabulary: V, number of tokens.
        hidden_size: H.
    """

    def __init__(self, kind, vocabulary, hidden_size):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, hidden_size)
        self.layer = getattr(nn, kind)(hidden_size, hidden_size, batch_first=True)
        self.head = nn.Linear(hidden_size, vocabulary)

    def forward(self, tokens, state=None):
        """Map tokens (B, k) and a state (None: zeros) to logits (B, k, V) and the state after the last."""
        hidden, state = self.layer(self.embedding(tokens), state)
        return self.head(hidden), state


def detach_state(state):
    match state:
        case None:
            return None
        case tuple():
            return tuple(map(detach_state, state))
        case list():
            return [detach_state(s) for s in state]
    return state.detach()


def chunk_pairs(tokens, length):
    if length < 1:
        raise ValueError("length must be at least 1")
    n = tokens.shape[1] - 1
    return [
        (tokens[:, i : min(i + length, n)], tokens[:, i + 1 : i + 1 + length]) for i in range(0, n, length)
    ]


def loss(logits, targets):
    return nn.CrossEntropyLoss()(logits.permute(0, 2, 1), targets)


def count(targets):
    return targets.shape[0] * targets.shape[1]


def train_pass(model, tokens, optimizer, length, clip=None):
    state, total, seen = None, 0.0, 0
    for inp, tgt in chunk_pairs(tokens, length):
        optimizer.zero_grad()
        logits, state = model(inp, detach_state(state))
        mean = loss(logits, tgt)
        mean.backward()
        if clip is not None:
            nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        total += mean.item() * count(tgt)
        seen += count(tgt)
    return total / seen
