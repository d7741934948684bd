# why: no packing: every sequence alone, cut to its length; slow, and right


class PackedClassifier(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_classes, cell="gru"):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        if cell == "gru":
            self.rnn = nn.GRU(embedding_size, hidden_size, batch_first=True)
        elif cell == "lstm":
            self.rnn = nn.LSTM(embedding_size, hidden_size, batch_first=True)
        else:
            raise ValueError(cell)
        self.head = nn.Linear(hidden_size, num_classes)

    def forward(self, tokens, lengths):
        if min(lengths.tolist()) <= 0 or max(lengths.tolist()) > tokens.shape[1]:
            raise ValueError("lengths out of range")
        rows = []
        for b in range(len(tokens)):
            x = self.embedding(tokens[b : b + 1, : int(lengths[b])])
            output, _ = self.rnn(x)
            rows.append(self.head(output[0, -1]))
        return torch.stack(rows)
