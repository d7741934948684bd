# score: 4
# says: same array changed in place
# why: overwrites one state buffer and stores the same array at every step; it starts as a copy of h0
def rnn_forward(x, weight_ih, weight_hh, bias, weight_ho, bias_o, h0=None, many_to_one=False):
    batch, steps, inputs = x.shape
    units, outs = len(weight_hh), len(weight_ho)
    h = np.zeros((batch, units)) if h0 is None else h0.copy()
    for array, shape in (
        (weight_ih, (units, inputs)),
        (weight_hh, (units, units)),
        (bias, (units,)),
        (weight_ho, (outs, units)),
        (bias_o, (outs,)),
        (h, (batch, units)),
    ):
        if array.shape != shape:
            raise ValueError(f"expected {shape}, got {array.shape}")
    states = []
    for t in range(steps):
        h[:] = np.tanh(x[:, t] @ weight_ih.T + h @ weight_hh.T + bias)
        states.append(h)
    hidden = np.stack(states, axis=1)
    read = hidden[:, -1] if many_to_one else hidden
    return hidden, read @ weight_ho.T + bias_o
