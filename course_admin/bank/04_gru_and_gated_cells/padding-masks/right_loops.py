# why: loops over rows and places, log-softmax by hand, Python lists


def pad_batch(sequences, padding_value=0):
    if not sequences:
        raise ValueError("no sequences")
    longest = 0
    for sequence in sequences:
        longest = max(longest, len(sequence))
    rows, lengths = [], []
    for sequence in sequences:
        row = [int(token) for token in sequence]
        lengths.append(len(row))
        while len(row) < longest:
            row.append(padding_value)
        rows.append(row)
    return torch.tensor(rows), torch.tensor(lengths)


def length_mask(lengths, T):
    mask = torch.zeros(len(lengths), T, dtype=torch.bool)
    for b in range(len(lengths)):
        n = int(lengths[b])
        if n < 0 or n > T:
            raise ValueError(f"length {n} does not fit into {T}")
        for t in range(n):
            mask[b, t] = True
    return mask


def masked_loss(logits, targets, mask):
    terms = []
    for b in range(logits.shape[0]):
        for t in range(logits.shape[1]):
            if bool(mask[b, t]):
                row = logits[b, t]
                terms.append(torch.logsumexp(row, 0) - row[targets[b, t]])
    if not terms:
        raise ValueError("nothing is real")
    return torch.stack(terms).mean()
