# why: lets nn.LSTM count itself, bisection for the width, a matrix of losses and argmin over masked means
def count_lstm_parameters(input_size, hidden_size, num_layers=1):
    with torch.device("meta"):
        lstm = nn.LSTM(input_size, hidden_size, num_layers)
    return sum(parameter.numel() for parameter in lstm.parameters())


def largest_hidden(budget, input_size, output_size, num_layers=1):
    def fits(hidden):
        head = hidden * output_size + output_size
        return count_lstm_parameters(input_size, hidden, num_layers) + head <= budget

    if not fits(1):
        raise ValueError("the budget is too small")
    low, high = 1, 2
    while fits(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if fits(middle):
            low = middle
        else:
            high = middle
    return low


def tune(evaluate, settings, untuned, seeds, size, budget):
    candidates = [untuned] + [setting for setting in settings if size(setting) <= budget]
    losses = np.array([[evaluate(setting, seed, "valid") for seed in seeds] for setting in candidates])
    finite = np.isfinite(losses).all(axis=1)
    means = np.full(len(candidates), np.inf)
    means[finite] = losses[finite].mean(axis=1)
    winner = int(np.argmin(means))
    gains = losses[0] - losses[winner]
    return dict(
        best=candidates[winner], loss=means[winner], gain=np.mean(gains), gain_sd=np.std(gains, ddof=1)
    )
