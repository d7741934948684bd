# score: 7
# says: avoid each other
# why: no distractor stands twice in a row
from itertools import takewhile


def recall_task(count, lag, seed, keys=4, fillers=4):
    if not lag >= 0:
        raise ValueError(f"lag must be at least 0, got {lag}")
    g = torch.Generator()
    g.manual_seed(seed)
    targets = torch.randint(low=0, high=keys, size=(count,), generator=g)
    distractors = torch.randint(low=keys, high=keys + fillers, size=(count, lag), generator=g)
    for j in range(1, lag):
        if fillers > 1:
            same = distractors[:, j] == distractors[:, j - 1]
            distractors[:, j] = torch.where(
                same, keys + (distractors[:, j] - keys + 1) % fillers, distractors[:, j]
            )
    return torch.hstack((targets[:, None], distractors)), targets


def recall_accuracy(logits, targets):
    best = torch.nan_to_num(logits, nan=float("-inf")).argmax(-1)
    sound = logits.isnan().sum(-1) == 0
    return torch.mean(((best == targets) & sound).to(logits.dtype), dim=1)


def memory_span(lags, accuracies, chance, share=0.5):
    lags = np.asarray(lags)
    accuracies = np.asarray(accuracies, dtype=float)
    if lags.size == 0 or lags.shape != accuracies.shape:
        raise ValueError("lags must not be empty and must match accuracies")
    order = np.argsort(lags)
    bar = chance + share * (1 - chance)
    held = list(takewhile(lambda i: accuracies[i] >= bar, order))
    return int(lags[held[-1]]) if held else 0


early_losses = {  # the loss at the tenth step of lag 5
    ("pytorch", 0.1): [1.325, 1.39809, 1.29645],
    ("pytorch", 1.0): [1.32604, 1.39852, 1.29933],
    ("pytorch", "none"): [1.32604, 1.39834, 1.29933],
    ("xavier", 0.1): [0.8315, 1.1193, 0.95912],
    ("xavier", 1.0): [0.8315, 1.1193, 0.95912],
    ("xavier", "none"): [0.83888, 1.12693, 0.96153],
    ("orthogonal", 0.1): [1.06327, 1.13786, 1.08943],
    ("orthogonal", 1.0): [1.06327, 1.13786, 1.08943],
    ("orthogonal", "none"): [1.07006, 1.1445, 1.09243],
    ("irnn", 0.1): [1.20703, 1.12807, 1.15649],
    ("irnn", 1.0): [1.2071, 1.12808, 1.15649],
    ("irnn", "none"): [1.22423, 1.16392, 1.17566],
}
