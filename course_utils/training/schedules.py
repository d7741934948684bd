"""How likely the decoder sees the true previous token rather than its own, as training goes on.

Bengio, Vinyals, Jaitly & Shazeer (2015), "Scheduled sampling for sequence prediction with recurrent neural networks",
section 2.4. At step i, ε_i is the chance of the true token: 1 is teacher forcing, 0 is what the model meets when it
writes alone.

    linear           ε_i = max(ε, k - c i)
    exponential      ε_i = k^i                     k < 1
    inverse sigmoid  ε_i = k / (k + exp(i / k))    k ≥ 1

Each takes one step or an array of steps, so that a schedule can be drawn as well as followed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def linear_decay(step: ArrayLike, *, slope: float, start: float = 1.0, floor: float = 0.0) -> Any:
    """Return max(floor, start - slope · step): a number for a number, an array for an array.

    Args:
        step: i, at least 0.
        slope: c, the fall a step, at least 0; 1/N falls from 1 to 0 in N steps.
        start: k, the chance at step 0, in floor..1.
        floor: ε, below which it never falls, 0..1.

    Raises:
        ValueError: a step below 0, or a setting out of range.
    """
    if not 0 <= floor <= start <= 1:
        raise ValueError(f"floor and start must be in 0 <= floor <= start <= 1, got {floor} and {start}")
    if not slope >= 0:
        raise ValueError(f"slope must be at least 0, got {slope}")
    return _plain(np.maximum(floor, start - slope * _steps(step)))


def exponential_decay(step: ArrayLike, *, k: float) -> Any:
    """Return k ** step; half is reached at step log(1/2) / log(k).

    Args:
        step: i, at least 0.
        k: 0 < k < 1; the closer to 1, the slower.

    Raises:
        ValueError: a step below 0, or k out of range.
    """
    if not 0 < k < 1:
        raise ValueError(f"k must be more than 0 and less than 1, got {k}")
    return _plain(np.power(k, _steps(step)))


def inverse_sigmoid_decay(step: ArrayLike, *, k: float) -> Any:
    """Return k / (k + exp(step / k)): near 1 for long, half at step k · log(k), then falling to 0.

    At step 0 it is k / (k + 1), not quite 1.

    Args:
        step: i, at least 0.
        k: at least 1; the larger, the later and the slower.

    Raises:
        ValueError: a step below 0, or k < 1.
    """
    if not k >= 1:
        raise ValueError(f"k must be at least 1, got {k}")
    # The same as a sigmoid of log(k) - step / k; in this form no exp overflows, however late the step.
    return _plain(np.exp(-np.logaddexp(0.0, _steps(step) / k - np.log(k))))


def _steps(step: ArrayLike) -> NDArray[np.float64]:
    steps = np.asarray(step, dtype=float)
    if not (steps >= 0).all():
        raise ValueError(f"step must be at least 0, got {steps[~(steps >= 0)].ravel()[0]:g}")
    return steps


def _plain(values: NDArray[np.float64]) -> Any:
    return float(values) if np.ndim(values) == 0 else values
