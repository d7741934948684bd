# why: plain loops, Python's random, lists and tensors made one by one; the span by a while loop over a dictionary

import random


def recall_task(count, lag, seed, keys=4, fillers=4):
    if lag < 0:
        raise ValueError("the lag cannot be negative")
    rng = random.Random(seed)
    rows, answers = [], []
    for _ in range(count):
        key = rng.randrange(keys)
        rows.append([key] + [keys + rng.randrange(fillers) for _ in range(lag)])
        answers.append(key)
    return torch.tensor(rows, dtype=torch.long), torch.tensor(answers, dtype=torch.long)


def recall_accuracy(logits, targets):
    shares = []
    for network, wanted in zip(logits, targets):
        right = 0
        for scores, target in zip(network, wanted):
            if not torch.isnan(scores).any() and int(scores.argmax()) == int(target):
                right += 1
        shares.append(right / len(wanted))
    return torch.tensor(shares)


def memory_span(lags, accuracies, chance, share=0.5):
    if len(lags) != len(accuracies) or len(lags) < 1:
        raise ValueError("lags and accuracies must have the same length, at least 1")
    found = dict(zip([int(lag) for lag in lags], accuracies))
    span = 0
    for lag in sorted(found):
        if found[lag] >= chance + share * (1 - chance):
            span = lag
        else:
            return span
    return span


early_losses = {  # the loss at the tenth step of lag 5
    ("pytorch", 0.1): [1.29961, 1.42812, 1.40083],
    ("pytorch", 1.0): [1.29672, 1.42447, 1.40116],
    ("pytorch", "none"): [1.29672, 1.42539, 1.40119],
    ("xavier", 0.1): [0.79987, 1.03066, 1.01688],
    ("xavier", 1.0): [0.79987, 1.03066, 1.01688],
    ("xavier", "none"): [0.80234, 1.03466, 1.01508],
    ("orthogonal", 0.1): [1.03449, 1.09615, 1.04485],
    ("orthogonal", 1.0): [1.03449, 1.09615, 1.04485],
    ("orthogonal", "none"): [1.03587, 1.10167, 1.04566],
    ("irnn", 0.1): [1.20886, 1.28793, 1.19188],
    ("irnn", 1.0): [1.20887, 1.28792, 1.19187],
    ("irnn", "none"): [1.20637, 1.28129, 1.18775],
}
