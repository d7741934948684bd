# why: sorts by hand, packs, and undoes the sorting; layers in a dictionary; lengths as a list
from torch.nn.utils import rnn as rnn_utils


class PackedClassifier(nn.Module):
    KINDS = {"gru": nn.GRU, "lstm": nn.LSTM}

    def __init__(self, vocab_size, embedding_size, hidden_size, num_classes, cell="gru"):
        super().__init__()
        try:
            kind = self.KINDS[cell]
        except KeyError:
            raise ValueError("unknown cell " + repr(cell)) from None
        self.kind = cell
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.rnn = kind(input_size=embedding_size, hidden_size=hidden_size, num_layers=1, batch_first=True)
        self.head = nn.Linear(hidden_size, num_classes)

    def forward(self, tokens, lengths):
        for n in lengths.tolist():
            if n < 1 or n > tokens.size(1):
                raise ValueError(f"lengths: {n} is not in 1..{tokens.size(1)}")
        order = lengths.argsort(descending=True)
        x = self.embedding(tokens[order])
        packed = rnn_utils.pack_padded_sequence(x, lengths[order].tolist(), batch_first=True)
        if self.kind == "lstm":
            _, (h, _) = self.rnn(packed)
        else:
            _, h = self.rnn(packed)
        return self.head(h[-1][order.argsort()])
