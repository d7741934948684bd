"""Truncated BPTT: the full gradient when nothing is cut, none beyond a cut, and a state that crosses it."""

from collections import namedtuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from course_utils.training.truncated import accumulate_truncated, chunks, detached, fit_truncated

B, T, I, H = 2, 7, 3, 4  # noqa: E741


class Tagger(nn.Module):
    """A library layer with a read-out at each step."""

    def __init__(self, layer=nn.LSTM):
        super().__init__()
        self.layer, self.head = layer(I, H, batch_first=True), nn.Linear(H, 1)

    def forward(self, x, state):
        output, state = self.layer(x, state)
        return self.head(output), state


class Sum(nn.Module):
    """h_t = h_{t-1} + w x_t, with w = 1: gradients that can be counted on the fingers."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.ones((), dtype=torch.float64))
        self.states = []

    def forward(self, x, state):
        self.states.append(state)
        output = (self.w * x).cumsum(1) + (0 if state is None else state)
        return output, output[:, -1:]


def problem(layer=nn.LSTM, steps=T):
    torch.manual_seed(0)
    x, y = torch.randn(B, steps, I, dtype=torch.float64), torch.randn(B, steps, 1, dtype=torch.float64)
    return Tagger(layer).double(), x, y


@pytest.mark.parametrize("layer", [nn.RNN, nn.GRU, nn.LSTM])
@pytest.mark.parametrize("length", [T, T + 5])
def test_a_chunk_as_long_as_the_sequence_gives_the_full_gradient(layer, length):
    model, x, y = problem(layer)
    loss = F.mse_loss(model(x, None)[0], y)
    full = torch.autograd.grad(loss, list(model.parameters()))
    mean, state = accumulate_truncated(model, x, y, F.mse_loss, length)
    assert mean == pytest.approx(loss.item(), abs=1e-12)
    for parameter, gradient in zip(model.parameters(), full, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=0, atol=1e-12)
    assert all(not part.requires_grad for part in (state if isinstance(state, tuple) else [state]))


@settings(deadline=None, max_examples=25)
@given(steps=st.integers(1, 9), length=st.integers(1, 10))
def test_the_state_crosses_every_cut(steps, length):
    model, x, y = problem(steps=steps)
    whole, (h, c) = model(x, None)
    mean, state = accumulate_truncated(model, x, y, F.mse_loss, length)
    assert mean == pytest.approx(F.mse_loss(whole, y).item(), abs=1e-12)  # the loss sees no cut
    torch.testing.assert_close(state, (h, c), rtol=0, atol=1e-12)


def test_the_gradient_stops_exactly_at_the_chunks_edge():
    model, x, _ = problem()
    x.requires_grad_()
    for t in range(T):  # the error of step t alone
        x.grad = None

        def error_at_t(output, weight):
            return (output * weight).sum()

        weight = torch.zeros(B, T, 1, dtype=torch.float64)
        weight[:, t] = 1
        accumulate_truncated(model, x, weight, error_at_t, 3)
        reached = x.grad.abs().sum((0, 2)).gt(0).tolist()
        assert reached == [t // 3 * 3 <= s <= t for s in range(T)]


def test_truncated_gradients_worked_by_hand():
    model, x = Sum(), torch.tensor([[1.0, 10.0, 100.0]], dtype=torch.float64)
    mean, state = accumulate_truncated(model, x, x, lambda out, _: out.mean(), 2)
    assert mean == pytest.approx((1 + 11 + 111) / 3) and state.item() == 111
    assert model.w.grad.item() == pytest.approx((1 + 11) / 3 + 100 / 3)  # in full: (1 + 11 + 111) / 3
    assert model.states[0] is None and model.states[1].item() == 11


def test_gradients_are_added_and_the_given_state_gets_none():
    model, x, y = problem(nn.GRU)
    start = torch.randn(1, B, H, dtype=torch.float64, requires_grad=True)
    accumulate_truncated(model, x, y, F.mse_loss, 3, start)
    once = [p.grad.clone() for p in model.parameters()]
    accumulate_truncated(model, x, y, F.mse_loss, 3, start)
    for p, first in zip(model.parameters(), once, strict=True):
        torch.testing.assert_close(p.grad, 2 * first, rtol=0, atol=1e-12)
    assert start.grad is None


def test_fit_truncated_carries_the_state_and_starts_anew_with_the_streams():
    model, x = Sum(), torch.tensor([[1.0, 2.0, 3.0, 4.0, 5.0]], dtype=torch.float64)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    history = fit_truncated(model, x, x, lambda out, _: out.sum(), optimizer, 5, length=2)
    states = [None if state is None else state.item() for state in model.states]
    assert states == [None, 3, 10, None, 3]
    assert history.losses.tolist() == [1 + 3, 6 + 10, 15, 4, 16]
    np.testing.assert_allclose(
        history.grad_norms, [4, 3 + 7, 5, 4, 10]
    )  # what came before the chunk is a constant


def test_fit_truncated_learns_and_clips():
    model, x, y = problem()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    before = [p.detach().clone() for p in model.parameters()]
    history = fit_truncated(model, x, y, F.mse_loss, optimizer, 1, length=3, clip=1e-3)
    moved = sum((p - q).square().sum() for p, q in zip(model.parameters(), before, strict=True)).sqrt()
    assert history.grad_norms[0] > 0.01 and moved.item() == pytest.approx(1e-3, rel=1e-3)
    losses = fit_truncated(model, x, y, F.mse_loss, torch.optim.Adam(model.parameters(), 0.05), 60, length=3)
    assert losses.losses[-3:].mean() < 0.5 * losses.losses[:3].mean()


@settings(deadline=None)
@given(steps=st.integers(1, 12), length=st.integers(1, 14))
def test_chunks_are_the_whole_in_order(steps, length):
    x = torch.arange(2 * steps).reshape(2, steps)
    pieces = list(chunks(x, x[..., None], length=length))
    assert torch.equal(torch.cat([a for a, _ in pieces], 1), x)
    assert all(a.shape[1] == length for a, _ in pieces[:-1]) and torch.equal(
        pieces[-1][0], pieces[-1][1][..., 0]
    )


def test_detached_keeps_the_form():
    Pair = namedtuple("Pair", "ahead back")
    h = torch.ones(2, requires_grad=True)
    state = detached([Pair(h, (h, None)), h * 2])
    assert isinstance(state, list) and isinstance(state[0], Pair) and state[0].back[1] is None
    assert not state[0].ahead.requires_grad and not state[1].requires_grad and state[1].eq(2).all()
    with pytest.raises(TypeError, match=r"state must be tensors, None, or .*got dict"):
        detached([{}])


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: chunks(torch.zeros(2, 3), length=0), "length must be at least 1, got 0"),
        (lambda: chunks(length=1), r"chunks needs tensors .*got \[\]"),
        (lambda: chunks(torch.zeros(3), length=1), r"got \[\(3,\)\]"),
        (
            lambda: chunks(torch.zeros(2, 3), torch.zeros(2, 4), length=1),
            r"one B and T, got \[\(2, 3\), \(2, 4\)\]",
        ),
        (
            lambda: fit_truncated(Sum(), None, None, None, None, 0, length=1),
            "steps must be at least 1, got 0",
        ),
        (
            lambda: fit_truncated(Sum(), None, None, None, None, 1, length=1, clip=-1.0),
            "clip must be positive",
        ),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
