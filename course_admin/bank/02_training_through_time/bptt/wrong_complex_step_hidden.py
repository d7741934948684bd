# score: 7
# says: gradient of weight_hh.*complex-step
# why: walks back for all but weight_ih and weight_hh, which it gets by an imaginary step, without a complex literal
def bptt(x, targets, weight_ih, weight_hh, bias, weight_ho, bias_o, h0=None):
    B, T, _ = x.shape
    unit = (-1) ** 0.5 * 1e-60

    def states_of(w_ih, w_hh):
        states = [np.zeros((B, len(bias))) if h0 is None else h0]
        for t in range(T):
            states.append(np.tanh(x[:, t] @ w_ih.T + states[-1] @ w_hh.T + bias))
        return states

    def loss_of(w_ih, w_hh):
        error = np.stack(states_of(w_ih, w_hh)[1:], 1) @ weight_ho.T + bias_o - targets
        return (error**2).sum() / 2 / B / T

    states = states_of(weight_ih, weight_hh)
    hidden = np.stack(states[1:], axis=1)
    d_y = (hidden @ weight_ho.T + bias_o - targets) / (B * T)
    carried, d_bias = np.zeros((B, len(bias))), np.zeros(len(bias))
    for t in reversed(range(T)):
        d_a = (d_y[:, t] @ weight_ho + carried) * (1 - hidden[:, t] ** 2)
        d_bias += d_a.sum(axis=0)
        carried = d_a @ weight_hh
    sides = []
    for which, w in enumerate((weight_ih, weight_hh)):
        slopes = np.zeros(w.shape)
        for place in np.ndindex(w.shape):
            one = np.zeros(w.shape)
            one[place] = 1
            pair = [weight_ih, weight_hh]
            pair[which] = w + unit * one
            slopes[place] = np.imag(loss_of(*pair)) / 1e-60
        sides.append(slopes)
    return loss_of(weight_ih, weight_hh), {
        "weight_ih": sides[0],
        "weight_hh": sides[1],
        "bias": d_bias,
        "weight_ho": np.einsum("bto,bth->oh", d_y, hidden),
        "bias_o": d_y.sum((0, 1)),
        "h0": carried,
    }
