"""One experiment under several seeds: its results, their mean and their spread."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.progress import progress
from course_utils.runtime import seed_everything


@dataclass(frozen=True)
class Repeats:
    """The results of one experiment under several seeds; f"{result:.3f}" gives "mean ± s.d.".

    Attributes:
        values: (seeds, …), one result a row.
    """

    values: NDArray[np.float64]

    @property
    def mean(self) -> Any:
        """Mean over the seeds, (…)."""
        return self.values.mean(axis=0)

    @property
    def sd(self) -> Any:
        """Sample standard deviation over the seeds (n - 1 in the denominator), (…); NaN for a single seed."""
        if len(self.values) < 2:
            return np.full(self.values.shape[1:], math.nan)[()]
        return self.values.std(axis=0, ddof=1)

    def __format__(self, spec: str) -> str:
        if self.values.ndim != 1:
            raise ValueError(f"only one number a seed can be formatted, got shape {self.values.shape}")
        return f"{self.mean:{spec}}" if len(self.values) < 2 else f"{self.mean:{spec}} ± {self.sd:{spec}}"


def repeat(experiment: Callable[[int], ArrayLike], seeds: Iterable[int], *, label: str = "seeds") -> Repeats:
    """Run experiment(seed) for each seed, everything seeded anew before each.

    Args:
        experiment: returns a number or an array, of one shape for all seeds.
        seeds: at least one.
        label: stands before the progress bar.

    Raises:
        ValueError: no seeds.
    """
    seeds = list(seeds)
    if not seeds:
        raise ValueError("seeds must hold at least one seed, got none")
    rows = [np.asarray(experiment(seed_everything(seed)), dtype=float) for seed in progress(seeds, label)]
    return Repeats(np.stack(rows))
