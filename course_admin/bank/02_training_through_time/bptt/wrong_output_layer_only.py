# score: 4.5
# says: has no "weight_hh" yet
# why: begun, not finished: loss and output layer are there, the walk back is not
def bptt(x, targets, weight_ih, weight_hh, bias, weight_ho, bias_o, h0=None):
    h = np.zeros((len(x), len(weight_hh))) if h0 is None else h0
    hidden = []
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ weight_ih.T + h @ weight_hh.T + bias)
        hidden.append(h)
    hidden = np.stack(hidden, axis=1)
    error = hidden @ weight_ho.T + bias_o - targets
    d_y = error / error.shape[0] / error.shape[1]
    loss = 0.5 * (error * d_y).sum()
    return loss, {"weight_ho": np.tensordot(d_y, hidden, ([0, 1], [0, 1])), "bias_o": d_y.sum((0, 1))}
