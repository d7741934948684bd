# score: 0
# says: walk back through time yourself
# why: lets autograd do it
def bptt(x, targets, weight_ih, weight_hh, bias, weight_ho, bias_o, h0=None):
    import torch as t

    h0 = np.zeros((len(x), len(bias))) if h0 is None else h0
    arrays = [weight_ih, weight_hh, bias, weight_ho, bias_o, h0]
    leaves = [t.tensor(array, requires_grad=True) for array in arrays]
    h, loss = leaves[5], 0
    for step, target in zip(t.tensor(x).unbind(1), t.tensor(targets).unbind(1)):
        h = t.tanh(step @ leaves[0].T + h @ leaves[1].T + leaves[2])
        loss = loss + 0.5 * (h @ leaves[3].T + leaves[4] - target).square().sum() / (x.shape[0] * x.shape[1])
    loss.backward()
    names = ["weight_ih", "weight_hh", "bias", "weight_ho", "bias_o", "h0"]
    return loss.item(), {name: leaf.grad.numpy() for name, leaf in zip(names, leaves)}
