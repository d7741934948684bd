# why: einsum throughout, result arrays filled step by step, shapes checked one by one
def rnn_forward(x, weight_ih, weight_hh, bias, weight_ho, bias_o, h0=None, many_to_one=False):
    if np.ndim(x) != 3:
        raise ValueError("x: three axes expected")
    B, T, I = x.shape
    H = weight_hh.shape[0]
    O = weight_ho.shape[0]
    if h0 is None:
        h0 = np.zeros((B, H))
    if weight_ih.shape != (H, I):
        raise ValueError("weight_ih")
    if weight_hh.shape != (H, H):
        raise ValueError("weight_hh")
    if bias.shape != (H,):
        raise ValueError("bias")
    if weight_ho.shape != (O, H):
        raise ValueError("weight_ho")
    if bias_o.shape != (O,):
        raise ValueError("bias_o")
    if h0.shape != (B, H):
        raise ValueError("h0")
    hidden = np.empty((B, T + 1, H))
    hidden[:, 0] = h0
    projected = np.einsum("bti,hi->bth", x, weight_ih) + bias
    for t in range(T):
        hidden[:, t + 1] = np.tanh(projected[:, t] + np.einsum("bg,hg->bh", hidden[:, t], weight_hh))
    hidden = hidden[:, 1:]
    outputs = np.einsum("bth,oh->bto", hidden, weight_ho) + bias_o
    if many_to_one:
        outputs = outputs[:, -1, :]
    return hidden, outputs
