# why: retained gradients and backward(); the parameters' own gradients are put back afterwards; NumPy result
def gradient_norms(layer, head, x, target):
    parameters = list(layer.parameters()) + list(head.parameters())
    saved = [parameter.grad for parameter in parameters]
    for parameter in parameters:
        parameter.grad = None
    B, T, _ = x.shape
    states, state = [], None
    for t in range(T):
        out, state = layer(x[:, t].unsqueeze(1), state)
        both = list(state) if isinstance(layer, nn.LSTM) else [state]
        for part in both:
            part.retain_grad()
        states.append(both)
    loss = nn.MSELoss()(head(states[-1][0].squeeze(0)), target)
    loss.backward()
    result = np.zeros(T)
    for t in range(T):
        rows = [part.grad if part.grad is not None else torch.zeros_like(part) for part in states[t]]
        result[t] = torch.cat(rows, dim=2)[0].norm(dim=1).mean().item()
    for parameter, old in zip(parameters, saved):
        parameter.grad = old
    return torch.tensor(result)
