"""One mask a sequence: where it falls, how it is scaled, and what stays whole."""

import math
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from course_utils.models.dropout import KINDS, RecurrentDropout, VariationalDropout, dropout_mask
from course_utils.models.gru import GRU as OurGRU
from course_utils.models.lstm import LSTM as OurLSTM
from course_utils.models.packed import Packed
from course_utils.models.rnn import RNN as OurRNN
from course_utils.models.sequences import length_mask
from course_utils.models.stacked import Bidirectional, Stacked

B, T, I, H = 3, 5, 4, 6  # noqa: E741
LENGTHS = torch.tensor([5, 1, 3])
PLACES = ("input", "hidden", "output")
LSTM, RNN = partial(Packed, nn.LSTM), partial(Packed, nn.RNN)


def normal(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 5), st.floats(0, 0.95), st.sampled_from(KINDS))
def test_a_mask_holds_two_values_and_one_row_a_sequence(B, T, F, p, kind):
    x = torch.zeros(B, T, 2, dtype=torch.float64)
    mask = dropout_mask(x, F, p, kind)
    assert mask.shape == (B, T, F) and mask.dtype == x.dtype
    torch.testing.assert_close(mask[mask != 0], torch.full_like(mask, 1 / (1 - p))[mask != 0])
    if kind == "variational":
        assert mask.eq(mask[:, :1]).all()


def test_masks_differ_between_sequences_and_calls_and_standard_ones_between_steps():
    torch.manual_seed(0)
    x = torch.ones(8, T, 64)
    drop = VariationalDropout(0.5)
    one, two = drop(x), drop(x)
    assert torch.equal(one, one[:, :1].expand_as(one))  # the same at all steps
    assert len({tuple(row.tolist()) for row in one[:, 0]}) == 8  # another for each sequence
    assert not any(torch.equal(a, b) for a, b in zip(one, two, strict=True))  # and for each call
    standard = dropout_mask(x, 64, 0.5, "standard")
    assert len({tuple(row.tolist()) for row in standard[0]}) == T


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("kind", KINDS)
def test_expected_value_and_rate(kind, p):
    torch.manual_seed(1)
    mask = dropout_mask(torch.zeros(4000, 2, 1, dtype=torch.float64), 10, p, kind)
    draws = 4000 * 10  # at one step
    share = mask[:, 0].eq(0).double().mean().item()
    assert abs(share - p) < 5 * math.sqrt(p * (1 - p) / draws)
    assert abs(mask[:, 0].mean().item() - 1) < 5 * math.sqrt(p / (1 - p) / draws)


def test_evaluation_and_p_zero_change_nothing():
    x = normal(B, T, I)
    assert VariationalDropout(0.5).eval()(x) is x and VariationalDropout(0.0)(x) is x
    layer = LSTM(I, H).double()
    expected, (h, c) = layer(x, None, LENGTHS)
    for net in (RecurrentDropout(layer), RecurrentDropout(layer, input=0.5, hidden=0.5, output=0.5).eval()):
        output, state = net(x, None, LENGTHS)
        assert all(torch.equal(a, b) for a, b in zip((output, *state), (expected, h, c), strict=True))


def masks_drawn(monkeypatch):
    """Keep every mask that the module draws."""
    kept = []

    def keep(*args):
        kept.append(dropout_mask(*args))
        return kept[-1]

    monkeypatch.setattr("course_utils.models.dropout.dropout_mask", keep)
    return kept


@pytest.mark.parametrize("with_lengths", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("make", [LSTM, OurLSTM, RNN, OurRNN])
def test_the_three_places_agree_with_a_loop_over_cells(monkeypatch, make, kind, with_lengths):
    """Each sequence alone, one torch.nn cell a step, with the masks that were drawn (Gal & Ghahramani, section 4)."""
    torch.manual_seed(2)
    net = RecurrentDropout(make(I, H), input=0.3, hidden=0.4, output=0.5, kind=kind).double()
    library = net.layer.to_library()
    gated = isinstance(library, nn.LSTM)
    step = (nn.LSTMCell if gated else nn.RNNCell)(I, H, dtype=torch.float64)
    step.load_state_dict({name.removesuffix("_l0"): weight for name, weight in library.state_dict().items()})
    kept = masks_drawn(monkeypatch)
    x, h0, c0 = normal(B, T, I), normal(B, H, seed=1), normal(B, H, seed=2)
    output, state = net(x, (h0, c0) if gated else h0, LENGTHS if with_lengths else None)
    on_input, on_hidden, on_output = kept
    for b in range(B):
        n, h, c = int(LENGTHS[b]) if with_lengths else T, h0[b], c0[b]
        for t in range(n):
            x_t, h_before = x[b, t] * on_input[b, t], h * on_hidden[b, t]
            if gated:
                h, c = step(x_t, (h_before, c))  # c stays whole
            else:
                h = step(x_t, h_before)
            torch.testing.assert_close(output[b, t], h * on_output[b, t], rtol=0, atol=1e-12)
        assert not output[b, n:].any()
        ends = torch.stack(state if gated else [state])[:, b]
        torch.testing.assert_close(ends, torch.stack([h, c] if gated else [h]), rtol=0, atol=1e-12)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", KINDS)
def test_each_place_draws_only_its_own_mask(monkeypatch, kind, place):
    kept = masks_drawn(monkeypatch)
    net = RecurrentDropout(LSTM(I, H), **{place: 0.5}, kind=kind)
    net(torch.zeros(B, T, I))
    assert [tuple(mask.shape) for mask in kept] == [(B, T, I if place == "input" else H)]
    assert torch.equal(kept[0], kept[0][:, :1].expand_as(kept[0])) == (kind == "variational")


@pytest.mark.parametrize("filler", [math.nan, math.inf, 1e300])
@pytest.mark.parametrize("kind", KINDS)
def test_padding_changes_no_bit(kind, filler):
    net = RecurrentDropout(LSTM(I, H), input=0.3, hidden=0.3, output=0.3, kind=kind).double()
    results = []
    for value in (0.0, filler):
        x = torch.where(length_mask(LENGTHS, T)[:, :, None], normal(B, T, I), value).requires_grad_()
        net.zero_grad()
        torch.manual_seed(3)
        output, (h, c) = net(x, None, LENGTHS)
        (output.square().sum() + h.sum() + c.sum()).backward()
        results.append([output, h, c, x.grad, *(p.grad.clone() for p in net.parameters())])
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


def test_gradcheck():
    torch.manual_seed(4)
    net = RecurrentDropout(LSTM(2, 3), input=0.3, hidden=0.3, output=0.3).double()

    def run(x, h, c):
        torch.manual_seed(5)  # the same masks at every evaluation
        output, state = net(x, (h, c), torch.tensor([3, 1]))
        return output, *state

    inputs = [t.requires_grad_() for t in (normal(2, 3, 2), normal(2, 3, seed=1), normal(2, 3, seed=2))]
    assert torch.autograd.gradcheck(run, inputs)


def test_it_is_a_layer_that_wrappers_take():
    make = lambda i, h: RecurrentDropout(LSTM(i, h), input=0.2, hidden=0.2)
    net = Stacked(partial(Bidirectional, make), I, H, 2, between=VariationalDropout(0.2))
    output, _ = net(torch.zeros(B, T, I), None, LENGTHS)
    assert output.shape == (B, T, 2 * H)
    assert RecurrentDropout(net, output=0.5).output_size == 2 * H
    assert repr(VariationalDropout(0.2)) == "VariationalDropout(p=0.2)"


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: VariationalDropout(1.0), "p must be in 0 ≤ p < 1, got 1.0"),
        (lambda: VariationalDropout(-0.1), "got -0.1"),
        (lambda: VariationalDropout(math.nan), "got nan"),
        (lambda: dropout_mask(torch.zeros(1, 1, 1), 1, 0.5, "gaussian"), "kind must be in .*got 'gaussian'"),
        (lambda: RecurrentDropout(RNN(I, H), kind="gaussian"), "kind must be in"),
        (lambda: RecurrentDropout(RNN(I, H), input=1), "input must be in 0 ≤ input < 1, got 1"),
        (lambda: RecurrentDropout(RNN(I, H), hidden=2), "hidden must be in"),
        (lambda: RecurrentDropout(RNN(I, H), output=-1), "output must be in"),
        (
            lambda: RecurrentDropout(Bidirectional(RNN, I, H), hidden=0.1),
            "hidden must be 0 around two directions",
        ),
        (
            lambda: RecurrentDropout(Packed(nn.GRU, I, H), hidden=0.1)(torch.zeros(B, T, I)),
            "hidden must be 0 for a layer that copies h .*got 0.1 for GRU",
        ),
        (lambda: RecurrentDropout(OurGRU(I, H), hidden=0.1)(torch.zeros(B, T, I)), "got 0.1 for GRU"),
        (
            lambda: RecurrentDropout(Stacked(RNN, I, H, 2), hidden=0.1)(torch.zeros(B, T, I)),
            "got 0.1 for Stacked",
        ),
        (lambda: RecurrentDropout(RNN(I, H))(torch.zeros(B, T, I), None, LENGTHS + 1), "got 6 at row 0"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
