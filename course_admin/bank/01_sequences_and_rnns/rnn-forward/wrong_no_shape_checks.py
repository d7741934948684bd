# score: 9
# says: should raise ValueError, but (nothing was raised|raised)
# why: leaves the shapes to NumPy, which stretches a bias of one entry and a state of one row
def rnn_forward(x, weight_ih, weight_hh, bias, weight_ho, bias_o, h0=None, many_to_one=False):
    h = np.zeros((x.shape[0], weight_hh.shape[0])) if h0 is None else h0
    hidden = np.zeros((x.shape[0], x.shape[1], weight_hh.shape[0]))
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ weight_ih.T + h @ weight_hh.T + bias)
        hidden[:, t] = h
    outputs = hidden @ weight_ho.T + bias_o
    return hidden, outputs[:, -1] if many_to_one else outputs
