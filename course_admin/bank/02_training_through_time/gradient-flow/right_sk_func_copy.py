# why: a copy of the layer, one sequence after another, functional gradient of "run on from here", recursion
import copy


def gradient_norms(layer, head, x, target):
    layer, head = copy.deepcopy(layer), copy.deepcopy(head)
    B = len(x)
    pair = isinstance(layer, nn.LSTM)

    def rest(state, t, n):
        if t == x.shape[1]:
            h = state[0] if pair else state
            return F.mse_loss(head(h[:, 0]), target[n : n + 1]) / B
        return rest(layer(x[n : n + 1, t : t + 1], state)[1], t + 1, n)

    table = torch.zeros(B, x.shape[1], dtype=x.dtype)
    for n in range(B):
        state = None
        for t in range(x.shape[1]):
            _, state = layer(x[n : n + 1, t : t + 1], state)
            state = (
                tuple(s.detach().requires_grad_() for s in state) if pair else state.detach().requires_grad_()
            )
            loss = rest(state, t + 1, n)
            for p in state if pair else (state,):
                p.grad = None
            loss.backward()
            square = sum(
                float(p.grad.square().sum()) for p in (state if pair else (state,)) if p.grad is not None
            )
            table[n, t] = square**0.5
    return table.mean(dim=0)
