# why: the equations of the three layers written out, walked with views of h and c as the variables
def gradient_norms(layer, head, x, target):
    kind = type(layer).__name__
    H = layer.hidden_size
    h = x.new_zeros(len(x), H)
    c = x.new_zeros(len(x), H)
    kept = []
    for step in x.unbind(1):
        a = F.linear(step, layer.weight_ih_l0, layer.bias_ih_l0)
        r = F.linear(h, layer.weight_hh_l0, layer.bias_hh_l0)
        if kind == "RNN":
            h = torch.tanh(a + r)
        elif kind == "GRU":
            ar, az, an = a.chunk(3, 1)
            rr, rz, rn = r.chunk(3, 1)
            z = torch.sigmoid(az + rz)
            n = torch.tanh(an + torch.sigmoid(ar + rr) * rn)
            h = (1 - z) * n + z * h
        else:
            i, f, g, o = (a + r).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            c = c.clone()  # what is handed on, apart from what made h
        kept += [h, c] if kind == "LSTM" else [h]
    g = torch.autograd.grad(F.mse_loss(head(h), target), kept, allow_unused=True)
    g = torch.stack([torch.zeros_like(h) if one is None else one for one in g])
    width = 2 if kind == "LSTM" else 1
    g = g.reshape(x.shape[1], width, len(x), H).transpose(1, 2).flatten(2)
    return torch.linalg.vector_norm(g, dim=-1).mean(-1)
