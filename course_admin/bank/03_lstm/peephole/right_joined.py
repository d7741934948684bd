# why: one joined matrix and baddbmm, logsigmoid, the statistics module, NumPy scalars as results

import statistics


class _Gate:
    def __init__(self, total, size):
        self.total, self.size = total, size

    def __getitem__(self, k):
        return self.total[..., k * self.size : (k + 1) * self.size]


def peephole_step(x, state, weights):
    h, c = state
    joined = torch.cat((weights["weight_ih"], weights["weight_hh"]), dim=2).transpose(1, 2)
    total = torch.baddbmm(weights["bias"].unsqueeze(1), torch.cat((x, h), dim=2), joined)
    a = _Gate(total, c.shape[-1])
    p = weights["peephole"].unsqueeze(1)  # (N, 1, 3, H)
    keep = torch.sigmoid(torch.addcmul(a[1], p[..., 1, :], c))
    write = torch.sigmoid(torch.addcmul(a[0], p[..., 0, :], c))
    c = keep.mul(c).add(write.mul(a[2].tanh()))
    return torch.sigmoid(torch.addcmul(a[3], p[..., 2, :], c)).mul(c.tanh()), c


def timing_loss(logits, targets, scored):
    losses = -(targets * F.logsigmoid(logits) + (1 - targets) * F.logsigmoid(-logits))
    return losses.masked_fill(~scored, 0).sum((1, 2)) / scored.float().sum((1, 2))


def paired_comparison(standard, peephole):
    pairs = list(zip(standard, peephole, strict=True))
    if len(pairs) < 2:
        raise ValueError("too few seeds")
    result = {"wins": np.sum([a > b for a, b in pairs])}
    for name, values in (
        ("standard", [a for a, _ in pairs]),
        ("peephole", [b for _, b in pairs]),
        ("difference", [a - b for a, b in pairs]),
    ):
        result[name + "_mean"] = np.float32(statistics.fmean(values)).item()
        result[name + "_sd"] = np.float64(statistics.stdev(values))
    return result
