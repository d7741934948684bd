# score: 1
# says: do not lie on the path
# why: differentiates with respect to the outputs of one call, which are copies beside the path
def gradient_norms(layer, head, x, target):
    out, _ = layer(x)
    loss = F.mse_loss(head(out[:, -1]), target)
    (gradient,) = torch.autograd.grad(loss, out)
    return gradient.norm(dim=-1).mean(dim=0)
