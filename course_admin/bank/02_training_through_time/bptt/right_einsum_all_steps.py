# why: collects every step's derivative first, then one einsum a weight; sech² for the slope; a list of two results
def bptt(x, targets, weight_ih, weight_hh, bias, weight_ho, bias_o, h0=None):
    batch, steps, outs = targets.shape
    start = np.zeros((batch, weight_hh.shape[0])) if h0 is None else np.array(h0)
    h = np.empty((steps + 1, batch, weight_hh.shape[0]))
    a = np.empty((steps, batch, weight_hh.shape[0]))
    h[0] = start
    for t in range(steps):
        a[t] = np.einsum("bi,hi->bh", x[:, t], weight_ih) + np.einsum("bg,hg->bh", h[t], weight_hh) + bias
        h[t + 1] = np.tanh(a[t])
    y = np.einsum("tbh,oh->tbo", h[1:], weight_ho) + bias_o
    difference = y - targets.transpose(1, 0, 2)
    loss = float((difference**2).sum(axis=-1).mean() / 2)
    dy = difference / batch / steps
    da = np.empty_like(a)
    back = dy[-1] @ weight_ho
    for t in range(steps - 1, -1, -1):
        da[t] = back / np.cosh(a[t]) ** 2
        back = da[t] @ weight_hh + (dy[t - 1] @ weight_ho if t > 0 else 0)
    return [
        loss,
        dict(
            h0=back,
            bias_o=np.einsum("tbo->o", dy),
            bias=np.einsum("tbh->h", da),
            weight_ho=np.einsum("tbo,tbh->oh", dy, h[1:]),
            weight_hh=np.einsum("tbh,tbg->hg", da, h[:-1]),
            weight_ih=np.einsum("tbh,tbi->hi", da, x.transpose(1, 0, 2)),
        ),
    ]
