# why: comprehensions, F.pad, min with a key, pandas-free grouping, tuples for pairs
def decoder_inputs(targets, begin):
    return F.pad(targets, (1, -1), value=begin)


def translator_parameters(kind, hidden_size, source_words, target_words, embedding_size=32):
    if kind == "gru":
        gates = 3
    elif kind == "lstm":
        gates = 4
    else:
        raise ValueError(f"unknown kind {kind}")
    H, E = hidden_size, embedding_size
    return E * source_words + (E + H + 1) * target_words + 2 * gates * H * (E + H + 2)


def translator_width(kind, budget, source_words, target_words, embedding_size=32):
    return min(
        range(1, 500),
        key=lambda h: (
            abs(translator_parameters(kind, h, source_words, target_words, embedding_size) - budget),
            h,
        ),
    )


def exact_match(predictions, targets, padding):
    wrong = (predictions != targets) & (targets != padding)
    return ~wrong.any(-1)


def match_by_length(right, lengths, edges):
    groups = [right[(lengths >= a) & (lengths < b)].double() for a, b in zip(edges, edges[1:])]
    return np.array([g.mean().item() for g in groups]), np.array([len(g) for g in groups])


def translation_rows(scores, bins):
    return [
        {
            "kind": kind,
            "words": label,
            "seed": seed,
            "exact": scores[kind][seed][i],
            "mean": np.mean(np.array(scores[kind])[:, i]),
            "sd": np.array(scores[kind])[:, i].std(ddof=1) if len(scores[kind]) > 1 else float("nan"),
        }
        for kind in scores
        for i, label in enumerate(bins)
        for seed in range(len(scores[kind]))
    ]
