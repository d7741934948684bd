# why: NumPy for the batch, torch.where and gather for the loss, summed and divided by the count
class _Empty(ValueError):
    pass


def pad_batch(sequences, padding_value=0):
    if len(sequences) == 0:
        raise _Empty("give at least one sequence")
    arrays = [np.asarray(s, dtype=np.int64).reshape(-1) for s in sequences]
    out = np.full((len(arrays), max(a.size for a in arrays)), padding_value, dtype=np.int64)
    for i, a in enumerate(arrays):
        out[i, : a.size] = a
    return torch.from_numpy(out), torch.from_numpy(np.array([a.size for a in arrays], dtype=np.int64))


def length_mask(lengths, T):
    n = np.asarray(lengths)
    if not ((n >= 0) & (n <= T)).all():
        raise ValueError("a length lies outside 0..T")
    return torch.from_numpy(np.tri(T + 1, T, -1, dtype=bool)[n])


def masked_loss(logits, targets, mask):
    count = int(mask.sum())
    if count < 1:
        raise ValueError("no real token")
    safe = torch.where(mask[..., None], logits, torch.zeros_like(logits))
    goal = torch.where(mask, targets, torch.zeros_like(targets))
    picked = safe.log_softmax(dim=-1).gather(-1, goal[..., None]).squeeze(-1)
    return -(picked * mask).sum() / count
