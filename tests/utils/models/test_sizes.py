"""Counts against formulas, and the width that fits a budget against a search through all widths."""

from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from course_utils.models.classifier import SequenceClassifier
from course_utils.models.lstm import LSTM
from course_utils.models.rnn import RNN
from course_utils.models.sizes import count_parameters, width_for
from course_utils.models.stacked import Bidirectional, Stacked
from course_utils.models.transformer import TransformerClassifier


def test_counts():
    V, C, D, L = 11, 3, 8, 2
    layer = 4 * (D * D + D) + (D * 4 * D + 4 * D) + (4 * D * D + D) + 2 * 2 * D
    assert count_parameters(TransformerClassifier(V, C, D, 4, L)) == V * D + L * layer + 2 * D + D * C + C
    assert count_parameters(RNN(3, 5)) == 5 * 3 + 5 * 5 + 5
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    model[1].weight = model[0].weight
    assert count_parameters(model) == 16 + 4 + 4  # a shared weight counts once
    model[0].bias.requires_grad_(False)
    assert count_parameters(model) == 16 + 4  # a frozen one not at all


@settings(deadline=None, max_examples=40)
@given(target=st.integers(100, 3000), multiple_of=st.integers(1, 4))
def test_no_width_comes_nearer(target, multiple_of):
    make = lambda width: RNN(3, width)
    width = width_for(make, target, multiple_of=multiple_of, tolerance=1)
    miss = {w: abs(w * 3 + w * w + w - target) for w in range(multiple_of, 80, multiple_of)}
    assert width % multiple_of == 0 and miss[width] == min(miss.values())


@pytest.mark.parametrize("target", [5_000, 20_000, 200_000])
def test_the_three_networks_of_exercise_15_30_at_equal_size(target):
    """Multiples of four heads are far apart; the width of the feed-forward net fills the gap."""
    size = width_for(lambda width: TransformerClassifier(100, 2, width), target, multiple_of=4, tolerance=0.5)
    transformer = lambda ff_size: TransformerClassifier(100, 2, size, ff_size=ff_size)
    network = lambda width: SequenceClassifier(LSTM(size, width), 2, vocab_size=100)
    both_ways = partial(Bidirectional, LSTM)
    deep = lambda width: SequenceClassifier(Stacked(both_ways, size, width, 2), 2, vocab_size=100)
    for make in (transformer, network, deep):
        count = count_parameters(make(width_for(make, target)))
        assert abs(count - target) <= 0.05 * target


def test_the_search_draws_no_random_numbers():
    before = torch.get_rng_state()
    width_for(lambda width: RNN(3, width, recurrent_init="orthogonal"), 500)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: width_for(lambda w: nn.Linear(w, 1), 0), "target must be at least 1, got 0"),
        (
            lambda: width_for(lambda w: nn.Linear(w, 1), 5, multiple_of=0),
            "multiple_of must be at least 1, got 0",
        ),
        (lambda: width_for(lambda w: nn.Linear(w, 100), 250), "within 5% .*, got 250; width 1 has 200"),
        (lambda: width_for(lambda w: nn.Linear(w, 100), 9), "width 1 has 200"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()
