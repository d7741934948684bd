# why: logsumexp and gather; loops over rows; exact sums by math.fsum; the last character is not read; keywords for state
import math


class CharModel(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size):
        super().__init__()
        self.head = nn.Linear(in_features=hidden_size, out_features=vocab_size)
        self.embedding = nn.Embedding(num_embeddings=vocab_size, embedding_dim=embedding_size)
        self.lstm = nn.LSTM(input_size=embedding_size, hidden_size=hidden_size, batch_first=True)

    def forward(self, tokens, state=None):
        seen, state = self.lstm(F.embedding(tokens, self.embedding.weight), state)
        return F.linear(seen, self.head.weight, self.head.bias), state


def next_character_loss(logits, tokens):
    total, count = 0.0, 0
    for row, said in zip(logits, tokens):
        for t in range(len(said) - 1):
            total = total + torch.logsumexp(row[t], 0) - row[t, said[t + 1]]
            count += 1
    return total / count


@torch.no_grad()
def bits_per_character(model, text, chunk=500):
    state, losses, place = None, [], 0
    while place < len(text) - 1:
        stop = min(place + chunk, len(text) - 1)
        logits, state = model(text[place:stop].unsqueeze(0), state)
        chances = torch.softmax(logits[0].double(), dim=-1)
        losses += [-math.log2(chances[k, text[place + k + 1]]) for k in range(stop - place)]
        place = stop
    return math.fsum(losses) / len(losses)
