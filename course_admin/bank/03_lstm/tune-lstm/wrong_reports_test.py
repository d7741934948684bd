# score: 4
# says: choice would have seen the test split
# why: chooses on the validation split, but looks at the test split inside the search all the same
def count_lstm_parameters(input_size, hidden_size, num_layers=1):
    first = 4 * hidden_size * (input_size + hidden_size + 2)
    return first + (num_layers - 1) * 8 * hidden_size * (hidden_size + 1)


def largest_hidden(budget, input_size, output_size, num_layers=1):
    hidden = 0
    while count_lstm_parameters(input_size, hidden + 1, num_layers) + output_size * (hidden + 2) <= budget:
        hidden += 1
    if hidden == 0:
        raise ValueError("too small")
    return hidden


def tune(evaluate, settings, untuned, seeds, size, budget):
    fitting = [untuned] + [s for s in settings if size(s) <= budget]
    losses = np.array([[evaluate(s, seed, "valid") for seed in seeds] for s in fitting])
    means = np.where(np.isfinite(losses).all(1), losses.mean(1), np.inf)
    best = int(means.argmin())
    test = np.array([[evaluate(fitting[k], seed, "test") for seed in seeds] for k in (0, best)])
    gains = test[0] - test[1]
    return {"best": fitting[best], "loss": means[best], "gain": gains.mean(), "gain_sd": gains.std(ddof=1)}
