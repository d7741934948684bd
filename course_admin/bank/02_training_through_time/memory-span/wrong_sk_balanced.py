# score: 7
# says: exactly as many
# why: equally many of each key, shuffled: not independent
from itertools import takewhile


def recall_task(count, lag, seed, keys=4, fillers=4):
    if not lag >= 0:
        raise ValueError(f"lag must be at least 0, got {lag}")
    g = torch.Generator()
    g.manual_seed(seed)
    targets = (torch.arange(count) % keys)[torch.randperm(count, generator=g)]
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
    ("pytorch", 0.1): [1.41549, 1.4014, 1.39873],
    ("pytorch", 1.0): [1.41754, 1.40044, 1.39943],
    ("pytorch", "none"): [1.41754, 1.40037, 1.39929],
    ("xavier", 0.1): [0.99302, 1.16161, 1.0279],
    ("xavier", 1.0): [0.99301, 1.16161, 1.0279],
    ("xavier", "none"): [1.00431, 1.17209, 1.03048],
    ("orthogonal", 0.1): [1.0789, 1.09105, 1.09519],
    ("orthogonal", 1.0): [1.07894, 1.09105, 1.09518],
    ("orthogonal", "none"): [1.08204, 1.10068, 1.09954],
    ("irnn", 0.1): [1.23283, 1.16945, 1.16516],
    ("irnn", 1.0): [1.23282, 1.16944, 1.16517],
    ("irnn", "none"): [1.24504, 1.1803, 1.16812],
}
