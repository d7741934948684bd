# why: one sequence at a time, and every pair (s, t) by itself, as the theory counts them
def bptt(x, targets, weight_ih, weight_hh, bias, weight_ho, bias_o, h0=None):
    B, T, _ = x.shape
    H = bias.size
    start = np.zeros((B, H)) if h0 is None else h0
    out = dict(
        h0=np.zeros((B, H)),
        bias_o=np.zeros_like(bias_o),
        weight_ho=np.zeros_like(weight_ho),
        bias=np.zeros_like(bias),
        weight_hh=np.zeros_like(weight_hh),
        weight_ih=np.zeros_like(weight_ih),
    )
    losses = []
    for n in range(B):
        hs = [start[n].copy()]
        for t in range(T):
            hs.append(np.tanh(weight_ih.dot(x[n, t]) + weight_hh.dot(hs[t]) + bias))
        for t in range(1, T + 1):
            e = weight_ho.dot(hs[t]) + bias_o - targets[n, t - 1]
            losses.append(0.5 * np.dot(e, e))
            e = e / (B * T)
            out["bias_o"] += e
            out["weight_ho"] += np.outer(e, hs[t])
            d = weight_ho.T.dot(e)
            for s in range(t, 0, -1):
                a = d * (1 - hs[s] ** 2)
                out["bias"] += a
                out["weight_ih"] += np.outer(a, x[n, s - 1])
                out["weight_hh"] += np.outer(a, hs[s - 1])
                d = weight_hh.T.dot(a)
            out["h0"][n] += d
    return np.mean(losses), out
