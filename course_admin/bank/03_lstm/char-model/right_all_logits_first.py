# why: collects the logits of all chunks, then one cross-entropy; state zeros made by hand; NLLLoss module with classes on axis 1
class CharModel(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.lstm = nn.LSTM(embedding_size, hidden_size, 1, True, True)
        self.head = nn.Linear(hidden_size, vocab_size)

    def forward(self, tokens, state=None):
        x = self.embedding(tokens)
        if state is None:
            zeros = x.new_zeros(1, tokens.size(0), self.lstm.hidden_size)
            state = (zeros, zeros)
        hidden, (h, c) = self.lstm(x, (state[0], state[1]))
        return self.head(hidden), (h, c)


def next_character_loss(logits, tokens):
    return nn.NLLLoss()(logits.log_softmax(2)[:, :-1].permute(0, 2, 1), tokens[:, 1:])


@torch.no_grad()
def bits_per_character(model, text, chunk=500):
    pieces, state = [], None
    for piece in text.split(chunk):
        logits, state = model(piece.view(1, -1), state)
        pieces.append(logits.squeeze(0))
    every = torch.cat(pieces)[:-1]
    return (F.cross_entropy(every, text[1:]) / np.log(2)).item()
