# why: time first inside, a transposed cross-entropy, bits through log_softmax and gather
class CharModel(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size):
        super().__init__()
        self.lstm = nn.LSTM(embedding_size, hidden_size)
        self.head = nn.Linear(hidden_size, vocab_size)
        self.embedding = nn.Embedding(vocab_size, embedding_size)

    def forward(self, tokens, state=None):
        vectors = self.embedding(tokens.t())  # (T, B, E)
        if state is None:
            output, new_state = self.lstm(vectors)
        else:
            output, new_state = self.lstm(vectors, (state[0].contiguous(), state[1].contiguous()))
        return self.head(output).transpose(0, 1), new_state


def next_character_loss(logits, tokens):
    return nn.CrossEntropyLoss()(logits.permute(0, 2, 1)[..., :-1], tokens[:, 1:])


@torch.no_grad()
def bits_per_character(model, text, chunk=500):
    inputs, targets = text[:-1], text[1:]
    state = None
    bits = []
    for x, y in zip(inputs.split(chunk), targets.split(chunk)):
        logits, state = model(x[None], state)
        log_p = torch.log_softmax(logits[0].double(), dim=-1)
        bits.append(-log_p[torch.arange(len(y)), y] / torch.log(torch.tensor(2.0, dtype=torch.float64)))
    return torch.cat(bits).mean().item()
