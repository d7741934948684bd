# why: flat indices of the real tokens, a sum divided by their number
def pad_batch(sequences, padding_value=0):
    lengths = torch.tensor(list(map(len, sequences)), dtype=torch.int64)
    if lengths.numel() == 0:
        raise ValueError("sequences must not be empty")
    T = lengths.max().item()
    rows = [list(map(int, s)) + [padding_value] * (T - len(s)) for s in sequences]
    return torch.tensor(rows, dtype=torch.int64), lengths


def length_mask(lengths, T):
    for n in lengths.tolist():
        if not 0 <= n <= T:
            raise ValueError(f"got {n}")
    return torch.stack([torch.tensor([t < n for t in range(T)], dtype=torch.bool) for n in lengths.tolist()])


def masked_loss(logits, targets, mask):
    places = mask.reshape(-1).nonzero()[:, 0]
    if len(places) == 0:
        raise ValueError("mask is empty")
    z = logits.reshape(-1, logits.shape[-1]).index_select(0, places)
    y = targets.reshape(-1).index_select(0, places)
    return F.nll_loss(F.log_softmax(z, dim=-1), y, reduction="sum") / len(places)
