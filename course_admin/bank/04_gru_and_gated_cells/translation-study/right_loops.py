# why: loops and Python lists everywhere, the statistics module, a bisection for the width
import math
import statistics


def decoder_inputs(targets, begin):
    rows = []
    for row in targets.tolist():
        rows.append([begin] + row[:-1])
    return torch.tensor(rows, dtype=torch.int64)


def translator_parameters(kind, hidden_size, source_words, target_words, embedding_size=32):
    gates = {"gru": 3, "lstm": 4}.get(kind)
    if gates is None:
        raise ValueError("kind")
    total = 0
    total += source_words * embedding_size
    total += target_words * embedding_size
    for _ in ("encoder", "decoder"):
        for _ in range(gates):
            total += hidden_size * embedding_size
            total += hidden_size * hidden_size
            total += hidden_size
            total += hidden_size
    total += hidden_size * target_words
    total += target_words
    return total


def translator_width(kind, budget, source_words, target_words, embedding_size=32):
    low, high = 1, 10_000
    while high - low > 1:
        middle = (low + high) // 2
        if translator_parameters(kind, middle, source_words, target_words, embedding_size) <= budget:
            low = middle
        else:
            high = middle
    below = budget - translator_parameters(kind, low, source_words, target_words, embedding_size)
    above = translator_parameters(kind, high, source_words, target_words, embedding_size) - budget
    return low if below <= above else high


def exact_match(predictions, targets, padding):
    marks = []
    for said, right in zip(predictions.tolist(), targets.tolist()):
        fine = True
        for a, b in zip(said, right):
            if b == padding:
                break
            if a != b:
                fine = False
        marks.append(fine)
    return torch.tensor(marks)


def match_by_length(right, lengths, edges):
    hits, counts = [0] * (len(edges) - 1), [0] * (len(edges) - 1)
    for good, n in zip(right.tolist(), lengths.tolist()):
        for i in range(len(edges) - 1):
            if edges[i] <= n < edges[i + 1]:
                counts[i] += 1
                hits[i] += int(good)
    return np.array([h / c if c else math.nan for h, c in zip(hits, counts)]), np.array(counts)


def translation_rows(scores, bins):
    rows = []
    for kind in scores:
        for i in range(len(bins)):
            values = [float(run[i]) for run in scores[kind]]
            for seed in range(len(values)):
                rows.append(
                    dict(
                        kind=kind,
                        words=bins[i],
                        seed=seed,
                        exact=values[seed],
                        mean=statistics.mean(values),
                        sd=statistics.stdev(values) if len(values) > 1 else math.nan,
                    )
                )
    return rows
