# why: one step after another everywhere; the score reads one character at a time, whatever the chunk
from math import log2


class CharModel(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.embedding = nn.Embedding(num_embeddings=vocab_size, embedding_dim=embedding_size)
        self.lstm = nn.LSTM(input_size=embedding_size, hidden_size=hidden_size, batch_first=True)
        self.head = nn.Linear(in_features=hidden_size, out_features=vocab_size)

    def forward(self, tokens, state=None):
        weight = self.head.weight
        if state is None:
            zeros = weight.new_zeros(1, tokens.shape[0], self.hidden_size)
            state = (zeros, zeros.clone())
        rows = []
        for t in range(tokens.size(1)):
            output, state = self.lstm(self.embedding(tokens[:, t : t + 1]), state)
            rows.append(output[:, 0] @ weight.T + self.head.bias)
        return torch.stack(rows, 1), state


def next_character_loss(logits, tokens):
    total, count = 0.0, 0
    for row, line in zip(logits, tokens):
        for t in range(len(line) - 1):
            total = total + torch.logsumexp(row[t], 0) - row[t, line[t + 1]]
            count += 1
    return total / count


def bits_per_character(model, text, chunk=500):
    state, bits = None, 0.0
    with torch.no_grad():
        for now, after in zip(text[:-1], text[1:]):
            logits, state = model(now.reshape(1, 1), state)
            p = torch.softmax(logits[0, 0].double(), dim=0)[after]
            bits -= log2(p.item())
    return bits / (len(text) - 1)
