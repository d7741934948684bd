# why: padding's vectors are replaced by zeros before the layer, which runs on; states are picked where sequences end


class PackedClassifier(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_classes, cell="gru"):
        super().__init__()
        if cell != "gru" and cell != "lstm":
            raise ValueError("cell is gru or lstm")
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.rnn = (nn.LSTM if cell == "lstm" else nn.GRU)(embedding_size, hidden_size, batch_first=True)
        self.head = nn.Linear(hidden_size, num_classes)

    def forward(self, tokens, lengths):
        if (lengths < 1).any() or (lengths > tokens.shape[1]).any():
            raise ValueError("lengths")
        real = torch.arange(tokens.shape[1]) < lengths[:, None]
        x = torch.where(real[..., None], self.embedding(tokens), 0)
        output, _ = self.rnn(x)
        return self.head(output[torch.arange(len(tokens)), lengths - 1])
