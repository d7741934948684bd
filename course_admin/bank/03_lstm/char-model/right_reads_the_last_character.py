# why: reads the last character too and drops what it predicts; gathers log-probabilities; keeps the logits of all chunks
class CharModel(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size):
        nn.Module.__init__(self)
        sizes = (vocab_size, embedding_size, hidden_size)
        self.embedding = nn.Embedding(*sizes[:2])
        self.lstm = nn.LSTM(*sizes[1:], num_layers=1, bias=True, batch_first=True)
        self.head = nn.Linear(sizes[2], sizes[0])

    def forward(self, tokens, state=None):
        x = F.embedding(tokens, self.embedding.weight)
        out = self.lstm(x, state)
        return F.linear(out[0], self.head.weight, self.head.bias), out[1]


def next_character_loss(logits, tokens):
    log_p = logits.log_softmax(dim=2)[:, :-1]
    return -torch.gather(log_p, 2, tokens[:, 1:, None]).mean()


@torch.no_grad()
def bits_per_character(model, text, chunk=500):
    state, answers = None, []
    first = 0
    while first < len(text):
        logits, state = model(text[first : first + chunk].view(1, -1), state)
        answers.append(logits)
        first += chunk
    loss = next_character_loss(torch.cat(answers, dim=1), text.view(1, -1))
    return float(loss) / np.log(2.0)
