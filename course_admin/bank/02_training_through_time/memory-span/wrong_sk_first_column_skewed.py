# score: 7
# says: more often
# why: keys by rounding a uniform number: the outer keys come half as often
from itertools import takewhile


def recall_task(count, lag, seed, keys=4, fillers=4):
    if not lag >= 0:
        raise ValueError(f"lag must be at least 0, got {lag}")
    g = torch.Generator()
    g.manual_seed(seed)
    targets = (torch.rand(count, generator=g) * (keys - 1)).round().long()
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
    ("pytorch", 0.1): [1.43729, 1.28809, 1.51651],
    ("pytorch", 1.0): [1.43222, 1.29101, 1.51794],
    ("pytorch", "none"): [1.43219, 1.29389, 1.51819],
    ("xavier", 0.1): [0.86913, 0.89563, 1.16392],
    ("xavier", 1.0): [0.86913, 0.89562, 1.16392],
    ("xavier", "none"): [0.87769, 0.91095, 1.17839],
    ("orthogonal", 0.1): [1.07313, 0.96564, 1.2697],
    ("orthogonal", 1.0): [1.07313, 0.96564, 1.2697],
    ("orthogonal", "none"): [1.08733, 0.97761, 1.28223],
    ("irnn", 0.1): [1.32115, 1.23602, 1.50954],
    ("irnn", 1.0): [1.32115, 1.23604, 1.50955],
    ("irnn", "none"): [1.33246, 1.25882, 1.52252],
}
