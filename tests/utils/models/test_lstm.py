"""The LSTM against torch.nn, plain and packed, and its gates one at a time."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from course_utils.models import lstm
from course_utils.models.lstm import LSTM, LSTMCell
from course_utils.models.peephole import PeepholeLSTM

B, T, I, H = 4, 6, 3, 5  # noqa: E741
LENGTHS = torch.tensor([2, 6, 1, 4])


def results(layer, x, state, lengths, packed):
    """Output, state and the gradients of x, the state and all weights, of a weighted sum of output and state."""
    parts = [part.clone().requires_grad_() for part in state]
    x = x.clone().requires_grad_()
    if packed:
        given_state = tuple(part[None] for part in parts)
        batch = x if lengths is None else pack_padded_sequence(x, lengths, True, enforce_sorted=False)
        output, finals = layer(batch, given_state)
        finals = [part[0] for part in finals]
        if lengths is not None:
            output, _ = pad_packed_sequence(output, batch_first=True, total_length=x.shape[1])
    else:
        output, finals = layer(x, tuple(parts), lengths)
    found = [output, *finals]
    weigh = [torch.linspace(-1, 2, part.numel(), dtype=x.dtype).view(part.shape) for part in found]
    sum((part * weight).sum() for part, weight in zip(found, weigh, strict=True)).backward()
    return [*found, x.grad, *(part.grad for part in parts)]


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
        library = nn.LSTM(I, H, batch_first=True, bias=bias, dtype=torch.float64)
        ours = LSTM(I, H).double().load_library(library)
    else:
        ours = LSTM(I, H).double()
        library, bias = ours.to_library(), True
    x = torch.randn(B, steps, I, dtype=torch.float64)
    state = torch.randn(2, B, H, dtype=torch.float64).unbind()
    mine, theirs = results(ours, x, state, lengths, False), results(library, x, state, lengths, True)
    cell = ours.cell
    mine += [cell.weight_ih.grad, cell.weight_hh.grad] + ([cell.bias.grad] if bias else [])
    theirs += [library.weight_ih_l0.grad, library.weight_hh_l0.grad]
    theirs += [library.bias_ih_l0.grad] if bias else []
    for a, b in zip(mine, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-10)


def test_to_library_keeps_dtype_and_function():
    for dtype in (torch.float32, torch.float64):
        ours = LSTM(I, H).to(dtype)
        x = torch.randn(B, T, I, dtype=dtype)
        library = ours.to_library()
        assert library.weight_ih_l0.dtype == dtype and library.batch_first
        torch.testing.assert_close(library(x)[0], ours(x)[0], rtol=0, atol=1e-5)
        again = LSTM(I, H).to(dtype).load_library(library)
        assert torch.equal(again(x)[0], ours(x)[0])


@pytest.mark.parametrize("gate, block", [("input", 0), ("forget", 1), ("output", 3)])
def test_a_clamped_gate_is_that_gate_at_a_huge_bias(gate, block):
    """σ(±1000) is exactly 1 or 0, so a clamp must equal a gate whose bias is out of reach."""
    torch.manual_seed(1)
    for value, bias in ((1.0, 1e3), (0.0, -1e3)):
        clamped = LSTM(I, H, clamp={gate: value}).double()
        saturated = LSTM(I, H).double()
        saturated.load_state_dict(clamped.state_dict())
        with torch.no_grad():
            saturated.cell.bias.chunk(4)[block].fill_(bias)
        x = torch.randn(B, T, I, dtype=torch.float64)
        torch.testing.assert_close(clamped(x)[0], saturated(x)[0], rtol=0, atol=1e-12)
        clamped(x)[0].sum().backward()
        for parameter in clamped.parameters():
            assert not parameter.grad.chunk(4)[block].any()
        assert value == 0 or clamped.cell.weight_hh.grad.any()  # the other gates do learn


def test_gates_rebuild_the_output():
    torch.manual_seed(2)
    layer = LSTM(I, H).double()
    x = torch.randn(B, T, I, dtype=torch.float64)
    gates, (output, (_, c_end)) = layer.gates(x), layer(x)
    c = torch.zeros(B, H, dtype=torch.float64)
    for t in range(T):
        i, f, g, o = (gates[name][:, t] for name in ("input", "forget", "candidate", "output"))
        c = f * c + i * g
        torch.testing.assert_close(output[:, t], o * torch.tanh(c), rtol=0, atol=1e-12)
    torch.testing.assert_close(c_end, c, rtol=0, atol=1e-12)


def test_the_forget_bias_begins_as_asked():
    for forget_bias in (1.0, -2.5):
        i, f, g, o = LSTMCell(I, H, forget_bias=forget_bias).bias.chunk(4)
        assert f.eq(forget_bias).all() and not torch.cat([i, g, o]).any()
    assert LSTMCell(I, H).bias.chunk(4)[1].eq(1).all()


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: LSTM(I, H).load_library(nn.GRU(I, H)), "layer must be a torch.nn.LSTM, got GRU"),
        (lambda: LSTM(I, H).load_library(nn.LSTM(I, H, num_layers=2)), "one layer and one direction"),
        (lambda: LSTM(I, H).load_library(nn.LSTM(I, H, bidirectional=True)), "one layer and one direction"),
        (lambda: LSTM(I, H).load_library(nn.LSTM(I, H, proj_size=2)), "no projection"),
        (
            lambda: LSTM(I, H).load_library(nn.LSTM(I, 9)),
            r"layer must have \(I, H\) = \(3, 5\), got \(3, 9\)",
        ),
        (lambda: LSTM(I, H, clamp={"output": 1}).to_library(), r"no clamped gates; here \['output'\] are"),
        (lambda: LSTM(I, H, clamp={"reset": 1}), r"clamp must name gates in .*got \['reset'\]"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("kind", [LSTM, PeepholeLSTM])
@pytest.mark.parametrize("rows", [1, 6, 12, 10**6])
@pytest.mark.parametrize("steps", [4, 5, 9])
def test_going_back_a_few_steps_at_a_time_gives_the_gradients_of_the_loop(kind, rows, steps, monkeypatch):
    monkeypatch.setattr(lstm, "ROWS_AT_ONCE", rows)
    torch.manual_seed(4)
    layer = kind(I, H).double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_()
    x = torch.randn(3, steps, I, dtype=torch.float64, requires_grad=True)
    state = torch.randn(2, 3, H, dtype=torch.float64).unbind()
    for lengths in (None, torch.tensor([steps - 1, 2, 1])):
        fast, slow = (
            torch.autograd.grad(run(x, state, lengths)[0].square().sum(), [x, *layer.parameters()])
            for run in (layer.forward, layer.loop)
        )
        for mine, other in zip(fast, slow, strict=True):
            torch.testing.assert_close(mine, other, rtol=1e-12, atol=1e-12)
