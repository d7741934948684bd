# score: 1
# says: gradient of the inputs
# why: differentiates with respect to the inputs x_t
def gradient_norms(layer, head, x, target):
    x = x.clone().requires_grad_()
    out, _ = layer(x)
    loss = F.mse_loss(head(out[:, -1]), target)
    (gradient,) = torch.autograd.grad(loss, x)
    return gradient.norm(dim=-1).mean(dim=0)
