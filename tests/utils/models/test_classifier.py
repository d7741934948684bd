"""Pooling against sequences run alone; logits that padding cannot reach."""

import math
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from course_utils.models.classifier import POOLINGS, SequenceClassifier, pool
from course_utils.models.dropout import RecurrentDropout
from course_utils.models.gru import GRU
from course_utils.models.lstm import LSTM
from course_utils.models.packed import Packed
from course_utils.models.sequences import length_mask
from course_utils.models.stacked import Bidirectional, Stacked

B, T, I, H, V, C = 4, 6, 3, 5, 9, 2  # noqa: E741
LENGTHS = torch.tensor([2, 6, 1, 4])
MAKES = [LSTM, GRU, partial(Packed, nn.LSTM), partial(Packed, nn.GRU)]
ENCODERS = [make for make in MAKES] + [partial(Bidirectional, make) for make in MAKES]


def normal(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def tokens(*shape, seed=0):
    return torch.randint(V, shape, generator=torch.Generator().manual_seed(seed))


@settings(deadline=None, max_examples=40)
@given(
    lengths=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    more=st.integers(0, 2),
    make=st.sampled_from(ENCODERS),
    layers=st.integers(1, 2),
    pooling=st.sampled_from(POOLINGS),
    embedded=st.booleans(),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_each_sequence_alone_gives_the_same(lengths, more, make, layers, pooling, embedded, dtype):
    shape = len(lengths), max(lengths) + more
    x = tokens(*shape) if embedded else normal(*shape, I).to(dtype)
    model = SequenceClassifier(Stacked(make, I, H, layers), C, V if embedded else None, pooling).to(dtype)
    logits, features = model(x, torch.tensor(lengths)), model.features(x, torch.tensor(lengths))
    assert logits.shape == (len(lengths), C) and logits.dtype == dtype
    tolerance = 1e-5 if dtype == torch.float32 else 1e-12
    for b, n in enumerate(lengths):
        alone = x[b : b + 1, :n]
        torch.testing.assert_close(logits[b : b + 1], model(alone), rtol=0, atol=tolerance)
        torch.testing.assert_close(features[b : b + 1], model.features(alone), rtol=0, atol=tolerance)


def test_pooling_by_hand():
    output = torch.tensor([[[-3.0, 1.0], [-1.0, 5.0], [7.0, 7.0]], [[-2.0, 2.0], [0.0, 0.0], [9.0, 9.0]]])
    h = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    lengths = torch.tensor([2, 1])
    assert pool(output, h, lengths, "last") is h and pool(output, (h, -h), None, "last") is h
    assert pool(output, h, lengths, "mean").tolist() == [[-2.0, 3.0], [-2.0, 2.0]]
    assert pool(output, h, lengths, "max").tolist() == [[-1.0, 5.0], [-2.0, 2.0]]  # not the zeros of padding
    assert pool(output, h, None, "max").tolist() == [[7.0, 7.0], [9.0, 9.0]]
    torch.testing.assert_close(pool(output, h, None, "mean"), output.sum(1) / 3)


def test_last_agrees_with_the_library_on_packed_sequences():
    library = nn.LSTM(I, H, num_layers=2, bidirectional=True, batch_first=True, dtype=torch.float64)
    encoder = Stacked(partial(Bidirectional, LSTM), I, H, 2).double().load_library(library)
    model = SequenceClassifier(encoder, C).double()
    x = normal(B, T, I)
    packed = nn.utils.rnn.pack_padded_sequence(x, LENGTHS, batch_first=True, enforce_sorted=False)
    h = library(packed)[1][0]  # (layers · directions, B, H)
    expected = model.head(torch.cat([h[-2], h[-1]], dim=1))
    torch.testing.assert_close(model(x, LENGTHS), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("make", ENCODERS)
def test_padding_changes_no_bit_of_a_logit_or_gradient(make, pooling):
    torch.manual_seed(0)
    real = length_mask(LENGTHS, T)
    for vocab_size, fillers in (
        (V, (0, 5, -100, 10**9)),
        (None, (0.0, math.nan, math.inf, -math.inf, 1e300)),
    ):
        model = SequenceClassifier(Stacked(make, I, H, 2), C, vocab_size, pooling).double()
        results = []
        for filler in fillers:
            x = torch.where(real, tokens(B, T), filler) if vocab_size else None
            if x is None:
                x = torch.where(real[:, :, None], normal(B, T, I), filler).requires_grad_()
            model.zero_grad()
            logits = model(x, LENGTHS)
            nn.functional.cross_entropy(logits, torch.tensor([0, 1, 1, 0])).backward()
            grads = [p.grad.clone() for p in model.parameters()]
            results.append([logits, *grads, *([] if vocab_size else [x.grad])])
        for other in results[1:]:
            assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


@pytest.mark.parametrize("pooling", POOLINGS)
def test_gradcheck(pooling):
    torch.manual_seed(1)
    model = SequenceClassifier(Bidirectional(GRU, 2, 2), C, pooling=pooling).double()
    assert torch.autograd.gradcheck(
        lambda x: model(x, torch.tensor([3, 1])), (normal(2, 3, 2).requires_grad_(),)
    )


@pytest.mark.parametrize("where", ["encoder", "pool"])
def test_dropout_in_training_only(where):
    encoder = RecurrentDropout(LSTM(I, H), input=0.5, hidden=0.5, output=0.5)
    on_pool = where == "pool"
    model = SequenceClassifier(LSTM(I, H) if on_pool else encoder, C, V, dropout=0.5 * on_pool)
    x = tokens(B, T)
    assert not torch.equal(model(x), model(x))
    assert torch.equal(model.eval()(x), model(x))


def test_it_learns_to_tell_which_token_stands_first():
    torch.manual_seed(2)
    model = SequenceClassifier(GRU(8, 16), 2, V)
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    x = tokens(128, T, seed=3)
    lengths = torch.randint(1, T + 1, (128,), generator=torch.Generator().manual_seed(4))
    y = (x[:, 0] > 4).long()
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x, lengths), y).backward()
        optimizer.step()
    assert (model(x, lengths).argmax(1) == y).double().mean() > 0.95


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: SequenceClassifier(LSTM(I, H), 0), "num_classes must be at least 1, got 0"),
        (lambda: SequenceClassifier(LSTM(I, H), C, 0), "vocab_size must be at least 1, got 0"),
        (lambda: SequenceClassifier(LSTM(I, H), C, pooling="sum"), "pooling must be in .*, got 'sum'"),
        (lambda: pool(normal(B, T, H), normal(B, H), None, "sum"), "pooling must be in .*, got 'sum'"),
        (lambda: pool(normal(B, T, H), normal(B, H), LENGTHS - 1, "max"), "got 0 at row 2"),
        (
            lambda: SequenceClassifier(LSTM(I, H), C, V)(torch.zeros(B)),
            r"x must be tokens \(B, T>=1\), got \(4,\)",
        ),
        (lambda: SequenceClassifier(LSTM(I, H), C, V)(torch.zeros(B, 0)), r"got \(4, 0\)"),
        (
            lambda: SequenceClassifier(LSTM(I, H), C)(torch.zeros(B, T)),
            r"vectors \(B, T>=1, I\), got \(4, 6\)",
        ),
        (lambda: SequenceClassifier(LSTM(I, H), C, V)(tokens(B, T), LENGTHS + 1), "got 7 at row 1"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
