# why: a generator of chunks (so the ValueError comes with the first pair), tree by recursion, sums of nll
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
    if isinstance(state, (list, tuple)):
        return type(state)(map(detach_state, state))
    if torch.is_tensor(state):
        return state.detach().clone()
    return state


def chunk_pairs(tokens, length):
    if length < 1:
        raise ValueError("length")
    n = tokens.size(1) - 1
    for start in range(0, n, length):
        end = min(start + length, n)
        yield tokens[:, start:end], tokens[:, start + 1 : end + 1]


def train_pass(model, tokens, optimizer, length, clip=None):
    total, count, state = 0.0, 0, None
    for inputs, targets in chunk_pairs(tokens, length):
        optimizer.zero_grad()
        logits, state = model(inputs, detach_state(state))
        nll = -logits.log_softmax(-1).gather(-1, targets.unsqueeze(-1)).sum()
        (nll / targets.numel()).backward()
        if clip is not None:
            nn.utils.clip_grad_norm_(model.parameters(), max_norm=clip)
        optimizer.step()
        total += nll.item()
        count += targets.numel()
    return total / count
