"""What the synthetic data sets promise in their cards."""

import math
import random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.datasets.synthetic import (
    SPLIT_SIZES,
    adding_problem,
    event_order,
    number_sequences,
    topic_documents,
    topic_entropy,
)


@settings(deadline=None, max_examples=40)
@given(count=st.integers(1, 20), length=st.integers(2, 30), seed=st.integers(0, 1000))
def test_adding_problem_marks_one_number_in_each_half(count, length, seed):
    x, y = adding_problem(count, length, seed=seed)
    assert x.shape == (count, length, 2) and y.shape == (count, 1) and x.dtype == y.dtype == torch.float32
    numbers, marks = x.unbind(-1)
    assert numbers.ge(0).all() and numbers.le(1).all()
    assert marks[:, : length // 2].sum(1).eq(1).all() and marks[:, length // 2 :].sum(1).eq(1).all()
    assert set(marks.unique().tolist()) <= {0.0, 1.0}
    for row in range(count):
        assert y[row].item() == pytest.approx(numbers[row][marks[row] == 1].sum().item())


def test_adding_problem_constant_prediction_has_error_one_sixth():
    _, y = adding_problem(200_000, 4, seed=0)
    assert (y - 1).square().mean().item() == pytest.approx(1 / 6, abs=0.002)


def test_adding_problem_marks_every_step_sooner_or_later():
    x, _ = adding_problem(2000, 9, seed=0)
    assert x[:, :, 1].sum(0).gt(0).all()


def test_event_order_has_every_event_once_and_the_class_names_their_order():
    names = ["ABC", "ACB", "BAC", "BCA", "CAB", "CBA"]
    for split, size in SPLIT_SIZES.items():
        x, y = event_order(split)
        assert x.shape == (size, 20, 5) and x.dtype == torch.float32 and y.shape == (size,)
        assert x.sum(-1).eq(1).all() and set(x.unique().tolist()) == {0.0, 1.0}
        symbols = x.argmax(-1).tolist()
        for row, label in zip(symbols, y.tolist(), strict=True):
            assert "".join("ABC"[s] for s in row if s < 3) == names[label]


def test_event_order_gives_a_bag_of_symbols_nothing():
    x, y = event_order("train")
    counts = x.sum(1)  # (B, 5)
    assert counts[:, :3].eq(1).all()
    for label in range(6):  # the count of a distractor, binomial (17, 1/2), has one mean in every class
        rows = counts[y == label]
        assert abs(rows[:, 3].mean() - 8.5) < 4 * math.sqrt(17 / 4 / len(rows))


def test_event_order_splits_share_no_sequence_and_the_seed_fixes_them():
    rows = {split: {row.numpy().tobytes() for row in event_order(split)[0]} for split in SPLIT_SIZES}
    assert not rows["train"] & rows["test"] and not rows["train"] & rows["valid"]
    labels = {split: event_order(split)[1] for split in SPLIT_SIZES}
    assert not torch.equal(labels["train"][:500], labels["valid"])  # separate streams, not one cut short
    assert not torch.equal(event_order("train", seed=1)[0], event_order("train")[0])


@pytest.mark.parametrize("held_out", range(10))
@pytest.mark.parametrize("scaled, unit", [(False, 1), (True, 100)])
def test_number_sequences_hold_each_number_once_and_label_it_with_the_next(held_out, scaled, unit):
    data = number_sequences(held_out=held_out, scaled=scaled)
    assert data["train"][0].shape == (9, 10, 1) and data["test"][1].shape == (1, 10, 1)
    x = torch.cat([data["train"][0], data["test"][0]]) * unit
    y = torch.cat([data["train"][1], data["test"][1]]) * unit
    assert sorted(x.flatten().round().int().tolist()) == list(range(100))
    torch.testing.assert_close(y, x + 1)
    torch.testing.assert_close(data["test"][0].flatten() * unit, 10.0 * held_out + torch.arange(10))


@pytest.mark.parametrize("marked", [False, True])
def test_topic_documents_name_their_topic_first(marked):
    documents = topic_documents(50, 400, topics=4, noise=0.4, marked=marked, seed=0)
    assert documents.shape == (50, 400, 6) and documents.dtype == torch.int64
    topic, rest = documents[..., 0] - 4 * marked, documents[..., 1:]
    assert topic.min() == 0 and topic.max() == 3 and rest.min() == 0 and rest.max() == 3
    said = (rest == ((topic + 1) % 4)[..., None]).double()
    assert said.mean().item() == pytest.approx(0.6 + 0.4 / 4, abs=0.005)
    others = (rest == ((topic + 2) % 4)[..., None]).double()
    assert others.mean().item() == pytest.approx(0.4 / 4, abs=0.005)


def test_topic_documents_are_independent_of_the_document_before():
    topic = topic_documents(100, 1000, topics=4, seed=0)[..., 0].numpy()
    pairs = np.zeros((4, 4))
    np.add.at(pairs, (topic[:, :-1], topic[:, 1:]), 1)
    expected = pairs.sum() / 16
    assert ((pairs - expected) ** 2 / expected).sum() < 38  # chi-squared, 15 degrees of freedom: p < 0.001


@pytest.mark.parametrize(
    "topics, noise, nats", [(8, 1.0, math.log(8)), (8, 0.0, 0.0), (2, 0.5, 0.5623351446)]
)
def test_topic_entropy_by_hand(topics, noise, nats):
    assert topic_entropy(topics, noise) == pytest.approx(nats, abs=1e-9)


MAKERS = {
    "adding_problem": lambda seed: adding_problem(5, 10, seed=seed),
    "event_order": lambda seed: event_order("valid", seed=seed),
    "topic_documents": lambda seed: (topic_documents(3, 4, seed=seed),),
}


@pytest.mark.parametrize("name", MAKERS)
def test_data_depend_on_the_seed_alone_and_touch_no_global_generator(name):
    def same(first, second):
        return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))

    before = (
        random.getstate(),
        np.random.get_state(legacy=False)["state"]["key"].tolist(),
        torch.get_rng_state().tolist(),
    )
    first = MAKERS[name](3)
    assert before == (
        random.getstate(),
        np.random.get_state(legacy=False)["state"]["key"].tolist(),
        torch.get_rng_state().tolist(),
    )
    np.random.seed(0), torch.manual_seed(0)
    assert same(first, MAKERS[name](3)) and not same(first, MAKERS[name](4))


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: adding_problem(0, seed=0), "count must be at least 1, got 0"),
        (lambda: adding_problem(1, 1, seed=0), "length must be at least 2, got 1"),
        (lambda: event_order("dev"), "split must be in .*got 'dev'"),
        (lambda: event_order(length=2), "length must be at least 3, got 2"),
        (lambda: number_sequences(held_out=10), r"held_out must be in 0\.\.9, got 10"),
        (lambda: topic_documents(0, 1, seed=0), "streams must be at least 1, got 0"),
        (lambda: topic_documents(1, 0, seed=0), "documents must be at least 1, got 0"),
        (lambda: topic_documents(1, 1, length=1, seed=0), "length must be at least 2, got 1"),
        (lambda: topic_documents(1, 1, topics=1, seed=0), "topics must be at least 2, got 1"),
        (lambda: topic_documents(1, 1, noise=1.5, seed=0), r"noise must be in 0\.\.1, got 1.5"),
        (lambda: topic_entropy(8, -0.1), r"noise must be in 0\.\.1, got -0.1"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
