# score: 6
# says: lacks \['embedding
# why: one-hot characters straight into the LSTM, no embedding
class CharModel(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size):
        super().__init__()
        self.vocab_size = vocab_size
        self.lstm = nn.LSTM(vocab_size, hidden_size, batch_first=True)
        self.head = nn.Linear(hidden_size, vocab_size)

    def forward(self, tokens, state=None):
        hidden, state = self.lstm(F.one_hot(tokens, self.vocab_size).to(self.head.weight.dtype), state)
        return self.head(hidden), state


def next_character_loss(logits, tokens):
    predicted, target = logits[:, :-1], tokens[:, 1:]
    return F.cross_entropy(predicted.flatten(0, 1), target.flatten())


@torch.no_grad()
def bits_per_character(model, text, chunk=500):
    state, nats = None, 0.0
    for first in range(0, len(text) - 1, chunk):
        target = text[first + 1 : first + chunk + 1]
        logits, state = model(text[first : first + len(target)].unsqueeze(0), state)
        nats += F.cross_entropy(logits[0], target, reduction="sum").item()
    return nats / (len(text) - 1) / float(np.log(2))
