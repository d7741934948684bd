# score: 9
# says: share of the first step is missing .*h0
# why: takes zeros for the state before the first step in the gradient of weight_hh, given h0 or not
def bptt(x, targets, weight_ih, weight_hh, bias, weight_ho, bias_o, h0=None):
    x, targets = np.asarray(x), np.asarray(targets)
    (B, T, _), H = x.shape, weight_hh.shape[0]
    h = np.zeros((B, H)) if h0 is None else h0
    pre, before, after = [], [], []
    for x_t in np.moveaxis(x, 1, 0):
        before.append(h)
        pre.append(np.einsum("bi,hi->bh", x_t, weight_ih) + np.einsum("bk,hk->bh", h, weight_hh) + bias)
        h = np.tanh(pre[-1])
        after.append(h)
    after = np.stack(after, 1)
    err = np.einsum("bth,oh->bto", after, weight_ho) + bias_o - targets
    loss = np.asarray(0.5 * np.sum(err**2) / (B * T))
    err = err / (B * T)
    da, carry = [], np.zeros((B, H))
    for t in reversed(range(T)):
        da.insert(0, (err[:, t] @ weight_ho + carry) / np.cosh(pre[t]) ** 2)
        carry = da[0] @ weight_hh
    da = np.stack(da, axis=1)
    return loss, {
        "x": da @ weight_ih,
        "h0": carry,
        "weight_ih": np.einsum("bth,bti->hi", da, x),
        "weight_hh": np.einsum("bth,btk->hk", da, np.concatenate([np.zeros((B, 1, H)), after[:, :-1]], 1)),
        "bias": da.sum(axis=(0, 1)),
        "weight_ho": np.tensordot(err, after, ([0, 1], [0, 1])),
        "bias_o": np.einsum("bto->o", err),
    }
