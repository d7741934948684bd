# score: 7
# says: lag of 1
# why: seeds again before the distractors: the first of them repeats the key
from itertools import takewhile


def recall_task(count, lag, seed, keys=4, fillers=4):
    if not lag >= 0:
        raise ValueError(f"lag must be at least 0, got {lag}")
    g = torch.Generator()
    g.manual_seed(seed)
    targets = torch.randint(low=0, high=keys, size=(count,), generator=g)
    g.manual_seed(seed)
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
    ("pytorch", 0.1): [1.38321, 1.3844, 1.28889],
    ("pytorch", 1.0): [1.3918, 1.38393, 1.29595],
    ("pytorch", "none"): [1.3918, 1.38396, 1.29851],
    ("xavier", 0.1): [0.85389, 1.11683, 0.88617],
    ("xavier", 1.0): [0.85389, 1.11683, 0.88617],
    ("xavier", "none"): [0.86306, 1.12687, 0.89368],
    ("orthogonal", 0.1): [0.96479, 1.08664, 1.01188],
    ("orthogonal", 1.0): [0.96479, 1.08664, 1.01188],
    ("orthogonal", "none"): [0.97715, 1.09467, 1.02021],
    ("irnn", 0.1): [1.28908, 1.13906, 1.27281],
    ("irnn", 1.0): [1.28921, 1.13909, 1.27281],
    ("irnn", "none"): [1.30731, 1.16291, 1.28283],
}
