# why: plain Python: the quadratic's root for the width, the statistics module, a sorted list
import math
import statistics


def count_lstm_parameters(input_size, hidden_size, num_layers=1):
    total = 0
    for layer in range(num_layers):
        reads = input_size if layer == 0 else hidden_size
        weights = hidden_size * reads + hidden_size * hidden_size
        biases = 2 * hidden_size
        total += 4 * (weights + biases)
    return total


def largest_hidden(budget, input_size, output_size, num_layers=1):
    # 4 (2 L - 1) H^2 + (4 (I + 2) + 8 (L - 1) + O) H + O <= budget
    a = 4 * (2 * num_layers - 1)
    b = 4 * (input_size + 2) + 8 * (num_layers - 1) + output_size
    c = output_size - budget
    under = b * b - 4 * a * c
    hidden = (math.isqrt(under) - b) // (2 * a) if under >= 0 else 0
    if hidden < 1:
        raise ValueError(f"no unit fits into {budget}")
    return hidden


def tune(evaluate, settings, untuned, seeds, size, budget):
    base = [float(evaluate(untuned, seed, "valid")) for seed in seeds]
    results = [(statistics.fmean(base), 0, untuned, base)]
    for number, setting in enumerate(settings, 1):
        if size(setting) > budget:
            continue
        losses = []
        for seed in seeds:
            losses.append(float(evaluate(setting, seed, "valid")))
        if all(math.isfinite(loss) for loss in losses):
            results.append((statistics.fmean(losses), number, setting, losses))
    mean, _, best, losses = sorted(results, key=lambda result: result[:2])[0]
    gains = [a - b for a, b in zip(base, losses)]
    return {
        "best": best,
        "loss": mean,
        "gain": statistics.fmean(gains),
        "gain_sd": statistics.stdev(gains),
        "losses": losses,
    }
