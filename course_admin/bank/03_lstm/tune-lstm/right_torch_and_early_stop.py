# why: tensors; seed by seed, not setting by setting; a diverged setting gets no further seed
def count_lstm_parameters(input_size, hidden_size, num_layers=1):
    shapes = []
    for k in range(num_layers):
        width = hidden_size if k else input_size
        shapes += [
            (4 * hidden_size, width),
            (4 * hidden_size, hidden_size),
            (4 * hidden_size,),
            (4 * hidden_size,),
        ]
    return int(sum(np.prod(shape) for shape in shapes))


def largest_hidden(budget, input_size, output_size, num_layers=1):
    best = None
    for hidden in range(1, budget + 1):
        total = count_lstm_parameters(input_size, hidden, num_layers) + (hidden + 1) * output_size
        if total > budget:
            break
        best = hidden
    if best is None:
        raise ValueError("not even one unit fits")
    return best


def tune(evaluate, settings, untuned, seeds, size, budget):
    candidates = [untuned, *filter(lambda setting: size(setting) <= budget, settings)]
    losses = torch.zeros(len(candidates), len(seeds), dtype=torch.float64)
    for column, seed in enumerate(seeds):
        for row, setting in enumerate(candidates):
            if not losses[row].isfinite().all():
                continue
            losses[row, column] = evaluate(setting, seed, "valid")
    means = losses.mean(1)
    means[~losses.isfinite().all(1)] = torch.inf
    winner = min(range(len(candidates)), key=lambda row: means[row].item())
    gains = losses[0] - losses[winner]
    return {
        "best": dict(candidates[winner]),
        "loss": means[winner].item(),
        "gain": gains.mean().item(),
        "gain_sd": gains.std().item(),
    }
