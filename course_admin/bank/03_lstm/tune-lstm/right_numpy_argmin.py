# why: a NumPy table, argmin, NumPy numbers in the dict; bisection for the width; a copy of the best setting; an extra key
def count_lstm_parameters(input_size, hidden_size, num_layers=1):
    widths = np.array([input_size] + [hidden_size] * (num_layers - 1))
    return int((4 * hidden_size * (widths + hidden_size + 2)).sum())


def largest_hidden(budget, input_size, output_size, num_layers=1):
    need = lambda h: count_lstm_parameters(input_size, h, num_layers) + (h + 1) * output_size
    if need(1) > budget:
        raise ValueError("too small a budget")
    low, high = 1, 2
    while need(high) <= budget:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if need(middle) <= budget else (low, middle)
    return low


def tune(evaluate, settings, untuned, seeds, size, budget):
    candidates = [untuned] + [setting for setting in settings if size(setting) <= budget]
    table = np.array([[evaluate(setting, seed, "valid") for seed in seeds] for setting in candidates])
    ok = np.isfinite(table).all(axis=1)
    means = np.full(len(table), np.inf)
    means[ok] = table[ok].mean(axis=1)
    k = np.argmin(means)
    difference = table[0] - table[k]
    return {
        "best": dict(candidates[k]),
        "loss": means[k],
        "gain": np.mean(difference),
        "gain_sd": np.std(difference, ddof=1),
        "losses": table[k].tolist(),
    }
