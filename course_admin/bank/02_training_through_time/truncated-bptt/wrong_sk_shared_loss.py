# score: 5
# says: scaled down
# why: divides each chunk's loss by the number of chunks before backward
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
            with torch.no_grad():
                return torch.clone(state)
        case tuple():
            return tuple(detach_state(s) for s in state)
        case _:
            return [detach_state(s) for s in state]


def chunk_pairs(tokens, length):
    if not length >= 1:
        raise ValueError("length is below 1")
    return zip(torch.split(tokens[:, :-1], length, dim=1), torch.split(tokens[:, 1:], length, dim=1))


def train_pass(model, tokens, optimizer, length, clip=None):
    state, nats = None, []
    model.zero_grad(set_to_none=True)
    for inputs, targets in chunk_pairs(tokens, length=length):
        logits, state = model(inputs, state)
        each = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1), reduction="none")
        (each.mean() / -(-(tokens.shape[1] - 1) // length)).backward()
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(list(model.parameters()), clip)
        optimizer.step()
        optimizer.zero_grad()
        state = detach_state(state)
        nats.append(each.detach())
    return torch.cat(nats).mean().item()
