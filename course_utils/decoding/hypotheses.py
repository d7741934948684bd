"""Whole outputs and their scores: what beam search and exhaustive search return, and how they rank it.

An output is complete when it ends with <eos>, or when it is cut at `max_length` tokens. Every output is one
or the other, so their probabilities add up to 1. Its score is log P(Y) / penalty(|Y|), where |Y| counts the
tokens written, <eos> among them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

Penalty = Callable[[int], float]


@dataclass(frozen=True)
class Hypothesis:
    """One complete output.

    Attributes:
        tokens: what was written, <eos> included where it ended.
        log_prob: log P(tokens), in nats.
        score: log_prob / penalty(len(tokens)); what the ranking goes by.
        ended: whether <eos> was written; False: cut at max_length.
        group: the group of a diverse beam search that found it first, from 0.
    """

    tokens: tuple[int, ...]
    log_prob: float
    score: float
    ended: bool
    group: int = 0


def no_penalty(length: int) -> float:
    """Return 1: rank by log P(Y) alone, which favors short outputs."""
    return 1.0


def mean_penalty(length: int) -> float:
    """Return the length: rank by the mean log-probability a token."""
    return float(length)


def wu_penalty(alpha: float) -> Penalty:
    """Return lp(Y) = ((5 + |Y|) / (5 + 1))^alpha (Wu et al., 2016, eq. 14).

    Args:
        alpha: 0 is no penalty; the paper uses 0.6 to 0.7; larger favors longer outputs.

    Raises:
        ValueError: alpha is negative, infinite or NaN.
    """
    if not 0 <= alpha < math.inf:
        raise ValueError(f"alpha must be a number of at least 0, got {alpha}")
    return lambda length: ((5 + length) / 6) ** alpha


def best(found: Iterable[Hypothesis], count: int) -> list[Hypothesis]:
    """Return the `count` best distinct outputs; of equal scores the smaller token sequence comes first."""
    distinct: dict[tuple[int, ...], Hypothesis] = {}
    for hypothesis in found:
        distinct.setdefault(hypothesis.tokens, hypothesis)
    return sorted(distinct.values(), key=rank)[:count]


def rank(hypothesis: Hypothesis) -> tuple[float, tuple[int, ...]]:
    """Return what outputs are sorted by: the higher score first, then the smaller token sequence."""
    return -hypothesis.score, hypothesis.tokens


def check_limits(
    max_length: int, min_length: int, block_ngrams: int | None, n_best: int, penalty: Penalty
) -> None:
    """Refuse limits that no search can keep.

    Raises:
        ValueError: min_length outside 0..max_length, block_ngrams or n_best below 1, or a penalty that is
            not a positive number for some length in 1..max_length.
    """
    if not 0 <= min_length <= max_length:
        raise ValueError(f"min_length must be in 0..max_length={max_length}, got {min_length}")
    if block_ngrams is not None and block_ngrams < 1:
        raise ValueError(f"block_ngrams must be at least 1 or None, got {block_ngrams}")
    if n_best < 1:
        raise ValueError(f"n_best must be at least 1, got {n_best}")
    for length in range(1, max_length + 1):
        if not 0 < penalty(length) < math.inf:
            raise ValueError(f"penalty must be a positive number, got {penalty(length)} for length {length}")
