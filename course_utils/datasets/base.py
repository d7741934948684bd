"""What every data set shares: the splits, and how they are made.

A data set is a function. Its docstring is its data card: origin, licence, size, splits, what it is good and
not good for. It returns `Splits`, whose three parts have one type, named on the card: a list of records, or
batch-first tensors. Sets that are drawn without end (`adding_problem`) return one draw; a seed is a split.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

Part = TypeVar("Part")
Other = TypeVar("Other")
Record = TypeVar("Record")
NAMES = ("train", "valid", "test")


@dataclass(frozen=True)
class Splits(Generic[Part]):
    """Train to learn from, valid to choose by, test to report once."""

    train: Part
    valid: Part
    test: Part

    def __iter__(self) -> Iterator[Part]:
        return iter((self.train, self.valid, self.test))

    def map(self, function: Callable[[Part], Other]) -> Splits[Other]:
        """Return the three parts, each passed through `function`."""
        return Splits(function(self.train), function(self.valid), function(self.test))


def split_by_seed(
    records: Sequence[Record], *, valid: float = 0.1, test: float = 0.1, seed: int = 0
) -> Splits[list[Record]]:
    """Deal records into splits in an order that the seed fixes; equal arguments, equal splits.

    Args:
        records: at least one for each split. Remove duplicates first, or they may stand on both sides.
        valid, test: shares, each more than 0, together less than 1. Sizes are rounded.
        seed: of the order.

    Raises:
        ValueError: shares out of range, or too few records for three parts.
    """
    order = np.random.default_rng(seed).permutation(len(records))
    return split_in_order([records[i] for i in order], valid=valid, test=test)


def split_in_order(
    records: Sequence[Record], *, valid: float = 0.1, test: float = 0.1
) -> Splits[list[Record]]:
    """Cut records that stand in time order: train first, then valid, then test. Errors as `split_by_seed`."""
    if not (valid > 0 and test > 0 and valid + test < 1):
        raise ValueError(f"valid and test must be more than 0 and together less than 1, got {valid}, {test}")
    count = len(records)
    n_valid, n_test = round(valid * count), round(test * count)
    n_train = count - n_valid - n_test
    if min(n_train, n_valid, n_test) < 1:
        raise ValueError(
            f"{count} records are too few for a train, a valid ({valid}) and a test ({test}) part"
        )
    rows = list(records)
    return Splits(rows[:n_train], rows[n_train : n_train + n_valid], rows[n_train + n_valid :])


def check_at_least(name: str, value: int, least: int) -> None:
    """Raise ValueError, with the argument's name, when a number is too small."""
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")
