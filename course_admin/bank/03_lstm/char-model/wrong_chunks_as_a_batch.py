# score: 8
# says: \(1, T\)
# why: reshapes the text into a batch of chunks, which are read side by side from zeros
class CharModel(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.lstm = nn.LSTM(embedding_size, hidden_size, batch_first=True)
        self.head = nn.Linear(hidden_size, vocab_size)

    def forward(self, tokens, state=None):
        hidden, state = self.lstm(self.embedding(tokens), state)
        return self.head(hidden), state


def next_character_loss(logits, tokens):
    predicted, target = logits[:, :-1], tokens[:, 1:]
    return F.cross_entropy(predicted.flatten(0, 1), target.flatten())


@torch.no_grad()
def bits_per_character(model, text, chunk=500):
    chunk = min(chunk, len(text) // 2)
    rows = len(text) // chunk
    tokens = text[: rows * chunk].reshape(rows, chunk)
    logits, _ = model(tokens, None)
    return next_character_loss(logits, tokens).item() / float(np.log(2))
