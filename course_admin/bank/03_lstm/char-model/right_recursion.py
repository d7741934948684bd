# why: bits by recursion over the rest of the text; one-hot targets in a product; states as NumPy would not matter
class CharModel(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size):
        super().__init__()
        self.add_module("embedding", nn.Embedding(vocab_size, embedding_size))
        self.add_module("lstm", nn.LSTM(embedding_size, hidden_size, batch_first=True))
        self.add_module("head", nn.Linear(hidden_size, vocab_size))

    def forward(self, tokens, state=None):
        output = self.lstm(self.embedding(tokens), state)
        return self.head(output[0]), output[1]


def next_character_loss(logits, tokens):
    batch, steps, size = logits.shape
    right = F.one_hot(tokens[:, 1:], size).to(logits.dtype)
    return -(right * torch.log_softmax(logits[:, : steps - 1], -1)).sum() / (batch * (steps - 1))


@torch.no_grad()
def bits_per_character(model, text, chunk=500):
    def rest(place, state):
        """Sum of nats from this place on."""
        if place >= len(text) - 1:
            return 0.0
        piece = text[place : place + chunk]
        logits, state = model(piece[None], state)
        following = text[place + 1 : place + 1 + chunk]
        here = F.cross_entropy(logits[0, : len(following)], following, reduction="sum").item()
        return here + rest(place + chunk, state)

    return rest(0, None) / (len(text) - 1) / float(np.log(2))
