"""Sequences made by rule: the adding problem, the order of events, the numbers 0–99 and documents.

Batch first: B sequences, T steps. Every function draws from a generator of its own: equal arguments give
equal data, and no global state is touched.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from course_utils.datasets.base import check_at_least

SPLIT_SIZES = {"train": 2000, "valid": 500, "test": 1000}  # sequences in each split of `event_order`


def adding_problem(count: int, length: int = 50, *, seed: int) -> tuple[Tensor, Tensor]:
    """Draw the adding problem: the sum of the two marked numbers among `length` (see the card below).

    Data card:
        Origin: Hochreiter & Schmidhuber (1997), experiment 4, in the form of Le, Jaitly & Hinton (2015):
            numbers uniform in [0, 1], one mark in each half of the sequence. The target is the plain sum.
        Licence: made by rule; nothing to license.
        Size: as many as asked for.
        Splits: a seed is a split; draw train and test with different seeds.
        Good for: asking how far back a network remembers a real number. The best constant, 1, has a mean
            squared error of 1/6, the variance of the sum.
        Not good for: telling whether a network learned an order; the sum does not depend on one.

    Args:
        count: B, number of sequences, at least 1.
        length: T, number of steps, at least 2.
        seed: of the draw.

    Returns:
        x: (B, T, 2) float32; channel 0 the numbers, channel 1 the marks (0 or 1).
        y: (B, 1) float32, in 0..2.

    Raises:
        ValueError: count or length too small.
    """
    check_at_least("count", count, 1)
    check_at_least("length", length, 2)
    generator = torch.Generator().manual_seed(seed)
    values = torch.rand(count, length, generator=generator)  # (B, T)
    early = torch.randint(length // 2, (count, 1), generator=generator)
    late = torch.randint(length // 2, length, (count, 1), generator=generator)
    marked = torch.zeros_like(values).scatter_(1, early, 1.0).scatter_(1, late, 1.0)
    return torch.stack((values, marked), dim=2), values.gather(1, early) + values.gather(1, late)


def event_order(split: str = "train", *, length: int = 20, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Draw sequences in which three events happen once each; the class is the order in which they do.

    Data card:
        Origin: made by rule, after the temporal-order problem of Hochreiter & Schmidhuber (1997),
            experiment 6. Events A, B, C fall on three random steps; distractors, of two kinds, on the rest.
        Licence: made by rule; nothing to license.
        Size: 2000 train, 500 valid, 1000 test sequences; six classes, ABC, ACB, BAC, BCA, CAB, CBA as 0..5.
        Splits: drawn from separate streams of one seed, so a seed fixes all three.
        Good for: a first classifier that must carry information. Every class has the same distribution of
            counts, so a model of the bag of symbols cannot beat 1/6.
        Not good for: long memory (raise `length`), or real-valued inputs.

    Args:
        split: "train", "valid" or "test".
        length: T, number of steps, at least 3.
        seed: of all three splits.

    Returns:
        x: (B, T, 5) float32, one-hot: A, B, C, two distractors.
        y: (B,) int64, the class.

    Raises:
        ValueError: an unknown split or a length below 3.
    """
    if split not in SPLIT_SIZES:
        raise ValueError(f"split must be in {list(SPLIT_SIZES)}, got {split!r}")
    check_at_least("length", length, 3)
    rng = np.random.default_rng([seed, list(SPLIT_SIZES).index(split)])
    count = SPLIT_SIZES[split]
    orders = np.array([[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]])  # (classes, 3)
    y = rng.integers(0, len(orders), count)  # (B,)
    symbols = rng.integers(3, 5, (count, length))  # (B, T), distractors everywhere
    positions = np.sort(rng.random((count, length)).argsort(axis=1)[:, :3], axis=1)  # (B, 3), distinct
    np.put_along_axis(symbols, positions, orders[y], axis=1)
    x = np.eye(5, dtype=np.float32)[symbols]  # (B, T, 5)
    return torch.from_numpy(x), torch.from_numpy(y)


def number_sequences(*, held_out: int = 5, scaled: bool = False) -> dict[str, tuple[Tensor, Tensor]]:
    """Cut the numbers 0–99 into ten sequences of ten; the label of each number is the number after it.

    Data card:
        Origin: counting. Sequence i is 10 i, …, 10 i + 9; its labels are 10 i + 1, …, 10 i + 10.
        Licence: made by rule; nothing to license.
        Size: ten sequences of ten numbers.
        Splits: nine sequences to train on, one held out (number 5, 50–59, by default).
        Good for: a first forecaster, and for seeing what the scale of inputs does to training.
        Not good for: judging a forecaster. "Add one to the last number" is exact, and a held-out sequence in
            the middle asks for interpolation; held_out=9 asks for extrapolation.

    Args:
        held_out: 0..9, the sequence kept for the test.
        scaled: divide inputs and labels by 100, so that both lie in [0, 1]; multiply an error by 100 to
            read it in units of the numbers.

    Returns:
        "train" and "test", each (x, y): x (B, 10, 1) and y (B, 10, 1) float32; `y[:, -1]` is the value after
        the whole sequence.

    Raises:
        ValueError: held_out outside 0..9.
    """
    if not 0 <= held_out <= 9:
        raise ValueError(f"held_out must be in 0..9, got {held_out}")
    scale = 100 if scaled else 1
    numbers = torch.arange(101, dtype=torch.float32) / scale
    x, y = numbers[:-1].reshape(10, 10, 1), numbers[1:].reshape(10, 10, 1)
    test = torch.arange(10) == held_out  # (10,)
    return {"train": (x[~test], y[~test]), "test": (x[test], y[test])}


def topic_documents(
    streams: int,
    documents: int,
    *,
    length: int = 6,
    topics: int = 8,
    noise: float = 0.5,
    marked: bool = False,
    seed: int,
) -> Tensor:
    """Draw streams of short documents, each about a topic that its first symbol names.

    Data card:
        Origin: made by rule. The first symbol is the topic k, uniform. Each other symbol is k + 1 (modulo the
            number of topics) with probability 1 - noise, else uniform: given the topic they are independent.
        Licence: made by rule; nothing to license.
        Size: as many as asked for.
        Splits: a seed is a split; draw train and test with different seeds.
        Good for: measuring what a hidden state costs that is not reset between documents. The documents are
            independent, so nothing true can be carried over, and `topic_entropy` is the best possible loss.
            A zero state says "this symbol is a title"; a carried one leaves a title to look like any symbol,
            unless it is `marked`.
        Not good for: telling how much a network remembers within a document; every symbol hints at the topic.

    Args:
        streams: B, read in parallel.
        documents: N, one after another in each stream.
        length: T, symbols a document, title included, at least 2.
        topics: number of topics, at least 2.
        noise: 0..1, the chance that a symbol says nothing about the topic.
        marked: write titles with symbols of their own, topics..2 topics - 1.
        seed: of the draw.

    Returns:
        (B, N, T) int64, symbols in 0..topics - 1; in 0..2 topics - 1 when marked.

    Raises:
        ValueError: a count too small or noise outside 0..1.
    """
    for name, value, least in (("streams", streams, 1), ("documents", documents, 1), ("length", length, 2)):
        check_at_least(name, value, least)
    _check_topics(topics, noise)
    rng = np.random.default_rng(seed)
    topic = rng.integers(0, topics, (streams, documents, 1))  # (B, N, 1)
    symbols = rng.integers(0, topics, (streams, documents, length))  # (B, N, T)
    telling = rng.random(symbols.shape) >= noise
    symbols = np.where(telling, (topic + 1) % topics, symbols)
    symbols[..., :1] = topic + topics if marked else topic
    return torch.from_numpy(symbols)


def topic_entropy(topics: int = 8, noise: float = 0.5) -> float:
    """Return the entropy of a symbol given its topic, in nats: the least mean loss on `topic_documents`.

    Raises:
        ValueError: topics < 2 or noise outside 0..1.
    """
    _check_topics(topics, noise)
    other = noise / topics
    likely = 1 - noise + other
    rest = (topics - 1) * other * math.log(other) if other else 0.0
    return -likely * math.log(likely) - rest


def _check_topics(topics: int, noise: float) -> None:
    check_at_least("topics", topics, 2)
    if not 0 <= noise <= 1:
        raise ValueError(f"noise must be in 0..1, got {noise}")
