# why: real modules are counted, F.pad and roll, np.histogram, NumPy's nan statistics, a tensor of counts


def decoder_inputs(targets, begin):
    shifted = targets.roll(1, dims=1)
    shifted[:, 0] = begin
    return shifted


def translator_parameters(kind, hidden_size, source_words, target_words, embedding_size=32):
    if kind not in ["gru", "lstm"]:
        raise ValueError(f"{kind} is no kind")
    layer = nn.GRU(embedding_size, hidden_size) if kind == "gru" else nn.LSTM(embedding_size, hidden_size)
    modules = [
        layer,
        layer,
        nn.Embedding(source_words, embedding_size),
        nn.Embedding(target_words, embedding_size),
    ]
    modules.append(nn.Linear(hidden_size, target_words))
    return sum(p.numel() for m in modules for p in m.parameters())


def translator_width(kind, budget, source_words, target_words, embedding_size=32):
    sizes = range(1, 300)
    gaps = [
        abs(translator_parameters(kind, h, source_words, target_words, embedding_size) - budget)
        for h in sizes
    ]
    return sizes[int(np.argmin(gaps))]


def exact_match(predictions, targets, padding):
    real = targets.ne(padding)
    return predictions.where(real, targets).eq(targets).sum(1).eq(targets.shape[1])


def match_by_length(right, lengths, edges):
    edges = np.asarray(edges)
    which = np.digitize(lengths.numpy(), edges) - 1
    counts = np.array([(which == i).sum() for i in range(len(edges) - 1)])
    hits = np.array([right.numpy()[which == i].sum() for i in range(len(edges) - 1)])
    return np.where(counts > 0, hits / np.maximum(counts, 1), np.nan), counts


def translation_rows(scores, bins):
    rows = []
    for kind, values in scores.items():
        values = torch.as_tensor(values, dtype=torch.float64)
        for (label, mean, sd), runs in zip(
            zip(bins, values.mean(0), values.std(0) if len(values) > 1 else values[0] * torch.nan), values.T
        ):
            rows += [
                {
                    "kind": kind,
                    "words": label,
                    "seed": i,
                    "exact": run.item(),
                    "mean": mean.item(),
                    "sd": sd.item(),
                }
                for i, run in enumerate(runs)
            ]
    return rows
