# why: pad_sequence, a broadcast mask of float numbers turned bool, masked_fill before the library's loss with ignore_index
from torch.nn.utils.rnn import pad_sequence


def pad_batch(sequences, padding_value=0):
    tensors = [torch.as_tensor(s, dtype=torch.long) for s in sequences]
    if len(tensors) < 1:
        raise ValueError("sequences is empty")
    return pad_sequence(tensors, batch_first=True, padding_value=padding_value), torch.LongTensor(
        [t.numel() for t in tensors]
    )


def length_mask(lengths, T):
    if int(lengths.min()) < 0 or int(lengths.max()) > T:
        raise ValueError("lengths out of range")
    places = torch.arange(1, T + 1).repeat(lengths.shape[0], 1)
    return places <= lengths.unsqueeze(1)


def masked_loss(logits, targets, mask):
    if mask.sum() == 0:
        raise ValueError("empty mask")
    clean = logits.masked_fill(~mask.unsqueeze(-1), 0.0)
    goal = targets.masked_fill(~mask, -100)
    return F.cross_entropy(clean.transpose(1, 2), goal, ignore_index=-100)
