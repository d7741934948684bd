"""The minimal gated unit against a loop by hand, and its size against the GRU's."""

import numpy as np
import torch

from course_utils.models.gru import GRU
from course_utils.models.mgu import MGU

B, T, I, H = 4, 6, 3, 5  # noqa: E741


def test_outputs_and_state_agree_with_a_loop_by_hand():
    torch.manual_seed(1)
    layer = MGU(I, H).double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_()
    x, h0 = torch.randn(B, T, I, dtype=torch.float64), torch.randn(B, H, dtype=torch.float64)
    w, u, b = (q.detach().numpy() for q in layer.parameters())
    (w_f, w_n), (u_f, u_n), (b_f, b_n) = np.split(w, 2), np.split(u, 2), np.split(b, 2)
    output, state = layer(x, h0)
    h = h0.numpy()
    for t in range(T):
        x_t = x[:, t].numpy()
        f = 1 / (1 + np.exp(-(x_t @ w_f.T + h @ u_f.T + b_f)))
        n = np.tanh(x_t @ w_n.T + (f * h) @ u_n.T + b_n)
        h = (1 - f) * h + f * n
        np.testing.assert_allclose(output[:, t].detach().numpy(), h, rtol=0, atol=1e-12)
    np.testing.assert_allclose(state.detach().numpy(), h, rtol=0, atol=1e-12)


def test_it_has_two_thirds_of_the_parameters_of_a_gru():
    """Compared with the GRU of the first paper, which has one bias a block as this does."""
    mgu, gru = MGU(I, H), GRU(I, H, reset="before")
    for name in ("weight_ih", "weight_hh", "bias"):
        assert 3 * getattr(mgu.cell, name).numel() == 2 * getattr(gru.cell, name).numel()
    count = lambda layer: sum(parameter.numel() for parameter in layer.parameters())
    assert 3 * count(mgu) == 2 * count(gru)


def test_a_gate_clamped_to_zero_keeps_the_state():
    torch.manual_seed(2)
    h0 = torch.randn(B, H)
    output, state = MGU(I, H, clamp={"forget": 0.0})(torch.randn(B, T, I), h0)
    assert torch.equal(state, h0) and torch.equal(output, h0[:, None].expand(B, T, H))
