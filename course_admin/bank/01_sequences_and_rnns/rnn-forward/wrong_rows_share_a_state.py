# score: 4
# says: state in which the one before it ended
# why: loops over the sequences and forgets to start each from its own first state
def rnn_forward(x, weight_ih, weight_hh, bias, weight_ho, bias_o, h0=None, many_to_one=False):
    batch, steps, inputs = x.shape
    units, outs = len(weight_hh), len(weight_ho)
    start = np.zeros((batch, units)) if h0 is None else h0
    for array, shape in (
        (weight_ih, (units, inputs)),
        (weight_hh, (units, units)),
        (bias, (units,)),
        (weight_ho, (outs, units)),
        (bias_o, (outs,)),
        (start, (batch, units)),
    ):
        if array.shape != shape:
            raise ValueError(f"expected {shape}, got {array.shape}")
    h = start[0]
    hidden = np.zeros((batch, steps, units))
    for i in range(batch):
        for t in range(steps):
            h = np.tanh(weight_ih @ x[i, t] + weight_hh @ h + bias)
            hidden[i, t] = h
    read = hidden[:, -1] if many_to_one else hidden
    return hidden, read @ weight_ho.T + bias_o
