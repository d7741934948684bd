# why: feeds the chunk a token at a time with the graph intact; loss from log_softmax; clips by hand; no chunk_pairs inside
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
    match state:
        case None:
            return None
        case torch.Tensor():
            return state.data
        case tuple():
            return tuple(map(detach_state, state))
        case _:
            return list(map(detach_state, state))


def chunk_pairs(tokens, length):
    if length < 1:
        raise ValueError(length)
    starts = torch.arange(0, tokens.shape[1] - 1, length).tolist()
    pieces = [tokens[:, a : a + length + 1] for a in starts]  # neighbors share a token
    return [[piece[:, :-1], piece[:, 1:]] for piece in pieces]


def train_pass(model, tokens, optimizer, length, clip=None):
    total, state = 0.0, None
    x, y = tokens[:, :-1], tokens[:, 1:]
    for begin in range(0, x.shape[1], length):
        state = detach_state(state)
        terms = []
        for t in range(begin, min(begin + length, x.shape[1])):
            logits, state = model(x[:, t : t + 1], state)
            terms.append(-logits[:, 0].log_softmax(-1).gather(1, y[:, t : t + 1])[:, 0])
        terms = torch.stack(terms)
        for parameter in model.parameters():
            parameter.grad = None
        terms.mean().backward()
        if clip is not None:
            grads = [p.grad for p in model.parameters() if p.grad is not None]
            norm = torch.sqrt(sum((g**2).sum() for g in grads))
            if norm > clip:
                for g in grads:
                    g.mul_(clip / norm)
        optimizer.step()
        total += float(terms.detach().sum())
    return total / y.numel()
