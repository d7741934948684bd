"""The peephole LSTM against a loop by hand, and against the plain LSTM when its peepholes are closed."""

import numpy as np
import torch

from course_utils.models.lstm import LSTM
from course_utils.models.peephole import PeepholeLSTM

B, T, I, H = 4, 6, 3, 5  # noqa: E741


def drawn(seed):
    torch.manual_seed(seed)
    layer = PeepholeLSTM(I, H).double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_()
    return (
        layer,
        torch.randn(B, T, I, dtype=torch.float64),
        torch.randn(2, B, H, dtype=torch.float64).unbind(),
    )


def test_outputs_and_state_agree_with_a_loop_by_hand():
    layer, x, (h0, c0) = drawn(1)
    cell = layer.cell
    w, u, b, p = (q.detach().numpy() for q in (cell.weight_ih, cell.weight_hh, cell.bias, cell.peephole))
    sigmoid = lambda a: 1 / (1 + np.exp(-a))
    output, state = layer(x, (h0, c0))
    h, c = h0.numpy(), c0.numpy()
    for t in range(T):
        a_i, a_f, a_g, a_o = np.split(x[:, t].numpy() @ w.T + h @ u.T + b, 4, axis=1)
        i, f = sigmoid(a_i + p[0] * c), sigmoid(a_f + p[1] * c)  # the old cell
        c = f * c + i * np.tanh(a_g)
        o = sigmoid(a_o + p[2] * c)  # the new cell
        h = o * np.tanh(c)
        np.testing.assert_allclose(output[:, t].detach().numpy(), h, rtol=0, atol=1e-12)
    for mine, by_hand in zip(state, (h, c), strict=True):
        np.testing.assert_allclose(mine.detach().numpy(), by_hand, rtol=0, atol=1e-12)


def test_with_closed_peepholes_it_is_the_lstm():
    layer, x, state = drawn(2)
    layer.cell.peephole.data.zero_()
    plain = LSTM(I, H).double()
    plain.load_state_dict(layer.state_dict(), strict=False)
    for mine, other in zip(
        (layer(x, state)[0], *layer(x, state)[1]), (plain(x, state)[0], *plain(x, state)[1]), strict=True
    ):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-12)


def test_each_peephole_sees_the_cell_that_it_should():
    """One open peephole, all other weights zero: a gate moves with the cell, the others stay at one half."""
    for row, gate in enumerate(("input", "forget", "output")):
        layer = PeepholeLSTM(I, H, forget_bias=0.0).double()
        with torch.no_grad():
            for parameter in layer.parameters():
                parameter.zero_()
            layer.cell.peephole[row] = 2.0
        c0 = torch.full((1, H), 0.8, dtype=torch.float64)
        x = torch.zeros(1, 1, I, dtype=torch.float64)
        gates = layer.gates(x, (torch.zeros_like(c0), c0))
        seen = 0.4 if gate == "output" else 0.8  # c_1 = ½ c_0: the output gate looks after the update
        for name in ("input", "forget", "output"):
            expected = torch.sigmoid(torch.tensor(2 * seen if name == gate else 0.0, dtype=torch.float64))
            torch.testing.assert_close(gates[name], expected.expand(1, 1, H), rtol=0, atol=1e-12)


def test_peepholes_begin_closed_and_the_forget_bias_as_asked():
    layer = PeepholeLSTM(I, H, forget_bias=3.0)
    assert layer.cell.peephole.shape == (3, H) and not layer.cell.peephole.any()
    assert layer.cell.bias.chunk(4)[1].eq(3).all()
    layer.cell.peephole.data.fill_(1)
    layer.cell.reset_parameters()
    assert not layer.cell.peephole.any()
