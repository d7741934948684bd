# score: 4.5
# says: finite difference
# why: central differences of the loss in place of the chain rule; only the quadratic output layer comes out exact
def bptt(x, targets, weight_ih, weight_hh, bias, weight_ho, bias_o, h0=None):
    arrays = dict(
        weight_ih=weight_ih,
        weight_hh=weight_hh,
        bias=bias,
        weight_ho=weight_ho,
        bias_o=bias_o,
        h0=np.zeros((len(x), len(bias))) if h0 is None else h0,
    )

    def loss_of(values):
        h, total = values["h0"], 0.0
        for t in range(x.shape[1]):
            h = np.tanh(x[:, t] @ values["weight_ih"].T + h @ values["weight_hh"].T + values["bias"])
            total += 0.5 * np.sum((h @ values["weight_ho"].T + values["bias_o"] - targets[:, t]) ** 2)
        return total / (x.shape[0] * x.shape[1])

    gradients = {}
    for name, array in arrays.items():
        gradients[name] = np.zeros_like(array)
        for place in np.ndindex(array.shape):
            high, low = array.copy(), array.copy()
            high[place] += 1e-4
            low[place] -= 1e-4
            difference = loss_of({**arrays, name: high}) - loss_of({**arrays, name: low})
            gradients[name][place] = difference / 2e-4
    return loss_of(arrays), gradients
