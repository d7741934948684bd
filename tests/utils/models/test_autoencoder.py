"""The autoencoder against a loop over torch.nn cells; errors per step and per sequence; anomalies stand out."""

import math
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from course_utils.models.autoencoder import RecurrentAutoencoder
from course_utils.models.gru import GRU
from course_utils.models.lstm import LSTM
from course_utils.models.packed import Packed
from course_utils.models.sequences import length_mask
from course_utils.models.stacked import Bidirectional, Stacked

B, T, I, H = 3, 5, 2, 4  # noqa: E741
LENGTHS = torch.tensor([5, 1, 3])
MAKES = [LSTM, GRU, partial(Packed, nn.LSTM), lambda i, h: Stacked(LSTM, i, h, 2)]


def normal(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def close(a, b, atol=1e-12):
    torch.testing.assert_close(a, b, rtol=0, atol=atol)


@pytest.mark.parametrize("reverse", [False, True])
def test_it_agrees_with_a_loop_over_library_cells(reverse):
    torch.manual_seed(0)
    model = RecurrentAutoencoder(LSTM, I, H, reverse).double()
    encoder, decoder = (nn.LSTMCell(size, H, dtype=torch.float64) for size in (I, H))
    for cell, layer in ((encoder, model.encoder), (decoder, model.decoder)):
        weights = layer.to_library().state_dict()
        cell.load_state_dict({name.removesuffix("_l0"): weight for name, weight in weights.items()})
    x = normal(B, T, I)
    rebuilt, codes = model(x, LENGTHS), model.encode(x, LENGTHS)
    for b, n in enumerate(LENGTHS.tolist()):
        state = None
        for t in range(n):
            state = encoder(x[b, t], state)
        code = state[0]
        close(codes[b], code, 1e-10)
        order = range(n - 1, -1, -1) if reverse else range(n)
        for t in order:
            state = decoder(code, state)
            close(rebuilt[b, t], model.readout(state[0]), 1e-10)
        assert not rebuilt[b, n:].any()


@settings(deadline=None, max_examples=30)
@given(
    lengths=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    make=st.sampled_from(MAKES),
    reverse=st.booleans(),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_each_sequence_alone_gives_the_same(lengths, make, reverse, dtype):
    model = RecurrentAutoencoder(make, I, H, reverse).to(dtype)
    x = normal(len(lengths), max(lengths) + 1, I).to(dtype)
    given_lengths = torch.tensor(lengths)
    rebuilt, code = model(x, given_lengths), model.encode(x, given_lengths)
    steps, whole = model.step_errors(x, given_lengths), model.sequence_errors(x, given_lengths)
    assert rebuilt.shape == x.shape and code.shape == (len(lengths), H) and rebuilt.dtype == dtype
    assert steps.shape == x.shape[:2] and whole.shape == (len(lengths),)
    tolerance = 1e-5 if dtype == torch.float32 else 1e-12
    for b, n in enumerate(lengths):
        alone = x[b : b + 1, :n]
        close(rebuilt[b : b + 1, :n], model(alone), tolerance)
        close(code[b : b + 1], model.encode(alone), tolerance)
        close(steps[b : b + 1, :n], model.step_errors(alone), tolerance)
        close(whole[b : b + 1], model.sequence_errors(alone), tolerance)
        assert not steps[b, n:].any()


def test_errors_by_hand():
    model = RecurrentAutoencoder(LSTM, I, H).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    x = torch.tensor([[[1.0, 3.0], [2.0, 0.0]], [[4.0, 2.0], [9.0, 9.0]]], dtype=torch.float64)
    lengths = torch.tensor([2, 1])  # a model of zeros rebuilds zeros
    assert model.step_errors(x, lengths).tolist() == [[5.0, 2.0], [10.0, 0.0]]
    assert model.sequence_errors(x, lengths).tolist() == [3.5, 10.0]
    assert model.sequence_errors(x).tolist() == [3.5, 45.5]


@pytest.mark.parametrize("make", MAKES)
@pytest.mark.parametrize("reverse", [False, True])
def test_padding_changes_no_bit(make, reverse):
    torch.manual_seed(1)
    model = RecurrentAutoencoder(make, I, H, reverse).double()
    real, results = length_mask(LENGTHS, T)[:, :, None], []
    for filler in (0.0, math.nan, math.inf, 1e300):
        x = torch.where(real, normal(B, T, I), filler).requires_grad_()
        model.zero_grad()
        errors = model.sequence_errors(x, LENGTHS)
        errors.mean().backward()
        results.append([errors, x.grad, *(p.grad.clone() for p in model.parameters())])
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))
    assert not results[0][1][~real.expand(B, T, I)].any()


def test_gradcheck():
    torch.manual_seed(2)
    model = RecurrentAutoencoder(LSTM, 2, 3).double()
    x = normal(2, 3, 2).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: model.sequence_errors(x, torch.tensor([3, 1])), (x,))


def test_the_decoder_sees_nothing_but_the_state():
    """Two sequences with one code are rebuilt alike, however they differ."""
    model = RecurrentAutoencoder(LSTM, I, H).double()
    with torch.no_grad():
        model.encoder.cell.weight_ih.zero_()  # an encoder that cannot see x
    x = normal(2, T, I)
    assert torch.equal(*model(x))


def test_an_anomaly_is_rebuilt_worst_where_it_stands():
    torch.manual_seed(3)
    model = RecurrentAutoencoder(LSTM, 1, 6)
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    phase = torch.linspace(0, 6.28, 32)[:, None, None]
    waves = torch.sin(phase + torch.arange(12)[None, :, None] * 0.6)  # (32, 12, 1)
    for _ in range(300):
        optimizer.zero_grad()
        model.sequence_errors(waves).mean().backward()
        optimizer.step()
    usual = model.sequence_errors(waves)
    broken = waves[:8].clone()
    broken[:, 7] += 2.0
    assert model.sequence_errors(broken).min() > usual.max()
    assert (model.step_errors(broken).argmax(1) == 7).double().mean() > 0.7


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda: RecurrentAutoencoder(partial(Bidirectional, LSTM), I, H),
            "make must give a layer that reads ahead",
        ),
        (lambda: RecurrentAutoencoder(LSTM, 0, H), "input_size must be at least 1, got 0"),
        (
            lambda: RecurrentAutoencoder(LSTM, I, H)(normal(B, T, I + 1)),
            r"x must be \(B, T>=1, I=2\), got \(3, 5, 3\)",
        ),
        (lambda: RecurrentAutoencoder(LSTM, I, H)(normal(B, 0, I)), r"got \(3, 0, 2\)"),
        (lambda: RecurrentAutoencoder(LSTM, I, H)(normal(B, T, I), LENGTHS + 1), "got 6 at row 0"),
        (lambda: RecurrentAutoencoder(LSTM, I, H).encode(normal(B, T, I), LENGTHS - 1), "got 0 at row 1"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
