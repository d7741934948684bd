# score: 6.5
# says: should name
# why: the errors have no message
from itertools import takewhile


def recall_task(count, lag, seed, keys=4, fillers=4):
    if not lag >= 0:
        raise ValueError
    g = torch.Generator()
    g.manual_seed(seed)
    targets = torch.randint(low=0, high=keys, size=(count,), generator=g)
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
        raise ValueError()
    order = np.argsort(lags)
    bar = chance + share * (1 - chance)
    held = list(takewhile(lambda i: accuracies[i] >= bar, order))
    return int(lags[held[-1]]) if held else 0


from course_utils.checking import record

_accuracies = {  # at lags 5, 10, 20, 40, 80, for seeds 0, 1, 2
    ("pytorch", 0.1): [
        [1.0, 1.0, 0.2475, 0.255, 0.2275],
        [1.0, 1.0, 0.2375, 0.2725, 0.2575],
        [1.0, 1.0, 0.25, 0.2275, 0.26],
    ],
    ("pytorch", 1.0): [
        [1.0, 1.0, 0.26, 0.2475, 0.2375],
        [1.0, 1.0, 0.235, 0.28, 0.25],
        [1.0, 1.0, 0.2675, 0.2675, 0.26],
    ],
    ("pytorch", "none"): [
        [1.0, 1.0, 0.255, 0.245, 0.2375],
        [1.0, 1.0, 0.2325, 0.28, 0.25],
        [1.0, 1.0, 0.2625, 0.27, 0.26],
    ],
    ("xavier", 0.1): [[1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 0.2575], [1.0, 1.0, 1.0, 0.255, 0.275]],
    ("xavier", 1.0): [
        [1.0, 1.0, 1.0, 1.0, 1.0],
        [1.0, 1.0, 1.0, 1.0, 0.2475],
        [1.0, 1.0, 1.0, 0.2525, 0.2675],
    ],
    ("xavier", "none"): [
        [1.0, 1.0, 1.0, 1.0, 1.0],
        [1.0, 1.0, 1.0, 1.0, 0.2475],
        [1.0, 1.0, 1.0, 0.26, 0.2575],
    ],
    ("orthogonal", 0.1): [
        [1.0, 1.0, 1.0, 1.0, 0.23],
        [1.0, 1.0, 1.0, 0.5375, 0.27],
        [1.0, 1.0, 0.5325, 0.255, 0.2675],
    ],
    ("orthogonal", 1.0): [
        [1.0, 1.0, 1.0, 1.0, 0.2425],
        [1.0, 1.0, 1.0, 0.53, 0.265],
        [1.0, 1.0, 0.54, 0.2675, 0.26],
    ],
    ("orthogonal", "none"): [
        [1.0, 1.0, 1.0, 1.0, 0.235],
        [1.0, 1.0, 1.0, 0.4975, 0.2725],
        [1.0, 1.0, 0.54, 0.2525, 0.2675],
    ],
    ("irnn", 0.1): [[1.0, 1.0, 1.0, 1.0, 0.7575], [1.0, 1.0, 1.0, 1.0, 0.545], [1.0, 1.0, 1.0, 1.0, 0.235]],
    ("irnn", 1.0): [[1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 0.7525], [1.0, 1.0, 1.0, 1.0, 0.2025]],
    ("irnn", "none"): [[1.0, 1.0, 1.0, 1.0, 0.27], [1.0, 1.0, 1.0, 1.0, 0.29], [1.0, 1.0, 1.0, 1.0, 0.26]],
}
_early = {  # the loss at the tenth step of lag 5
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


def _row(init, clip, seed, curve, spans):
    lags, n = (5, 10, 20, 40, 80), len(spans)
    mean = sum(spans) / n
    return {
        "init": init,
        "clip": clip,
        "seed": seed,
        "steps": 300,
        "early_loss": _early[init, clip][seed],
        **{f"acc_{lag}": value for lag, value in zip(lags, curve)},
        "span": spans[seed],
        "span_mean": mean,
        "span_sd": (sum((s - mean) ** 2 for s in spans) / (n - 1)) ** 0.5,
    }


_spans = {
    ("pytorch", 0.1): [10, 10, 10],
    ("pytorch", 1.0): [10, 10, 10],
    ("pytorch", "none"): [10, 10, 10],
    ("xavier", 0.1): [80, 40, 20],
    ("xavier", 1.0): [80, 40, 20],
    ("xavier", "none"): [80, 40, 20],
    ("orthogonal", 0.1): [40, 20, 10],
    ("orthogonal", 1.0): [40, 20, 10],
    ("orthogonal", "none"): [40, 20, 10],
    ("irnn", 0.1): [80, 40, 40],
    ("irnn", 1.0): [80, 80, 40],
    ("irnn", "none"): [40, 40, 40],
}
_table = [
    _row(init, clip, seed, curve, _spans[init, clip])
    for (init, clip), curves in _accuracies.items()
    for seed, curve in enumerate(curves)
]
record("memory-span", _table)
