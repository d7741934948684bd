"""The GRU: reset after the product against torch.nn, reset before it against NumPy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from course_utils.models.gru import GRU, GRUCell

B, T, I, H = 4, 6, 3, 5  # noqa: E741


@pytest.mark.parametrize("way", ["load_library", "to_library"])
@pytest.mark.parametrize("bias", [True, False])
@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 99), steps=st.integers(1, 6), data=st.data())
def test_outputs_state_and_all_gradients_agree_with_the_library(way, bias, seed, steps, data):
    lengths = data.draw(
        st.none() | st.lists(st.integers(1, steps), min_size=B, max_size=B).map(torch.tensor), label="lengths"
    )
    torch.manual_seed(seed)
    if way == "load_library":
        library = nn.GRU(I, H, batch_first=True, bias=bias, dtype=torch.float64)
        ours = GRU(I, H).double().load_library(library)
    else:
        ours = GRU(I, H).double()
        with torch.no_grad():
            ours.cell.bias.normal_(), ours.cell.bias_hn.normal_()
        library, bias = ours.to_library(), True
    x = torch.randn(B, steps, I, dtype=torch.float64)
    h0 = torch.randn(B, H, dtype=torch.float64)
    found = []
    for layer in (ours, library):
        x_, h_ = x.clone().requires_grad_(), h0.clone().requires_grad_()
        if layer is ours:
            output, state = ours(x_, h_, lengths)
        else:
            batch = x_ if lengths is None else pack_padded_sequence(x_, lengths, True, enforce_sorted=False)
            output, state = library(batch, h_[None])
            if lengths is not None:
                output, _ = pad_packed_sequence(output, batch_first=True, total_length=steps)
        ((output * torch.linspace(-1, 2, T)[:steps, None]).sum() + state.square().sum()).backward()
        found.append([output, state.view(B, H), x_.grad, h_.grad])
    cell = ours.cell
    found[0] += [cell.weight_ih.grad, cell.weight_hh.grad]
    found[1] += [library.weight_ih_l0.grad, library.weight_hh_l0.grad]
    if bias:
        found[0] += [cell.bias.grad, cell.bias_hn.grad]
        found[1] += [library.bias_ih_l0.grad, library.bias_hh_l0.grad[2 * H :]]
    for mine, theirs in zip(*found, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-10)


@pytest.mark.parametrize("reset", ["before", "after"])
def test_both_places_of_the_reset_gate_agree_with_a_loop_by_hand(reset):
    torch.manual_seed(1)
    gru = GRU(I, H, reset=reset).double()
    with torch.no_grad():
        for parameter in gru.parameters():
            parameter.normal_()
    x, h0 = torch.randn(B, T, I, dtype=torch.float64), torch.randn(B, H, dtype=torch.float64)
    weights = {name.removeprefix("cell."): p.detach().numpy() for name, p in gru.named_parameters()}
    (w_r, w_z, w_n), (u_r, u_z, u_n) = (np.split(weights[f"weight_{kind}"], 3) for kind in ("ih", "hh"))
    b_r, b_z, b_n = np.split(weights["bias"], 3)
    sigmoid = lambda a: 1 / (1 + np.exp(-a))
    h = h0.numpy()
    output, state = gru(x, h0)
    for t in range(T):
        x_t = x[:, t].numpy()
        r = sigmoid(x_t @ w_r.T + h @ u_r.T + b_r)
        z = sigmoid(x_t @ w_z.T + h @ u_z.T + b_z)
        if reset == "before":
            n = np.tanh(x_t @ w_n.T + (r * h) @ u_n.T + b_n)
        else:
            n = np.tanh(x_t @ w_n.T + b_n + r * (h @ u_n.T + weights["bias_hn"]))
        h = (1 - z) * n + z * h
        np.testing.assert_allclose(output[:, t].detach().numpy(), h, rtol=0, atol=1e-12)
    np.testing.assert_allclose(state.detach().numpy(), h, rtol=0, atol=1e-12)


def test_the_two_places_differ_and_only_after_has_a_bias_inside():
    torch.manual_seed(2)
    before, after = GRU(I, H, reset="before"), GRU(I, H)
    after.load_state_dict(before.state_dict(), strict=False)
    x = torch.randn(B, T, I)
    assert not torch.allclose(before(x)[0], after(x)[0], atol=1e-3)
    assert before.cell.bias_hn is None and after.cell.bias_hn.shape == (H,)


def test_an_update_gate_clamped_to_one_keeps_the_state_and_a_reset_of_one_makes_both_places_alike():
    torch.manual_seed(3)
    x, h0 = torch.randn(B, T, I), torch.randn(B, H)
    for reset in ("before", "after"):
        output, state = GRU(I, H, reset=reset, clamp={"update": 1.0})(x, h0)
        assert torch.equal(state, h0) and torch.equal(output, h0[:, None].expand(B, T, H))
    before, after = (GRU(I, H, reset=reset, clamp={"reset": 1.0}).double() for reset in ("before", "after"))
    after.load_state_dict(before.state_dict(), strict=False)
    torch.testing.assert_close(before(x.double())[0], after(x.double())[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: GRUCell(I, H, reset="none"), "reset must be 'before' or 'after', got 'none'"),
        (lambda: GRU(I, H).load_library(nn.LSTM(I, H)), "layer must be a torch.nn.GRU, got LSTM"),
        (lambda: GRU(I, H).load_library(nn.GRU(I, H, bidirectional=True)), "one layer and one direction"),
        (lambda: GRU(I, H).load_library(nn.GRU(9, H)), r"layer must have \(I, H\) = \(3, 5\), got \(9, 5\)"),
        (lambda: GRU(I, H, reset="before").load_library(nn.GRU(I, H)), "this GRU has reset='before'"),
        (lambda: GRU(I, H, reset="before").to_library(), "this GRU has reset='before'"),
        (lambda: GRU(I, H, clamp={"reset": 1.0}).to_library(), r"no clamped gates; here \['reset'\] are"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
