# why: packs, pads again, and picks the output of each sequence's last step
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class PackedClassifier(nn.Module):
    def __init__(self, vocab_size, embedding_size, hidden_size, num_classes, cell="gru"):
        super().__init__()
        if cell not in {"gru", "lstm"}:
            raise ValueError("cell")
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.rnn = getattr(nn, cell.upper())(embedding_size, hidden_size, batch_first=True)
        self.head = nn.Linear(hidden_size, num_classes)

    def forward(self, tokens, lengths):
        B, T = tokens.shape
        if not bool(((1 <= lengths) & (lengths <= T)).all()):
            raise ValueError(f"bad lengths {lengths}")
        packed = pack_padded_sequence(self.embedding(tokens), lengths, batch_first=True, enforce_sorted=False)
        output, n = pad_packed_sequence(self.rnn(packed)[0], batch_first=True)
        index = (n - 1).view(B, 1, 1).expand(B, 1, output.shape[2])
        return self.head(output.gather(1, index).squeeze(1))
