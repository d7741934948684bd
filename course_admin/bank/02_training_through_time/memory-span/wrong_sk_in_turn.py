# score: 6.5
# says: exactly as many
# why: the keys in turn: 0, 1, 2, 3, 0, ...
from itertools import takewhile


def recall_task(count, lag, seed, keys=4, fillers=4):
    if not lag >= 0:
        raise ValueError(f"lag must be at least 0, got {lag}")
    g = torch.Generator()
    g.manual_seed(seed)
    targets = torch.arange(count) % keys
    distractors = torch.randint(low=keys, high=keys + fillers, size=(count, lag), generator=g)
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
    ("pytorch", 0.1): [1.36625, 1.4405, 1.37405],
    ("pytorch", 1.0): [1.36673, 1.44396, 1.37375],
    ("pytorch", "none"): [1.36673, 1.44396, 1.37375],
    ("xavier", 0.1): [0.86133, 1.04079, 0.96871],
    ("xavier", 1.0): [0.86132, 1.04079, 0.96871],
    ("xavier", "none"): [0.86378, 1.04761, 0.97693],
    ("orthogonal", 0.1): [0.96737, 1.07353, 1.04792],
    ("orthogonal", 1.0): [0.96737, 1.07353, 1.04792],
    ("orthogonal", "none"): [0.97112, 1.077, 1.05017],
    ("irnn", 0.1): [1.20382, 1.07499, 1.17281],
    ("irnn", 1.0): [1.20382, 1.07499, 1.17281],
    ("irnn", "none"): [1.21289, 1.07364, 1.17548],
}
