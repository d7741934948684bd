# why: one sequence at a time, column vectors and outer products
def bptt(x, targets, weight_ih, weight_hh, bias, weight_ho, bias_o, h0=None):
    B, T = x.shape[:2]
    H = bias.size
    loss = 0
    gradients = {
        "weight_ih": np.zeros(weight_ih.shape),
        "weight_hh": np.zeros((H, H)),
        "bias": np.zeros(H),
        "weight_ho": np.zeros(weight_ho.shape),
        "bias_o": np.zeros(len(bias_o)),
        "h0": np.zeros((B, H)),
    }
    for n in range(B):
        h = {-1: np.zeros(H) if h0 is None else h0[n].copy()}
        errors = {}
        for t in range(T):
            h[t] = np.tanh(np.dot(weight_ih, x[n, t]) + np.dot(weight_hh, h[t - 1]) + bias)
            errors[t] = np.dot(weight_ho, h[t]) + bias_o - targets[n, t]
            loss += np.dot(errors[t], errors[t]) / 2
        dhnext = np.zeros(H)
        for t in reversed(range(T)):
            dy = errors[t]
            gradients["weight_ho"] += np.outer(dy, h[t])
            gradients["bias_o"] += dy
            dh = np.dot(weight_ho.T, dy) + dhnext
            draw = (1 - h[t] * h[t]) * dh
            gradients["bias"] += draw
            gradients["weight_ih"] += np.outer(draw, x[n, t])
            gradients["weight_hh"] += np.outer(draw, h[t - 1])
            dhnext = np.dot(weight_hh.T, draw)
        gradients["h0"][n] = dhnext
    for name in gradients:
        gradients[name] /= B * T
    return loss / (B * T), gradients
