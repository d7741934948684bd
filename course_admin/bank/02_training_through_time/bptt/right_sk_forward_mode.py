# why: carries the derivatives of the state forward (real-time recurrent learning): dear, and the same sums
def bptt(x, targets, weight_ih, weight_hh, bias, weight_ho, bias_o, h0=None):
    B, T, I = x.shape
    H = len(bias)
    h = np.zeros((B, H)) if h0 is None else np.array(h0)
    S_ih, S_hh, S_b = np.zeros((B, H, H, I)), np.zeros((B, H, H, H)), np.zeros((B, H, H))
    S_0 = np.tile(np.eye(H), (B, 1, 1))
    g = {k: 0.0 for k in ("weight_ih", "weight_hh", "bias", "weight_ho", "bias_o")}
    g_h0 = np.zeros((B, H))
    loss = 0.0
    eye = np.eye(H)
    for t in range(T):
        new = np.tanh(x[:, t] @ weight_ih.T + h @ weight_hh.T + bias)
        slope = 1 - new * new
        J = slope[:, :, None] * weight_hh
        S_ih = np.einsum("bij,bjkl->bikl", J, S_ih) + np.einsum("bi,ik,bl->bikl", slope, eye, x[:, t])
        S_hh = np.einsum("bij,bjkl->bikl", J, S_hh) + np.einsum("bi,ik,bl->bikl", slope, eye, h)
        S_b = np.einsum("bij,bjk->bik", J, S_b) + np.einsum("bi,ik->bik", slope, eye)
        S_0 = J @ S_0
        h = new
        e = (h @ weight_ho.T + bias_o - targets[:, t]) / (B * T)
        loss += 0.5 * (e * e).sum() * B * T
        d = e @ weight_ho
        g["weight_ho"] = g["weight_ho"] + e.T @ h
        g["bias_o"] = g["bias_o"] + e.sum(0)
        g["weight_ih"] = g["weight_ih"] + np.einsum("bi,bikl->kl", d, S_ih)
        g["weight_hh"] = g["weight_hh"] + np.einsum("bi,bikl->kl", d, S_hh)
        g["bias"] = g["bias"] + np.einsum("bi,bik->k", d, S_b)
        g_h0 += np.einsum("bi,bij->bj", d, S_0)
    g["h0"] = g_h0
    return float(loss), g
