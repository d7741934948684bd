"""How sure is a number that came from finitely many cases? Bootstrap percentile intervals.

Efron (1979), "Bootstrap methods: another look at the jackknife"; the percentile interval is chapter 13 of Efron &
Tibshirani (1993). Two systems on the same cases: the paired test of Koehn (2004), "Statistical significance tests for
machine translation evaluation". Cases that depend on their neighbors, as days do, are drawn in blocks of consecutive
ones: Künsch (1989), "The jackknife and the bootstrap for general stationary observations".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from course_utils.metrics.arrays import as_floats

Statistic = Callable[[NDArray[np.float64]], float]


@dataclass(frozen=True)
class Interval:
    """An estimate with its interval; f"{interval:.3f}" gives "0.912 [0.887, 0.934]".

    Attributes:
        estimate: the statistic of the data themselves.
        low, high: ends of the interval.
        level: share of the resampled statistics between them, such as 0.95.
    """

    estimate: float
    low: float
    high: float
    level: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __format__(self, spec: str) -> str:
        return f"{self.estimate:{spec}} [{self.low:{spec}}, {self.high:{spec}}]"


def bootstrap(
    values: ArrayLike | Tensor,
    statistic: Statistic = np.mean,
    *,
    level: float = 0.95,
    resamples: int = 2000,
    block: int = 1,
    seed: int,
) -> Interval:
    """Return a percentile interval of a statistic of the rows of `values`.

    Args:
        values: (N,) or (N, …), one row a case, such as a 0 or 1 for a wrong or right answer. What belongs to one case
            (a prediction and its target) stands in one row.
        statistic: from rows (N, …) to a number; the mean unless told otherwise.
        level: 0..1, exclusive.
        resamples: how many data sets of N rows to draw with replacement, at least 1.
        block: 1..N, consecutive rows drawn together; 1 takes the rows for independent. For a series, choose it
            longer than the dependence lasts, and much shorter than N.
        seed: of the draw, which touches no global generator.

    Raises:
        ValueError: values without rows or not finite, or an option out of range.
    """
    rows = _rows("values", values)
    _check(len(rows), level, resamples, block)
    draws = [statistic(rows[chosen]) for chosen in _resamples(len(rows), resamples, block, seed)]
    return _interval(statistic(rows), draws, level)


def paired_bootstrap(
    a: ArrayLike | Tensor,
    b: ArrayLike | Tensor,
    statistic: Statistic = np.mean,
    *,
    level: float = 0.95,
    resamples: int = 2000,
    block: int = 1,
    seed: int,
) -> Interval:
    """Return an interval of statistic(a) - statistic(b), where row i of both is the same case.

    Both are resampled with the same rows, so that what makes a case hard for both cancels. An interval without 0 says
    that the difference is more than the luck of the cases drawn; luck of the training needs several seeds.
    Other arguments and errors as for `bootstrap`.

    Raises:
        ValueError: a and b have unequal shapes.
    """
    first = _rows("a", a)
    second = as_floats("b", b, first.shape)
    _check(len(first), level, resamples, block)
    draws = [
        statistic(first[chosen]) - statistic(second[chosen])
        for chosen in _resamples(len(first), resamples, block, seed)
    ]
    return _interval(statistic(first) - statistic(second), draws, level)


def _resamples(count: int, resamples: int, block: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Yield the N row numbers of each resample: blocks laid end to end, the last one cut to fit."""
    rng = np.random.default_rng(seed)
    blocks = -(-count // block)
    for _ in range(resamples):
        starts = rng.integers(0, count - block + 1, blocks)  # (blocks,)
        yield (starts[:, None] + np.arange(block)).ravel()[:count]  # (N,)


def _interval(estimate: float, draws: list[float], level: float) -> Interval:
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(estimate), float(low), float(high), level)


def _rows(name: str, values: ArrayLike | Tensor) -> NDArray[np.float64]:
    rows = as_floats(name, values)
    if rows.ndim == 0:
        raise ValueError(f"{name} must be (N,) or (N, …), got a single number")
    return rows


def _check(count: int, level: float, resamples: int, block: int) -> None:
    if not 0 < level < 1:
        raise ValueError(f"level must be more than 0 and less than 1, got {level}")
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, got {resamples}")
    if not 1 <= block <= count:
        raise ValueError(f"block must be in 1..N={count}, got {block}")
