"""Seed, device and budget: what a notebook settles before it computes anything.

A budget says how much work to do, never how long it may take. Notebooks ask for step counts with
`steps(quick=…, default=…, full=…)`, so the same cell runs in a test, on a laptop and overnight.
The level comes from the environment variable COURSE_BUDGET. torch is imported only by the functions that
need it, so that importing this module stays cheap.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

BUDGET_VARIABLE = "COURSE_BUDGET"


class Budget(StrEnum):
    """How much work to do: `quick` for tests and grading, `default` for students, `full` for research."""

    QUICK = "quick"
    DEFAULT = "default"
    FULL = "full"


def budget() -> Budget:
    """Return the current level; `default` when COURSE_BUDGET is unset or empty.

    Raises:
        ValueError: COURSE_BUDGET holds anything but a level's name.
    """
    name = os.environ.get(BUDGET_VARIABLE, "") or Budget.DEFAULT
    try:
        return Budget(name)
    except ValueError:
        levels = ", ".join(Budget)
        raise ValueError(f"{BUDGET_VARIABLE} must be one of {levels}, got {name!r}") from None


def steps(*, quick: int, default: int, full: int) -> int:
    """Return the count that belongs to the current budget.

    Args:
        quick, default, full: a count for each level, at least 1 (training steps, epochs, seeds, samples).

    Raises:
        ValueError: a count is below 1, or COURSE_BUDGET holds no level.
    """
    counts = {Budget.QUICK: quick, Budget.DEFAULT: default, Budget.FULL: full}
    for level, count in counts.items():
        if count < 1:
            raise ValueError(f"{level} must be at least 1, got {count}")
    return counts[budget()]


def seed_everything(seed: int) -> int:
    """Seed the global generators of Python, NumPy and torch (every device), and return the seed.

    Args:
        seed: 0 ≤ seed < 2³², the range that NumPy's global generator accepts.

    Raises:
        ValueError: the seed is outside that range.
    """
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed must be in 0..2**32 - 1, got {seed}")
    import torch

    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    return seed


def device() -> torch.device:
    """Return the CUDA device when there is one, else the CPU.

    Apple's `mps` is never the default: it has no float64, in which many checks of this course compare.
    """
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextmanager
def single_thread() -> Iterator[None]:
    """Run the block on one CPU thread of torch, then restore the number of threads.

    The matrices of a small recurrent network are too small to share: threads spend the time waiting for
    each other, most of all when several processes run at once.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
