# why: while loop and lists, CrossEntropyLoss over (B, V, k), torch.autograd.grad, its own clipping, gradients by hand, NumPy number
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
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return state.data
    parts = []
    for part in state:
        parts.append(detach_state(part))
    if isinstance(state, tuple):
        parts = tuple(parts)
    return parts


def chunk_pairs(tokens, length):
    if length <= 0:
        raise ValueError(f"length must be at least 1, got {length}")
    pairs, begin = [], 0
    inputs, targets = tokens[:, :-1], tokens[:, 1:]
    while begin < inputs.shape[1]:
        pairs.append([inputs[:, begin : begin + length], targets[:, begin : begin + length]])
        begin += length
    return pairs


def train_pass(model, tokens, optimizer, length, clip=None):
    criterion = nn.CrossEntropyLoss()
    losses, weights, state = [], [], None
    for inputs, targets in chunk_pairs(tokens, length):
        logits, state = model(inputs, state)
        state = detach_state(state)
        loss = criterion(logits.transpose(1, 2), targets)
        parameters = [p for group in optimizer.param_groups for p in group["params"] if p.requires_grad]
        grads = torch.autograd.grad(loss, parameters, allow_unused=True)
        if clip is not None:
            norm = torch.sqrt(sum((g**2).sum() for g in grads if g is not None))
            if norm > clip:
                grads = [None if g is None else g * (clip / norm) for g in grads]
        for p, g in zip(parameters, grads, strict=True):
            p.grad = g
        optimizer.step()
        losses.append(loss.item())
        weights.append(inputs.shape[1])
    return float(np.average(losses, weights=weights))
