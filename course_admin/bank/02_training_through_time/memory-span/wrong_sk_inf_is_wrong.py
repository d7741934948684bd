# score: 7
# says: no nan
# why: takes an infinite logit for diverged as well
from itertools import takewhile


def recall_task(count, lag, seed, keys=4, fillers=4):
    if not lag >= 0:
        raise ValueError(f"lag must be at least 0, got {lag}")
    g = torch.Generator()
    g.manual_seed(seed)
    targets = torch.randint(low=0, high=keys, size=(count,), generator=g)
    distractors = torch.randint(low=keys, high=keys + fillers, size=(count, lag), generator=g)
    return torch.hstack((targets[:, None], distractors)), targets


def recall_accuracy(logits, targets):
    best = torch.nan_to_num(logits, nan=float("-inf")).argmax(-1)
    sound = logits.isfinite().all(-1)
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
    ("pytorch", 0.1): [1.35427, 1.40643, 1.36449],
    ("pytorch", 1.0): [1.3553, 1.40852, 1.37006],
    ("pytorch", "none"): [1.3553, 1.40744, 1.37057],
    ("xavier", 0.1): [0.83986, 1.11929, 0.97581],
    ("xavier", 1.0): [0.83986, 1.11929, 0.97581],
    ("xavier", "none"): [0.84615, 1.12701, 0.97956],
    ("orthogonal", 0.1): [1.04077, 1.15952, 1.16896],
    ("orthogonal", 1.0): [1.04077, 1.15952, 1.16895],
    ("orthogonal", "none"): [1.04641, 1.16601, 1.17266],
    ("irnn", 0.1): [1.25874, 1.22629, 1.18419],
    ("irnn", 1.0): [1.25874, 1.22631, 1.18424],
    ("irnn", "none"): [1.26998, 1.24947, 1.20319],
}
