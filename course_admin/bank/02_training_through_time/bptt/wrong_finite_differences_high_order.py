# score: 4.5
# says: finite differences? of a high order|finite difference
# why: finite differences with eight points, good to many digits in ordinary cases
def bptt(x, targets, weight_ih, weight_hh, bias, weight_ho, bias_o, h0=None):
    h0 = np.zeros((len(x), len(bias))) if h0 is None else h0
    arrays = dict(
        weight_ih=weight_ih, weight_hh=weight_hh, bias=bias, weight_ho=weight_ho, bias_o=bias_o, h0=h0
    )
    stencil = {1: 4 / 5, 2: -1 / 5, 3: 4 / 105, 4: -1 / 280}

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
            for far, weight in stencil.items():
                for sign in (1, -1):
                    moved = array.copy()
                    moved[place] += sign * far * 5e-3
                    gradients[name][place] += sign * weight * loss_of({**arrays, name: moved}) / 5e-3
    return loss_of(arrays), gradients
