# why: a class of its own, recursion for the way back, gradients kept as attributes
class StepBack:
    def __init__(self, weight_ih, weight_hh, bias, weight_ho, bias_o):
        self.w = (weight_ih, weight_hh, bias, weight_ho, bias_o)
        self.d = [np.zeros_like(value) for value in self.w]
        self.total = 0.0

    def run(self, x, targets, h, scale):
        """Loss gradient of h, from the steps in x; adds to the weights' gradients on the way back."""
        if x.shape[1] == 0:
            return np.zeros_like(h)
        w_ih, w_hh, b, w_ho, b_o = self.w
        new = np.tanh(x[:, 0].dot(w_ih.T) + h.dot(w_hh.T) + b)
        error = new.dot(w_ho.T) + b_o - targets[:, 0]
        self.total = self.total + scale * (error**2).sum() / 2
        from_later = self.run(x[:, 1:], targets[:, 1:], new, scale)
        error = error * scale
        inner = (from_later + error.dot(w_ho)) * (1 - np.square(new))
        self.d = [
            old + more
            for old, more in zip(
                self.d,
                [inner.T.dot(x[:, 0]), inner.T.dot(h), inner.sum(0), error.T.dot(new), error.sum(0)],
            )
        ]
        return inner.dot(w_hh)


def bptt(x, targets, weight_ih, weight_hh, bias, weight_ho, bias_o, h0=None):
    if h0 is None:
        h0 = np.zeros((x.shape[0], weight_hh.shape[1]))
    walk = StepBack(weight_ih, weight_hh, bias, weight_ho, bias_o)
    d_h0 = walk.run(x, targets, h0, 1 / (x.shape[0] * x.shape[1]))
    keys = ["weight_ih", "weight_hh", "bias", "weight_ho", "bias_o"]
    return walk.total, {**dict(zip(keys, walk.d)), "h0": d_h0}
