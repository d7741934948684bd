# why: counts by a list of the shapes, min with a key, losses kept by the setting's place, torch for mean and spread
def count_lstm_parameters(input_size, hidden_size, num_layers=1):
    total = 0
    for layer in range(num_layers):
        reads = input_size if layer == 0 else hidden_size
        shapes = [
            (4 * hidden_size, reads),
            (4 * hidden_size, hidden_size),
            (4 * hidden_size,),
            (4 * hidden_size,),
        ]
        total += sum(np.prod(shape) for shape in shapes)
    return total


def largest_hidden(budget, input_size, output_size, num_layers=1):
    hidden = 0
    while (
        count_lstm_parameters(input_size, hidden + 1, num_layers)
        + nn.Linear(hidden + 1, output_size).weight.numel()
        + output_size
        <= budget
    ):
        hidden += 1
    if not hidden:
        raise ValueError
    return hidden


def tune(evaluate, settings, untuned, seeds, size, budget):
    results = [(untuned, torch.tensor([evaluate(untuned, s, "valid") for s in seeds], dtype=torch.double))]
    for setting in settings:
        if size(setting) > budget:
            continue
        results.append(
            (setting, torch.tensor([evaluate(setting, s, "valid") for s in seeds], dtype=torch.double))
        )
    sane = [pair for pair in results if pair[1].isfinite().all()]
    best, losses = min(sane, key=lambda pair: pair[1].mean().item())
    gain = results[0][1] - losses
    return {"best": best, "loss": losses.mean(), "gain": gain.mean(), "gain_sd": gain.std()}
