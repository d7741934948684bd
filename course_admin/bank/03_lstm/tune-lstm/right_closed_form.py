# why: the width from the quadratic formula, seeds in the outer loop, statistics.mean, a NumPy table of losses
import math
import statistics


def count_lstm_parameters(input_size, hidden_size, num_layers=1):
    if num_layers == 1:
        return 4 * hidden_size * (input_size + hidden_size + 2)
    below = count_lstm_parameters(input_size, hidden_size, num_layers - 1)
    return below + 8 * hidden_size * (hidden_size + 1)


def largest_hidden(budget, input_size, output_size, num_layers=1):
    a = 8 * num_layers - 4
    b = 4 * input_size + 8 * num_layers + output_size
    room = budget - output_size
    width = (math.isqrt(b * b + 4 * a * room) - b) // (2 * a) if room > 0 else 0
    if width < 1:
        raise ValueError(f"no unit fits into {budget} parameters")
    return width


def tune(evaluate, settings, untuned, seeds, size, budget):
    tried = [untuned, *(s for s in settings if not size(s) > budget)]
    losses = [[] for _ in tried]
    for seed in seeds:
        for setting, row in zip(tried, losses):
            row.append(float(evaluate(setting, seed, "valid")))
    means = [statistics.mean(row) if all(map(math.isfinite, row)) else math.inf for row in losses]
    place = means.index(min(means))
    gains = [a - b for a, b in zip(losses[0], losses[place])]
    return dict(
        best=tried[place], loss=means[place], gain=statistics.mean(gains), gain_sd=statistics.stdev(gains)
    )
