# why: loops over batch and time, one column vector at a time, a list of two results
def rnn_forward(x, weight_ih, weight_hh, bias, weight_ho, bias_o, h0=None, many_to_one=False):
    def demand(name, array, *shape):
        if tuple(array.shape) != shape:
            raise ValueError(name + " has shape " + str(array.shape) + ", expected " + str(shape))

    if len(x.shape) != 3:
        raise ValueError("x must have three axes")
    units, features = weight_hh.shape[0], x.shape[2]
    demand("weight_ih", weight_ih, units, features)
    demand("weight_hh", weight_hh, units, units)
    demand("bias", bias, units)
    demand("weight_ho", weight_ho, weight_ho.shape[0], units)
    demand("bias_o", bias_o, weight_ho.shape[0])
    starts = np.zeros((x.shape[0], units)) if h0 is None else h0
    demand("h0", starts, x.shape[0], units)
    hidden, outputs = [], []
    for sequence, state in zip(x, starts):
        states = []
        for step in sequence:
            state = np.tanh(weight_ih.dot(step) + weight_hh.dot(state) + bias)
            states.append(state)
        hidden.append(states)
        read = [weight_ho.dot(state) + bias_o for state in states]
        outputs.append(read[-1] if many_to_one else read)
    return [np.array(hidden), np.array(outputs)]
