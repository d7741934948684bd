# score: 5.5
# says: its way through h_t of the same step
# why: own LSTM equations, where the gradient of c_t also counts its way through h_t
def gradient_norms(layer, head, x, target):
    kind = type(layer).__name__
    kept, state = [], None
    if kind != "LSTM":
        for step in x.split(1, dim=1):
            _, state = layer(step, state)
            kept.append(state)
        h = state[0]
    else:
        h = c = x.new_zeros(len(x), layer.hidden_size)
        for step in x.unbind(1):
            gates = F.linear(step, layer.weight_ih_l0, layer.bias_ih_l0)
            gates = gates + F.linear(h, layer.weight_hh_l0, layer.bias_hh_l0)
            i, f, g, o = gates.chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            kept += [h, c]
    g = torch.autograd.grad(F.mse_loss(head(h), target), kept)
    if kind == "LSTM":
        g = [torch.cat(pair, dim=-1) for pair in zip(g[::2], g[1::2])]
    else:
        g = [one[0] for one in g]
    return torch.stack([one.norm(dim=-1).mean() for one in g])
