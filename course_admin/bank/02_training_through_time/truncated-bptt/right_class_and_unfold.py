# why: a small class does the work; sum of losses kept as a detached tensor until the end
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
    if torch.is_tensor(state):
        return state.detach()
    return state if state is None else type(state)([detach_state(part) for part in state])


def chunk_pairs(tokens, length):
    if not length > 0:
        raise ValueError("a chunk needs at least one step")
    return zip(torch.split(tokens[:, :-1], length, 1), torch.split(tokens[:, 1:], length, 1))


class Walker:
    def __init__(self, model, optimizer, clip):
        self.model, self.optimizer, self.clip = model, optimizer, clip
        self.state = None
        self.sum, self.count = 0, 0
        self.criterion = nn.CrossEntropyLoss(reduction="sum")

    def chunk(self, inputs, targets):
        self.optimizer.zero_grad()
        logits, new = self.model(inputs, self.state)
        loss = self.criterion(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1))
        (loss / targets.numel()).backward()
        if self.clip is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
        self.optimizer.step()
        self.state = detach_state(new)
        self.sum = self.sum + loss.detach()
        self.count += targets.numel()


def train_pass(model, tokens, optimizer, length, clip=None):
    walker = Walker(model, optimizer, clip)
    for inputs, targets in chunk_pairs(tokens, length):
        walker.chunk(inputs, targets)
    return (walker.sum / walker.count).item()
