"""Data of dynamics: a chaotic series, and oscillators seen at irregular times.

Batch first: B series, T steps. Every function draws from a NumPy generator of its own: equal arguments give
equal data, and no global state is touched.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from course_utils.datasets.base import check_at_least


def mackey_glass(
    count: int, steps: int, *, tau: int = 17, substeps: int = 10, discard: int = 500, seed: int
) -> Tensor:
    """Draw series of the Mackey–Glass equation, dx/dt = 0.2 x(t - τ) / (1 + x(t - τ)¹⁰) - 0.1 x(t).

    Data card:
        Origin: Mackey & Glass (1977, "Oscillation and chaos in physiological control systems", Science 197), the
            number of white blood cells that are made in answer to how few there were τ ago. Before
            t = 0 the value is constant, drawn uniformly from 0.5–1.5.
        Licence: computed; nothing to license.
        Size: as many and as long as asked for, one value per unit of time.
        Splits: a seed is a split. Parts of one series are fine too, in order of time.
        Good for: forecasting where error grows exponentially: chaotic from τ = 16.8 on, mildly at 17, strongly
            at 30. Echo state networks are usually judged on it, 84 steps ahead.
        Not good for: long forecasts of one path: after some hundred steps no method knows where it is.

    Args:
        count: B, at least 1.
        steps: T, at least 1.
        tau: τ in units of time, at least 1.
        substeps: steps of the solver per unit of time, at least 1. The error falls with their fourth power.
        discard: first units of time left out, at least 0, while the path finds its attractor.
        seed: of the values before t = 0.

    Returns:
        (B, T) float64, values at t = discard, discard + 1, …

    Raises:
        ValueError: a number too small.
    """
    for name, value in (("count", count), ("steps", steps), ("tau", tau), ("substeps", substeps)):
        check_at_least(name, value, 1)
    check_at_least("discard", discard, 0)
    start = np.random.default_rng(seed).uniform(0.5, 1.5, count)
    path = integrate_mackey_glass(start, (discard + steps - 1) * substeps, tau * substeps, 1 / substeps)
    return torch.from_numpy(path[discard * substeps :: substeps].T.copy())


def integrate_mackey_glass(start: NDArray, steps: int, lag: int, dt: float) -> NDArray:
    """Solve the equation by the classical Runge–Kutta method with a delay of `lag` steps.

    A step needs the delayed value at its two ends, which are known, and in its middle. There the cubic that has
    both ends' values and slopes (Hermite) is exact enough to keep order 4.

    Args:
        start: (B,), the value for all t ≤ 0.
        steps: number of steps.
        lag: τ / dt.
        dt: length of a step.

    Returns:
        (steps + 1, B), values at t = 0, dt, 2 dt, …
    """
    x = np.empty((lag + steps + 1, *start.shape))  # row lag + k holds time k dt
    slope = np.empty_like(x)
    x[: lag + 1] = start

    def rate(now: NDArray, past: NDArray) -> NDArray:
        return 0.2 * past / (1 + past**10) - 0.1 * now

    for k in range(steps):
        now = lag + k
        slope[now] = k1 = rate(x[now], x[k])
        middle = start  # before t = 0; after it, the cubic
        if k >= lag:
            middle = (x[k] + x[k + 1]) / 2 + dt / 8 * (slope[k] - slope[k + 1])
        k2 = rate(x[now] + dt / 2 * k1, middle)
        k3 = rate(x[now] + dt / 2 * k2, middle)
        k4 = rate(x[now] + dt * k3, x[k + 1])
        x[now + 1] = x[now] + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return x[lag:]


class Irregular(NamedTuple):
    """Values at irregular times. `x`, `gaps` and `observed` go into a model, its answers are held against `y`.

    Attributes:
        x: (B, T, 1) float32, what was measured; 0 where nothing was.
        gaps: (B, T) float32, time since the step before, in units of time; 0 at the first step.
        observed: (B, T) bool, False at the questions.
        y: (B, T, 1) float32, the true value at every step, without noise.
    """

    x: Tensor
    gaps: Tensor
    observed: Tensor
    y: Tensor


def irregular_oscillators(
    count: int,
    steps: int = 40,
    *,
    shown: int = 10,
    asked: float = 0.5,
    period: tuple[float, float] = (3.0, 4.0),
    damping: float = 0.05,
    noise: float = 0.02,
    seed: int,
) -> Irregular:
    """Draw damped oscillators measured at random times; at other random times, ask for their value.

    Data card:
        Origin: made by rule, after the periodic sets of Rubanova, Chen & Duvenaud (2019). A row is
            A exp(-γ t) cos(2π t / P + φ), with A from 0.5–1, γ from 0–`damping`, P from `period` and φ from
            0–2π, all uniform and its own. Four gaps in five are drawn from 0.05–0.4, the fifth from
            0.5–2.5, more than half a period.
        Licence: made by rule; nothing to license.
        Size: as many as asked for.
        Splits: a seed is a split.
        Good for: asking whether a model uses the time between observations. The number of steps since the last one
            says little about where the oscillator is now.
        Not good for: asking whether a model finds when things were measured informative: times are drawn without
            regard to values, which in medicine they are not.

    Args:
        count: B, at least 1.
        steps: T, at least `shown` + 1.
        shown: steps at the beginning that are all observed, at least 1.
        asked: share of the later steps that are questions, in (0, 1]; each is one by chance.
        period: shortest and longest period, in units of time.
        damping: largest γ, at least 0, per unit of time.
        noise: standard deviation of the measurements' error, at least 0.
        seed: of the draw.

    Raises:
        ValueError: a number out of range.
    """
    check_at_least("count", count, 1)
    check_at_least("shown", shown, 1)
    check_at_least("steps", steps, shown + 1)
    if not 0 < asked <= 1:
        raise ValueError(f"asked must be in (0, 1], got {asked}")
    if not 0 < period[0] <= period[1]:
        raise ValueError(f"period must be 0 < shortest <= longest, got {period}")
    if not (damping >= 0 and noise >= 0):
        raise ValueError(f"damping and noise must be at least 0, got {damping} and {noise}")
    rng = np.random.default_rng(seed)
    long = rng.random((count, steps)) < 0.2
    gaps = np.where(long, rng.uniform(0.5, 2.5, long.shape), rng.uniform(0.05, 0.4, long.shape))  # (B, T)
    gaps[:, 0] = 0.0
    times = gaps.cumsum(axis=1)
    size, fade, length, phase = (
        rng.uniform(low, high, (count, 1))
        for low, high in ((0.5, 1.0), (0.0, damping), period, (0.0, 2 * np.pi))
    )
    y = size * np.exp(-fade * times) * np.cos(2 * np.pi * times / length + phase)  # (B, T)
    observed = (np.arange(steps) < shown) | (rng.random(y.shape) >= asked)
    x = np.where(observed, y + noise * rng.standard_normal(y.shape), 0.0)
    as_floats = [torch.from_numpy(array.astype(np.float32)) for array in (x, gaps, y)]
    return Irregular(
        as_floats[0][..., None], as_floats[1], torch.from_numpy(observed), as_floats[2][..., None]
    )
