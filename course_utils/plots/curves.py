"""Curves over training steps, over time and over lengths, with the spread over repeats as a band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from course_utils.plots.base import DASHES, GRAY, MARKERS, axes_for, figure_of, require_some, runs_of


def loss_curves(
    histories: Mapping[str, ArrayLike],
    *,
    xlabel: str = "training step",
    ylabel: str = "loss",
    title: str = "",
    log: bool = False,
    smooth: int = 1,
    references: Mapping[str, float] | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw one curve a name: the mean over repeats, with a band of one standard deviation each side.

    Args:
        histories: name to (repeats, steps) or (steps,).
        xlabel, ylabel: with units, where there are any.
        log: logarithmic y axis.
        smooth: width in steps of a trailing moving average; 1 draws what was measured.
        references: name to a value drawn as a dashed line, such as the loss of a constant prediction.
        ax: where to draw.

    Raises:
        ValueError: no histories, an array of other dimensions, or smooth < 1.
    """
    require_some("histories", histories)
    if smooth < 1:
        raise ValueError(f"smooth must be at least 1, got {smooth}")
    ax = axes_for(ax)
    for (name, history), dashes in zip(histories.items(), cycle(DASHES), strict=False):
        runs = runs_of("histories", name, history, "steps")
        runs = np.stack([_trailing_mean(run, smooth) for run in runs])
        x, mean = np.arange(1, runs.shape[1] + 1), runs.mean(axis=0)
        (line,) = ax.plot(x, mean, linestyle=dashes, label=name)
        if len(runs) > 1:
            sd = runs.std(axis=0, ddof=1)
            low = mean - sd
            if log:  # 0 is nowhere on this axis: a band that would reach it ends at the lowest run
                low = np.where(low > 0, low, runs.min(axis=0))
            ax.fill_between(x, low, mean + sd, color=line.get_color(), alpha=0.2, linewidth=0)
    for name, value in (references or {}).items():
        ax.axhline(value, color=GRAY, linestyle="--", linewidth=1.2, label=name)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title, yscale="log" if log else "linear")
    ax.legend()
    return figure_of(ax)


def gradient_flow(
    norms: Mapping[str, ArrayLike],
    *,
    xlabel: str = "time step $t$",
    ylabel: str = r"gradient norm $\|\partial L / \partial h_t\|$",
    title: str = "",
    ax: Axes | None = None,
) -> Figure:
    """Draw how much of the gradient arrives at each step, on a logarithmic axis: the median, and all repeats between.

    A median, since means of numbers that span decades show the largest alone. A norm of exactly 0, where float32
    ran out of exponents, cannot stand on the axis: the curve ends there.

    Args:
        norms: name to (repeats, T) or (T,), step 1 first, at least 0.
        xlabel, ylabel: with units, where there are any.
        ax: where to draw.

    Raises:
        ValueError: no curves, an array of other dimensions, or a norm below 0.
    """
    require_some("norms", norms)
    ax = axes_for(ax)
    for (name, values), dashes in zip(norms.items(), cycle(DASHES), strict=False):
        runs = runs_of("norms", name, values, "T")  # (repeats, T)
        if (runs < 0).any():
            raise ValueError(f"norms[{name!r}] must be at least 0, got {runs.min():g}")
        runs = np.where(runs == 0, np.nan, runs)
        steps = np.arange(1, runs.shape[1] + 1)
        (line,) = ax.plot(steps, np.median(runs, axis=0), linestyle=dashes, label=name)
        if len(runs) > 1:
            ax.fill_between(
                steps, runs.min(axis=0), runs.max(axis=0), color=line.get_color(), alpha=0.2, linewidth=0
            )
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title, yscale="log")
    ax.legend()
    return figure_of(ax)


def results_by_length(
    results: Mapping[str, ArrayLike],
    lengths: Sequence[float],
    *,
    xlabel: str = "sequence length",
    ylabel: str,
    title: str = "",
    trained_to: float | None = None,
    log: bool = False,
    references: Mapping[str, float] | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw a result at each length: the mean over repeats, with one standard deviation each side.

    Args:
        results: name to (repeats, L) or (L,).
        lengths: (L,), rising.
        xlabel, ylabel: with units.
        trained_to: the longest length in training; what lies beyond is shaded.
        log: logarithmic x axis, for lengths that double.
        references: name to a value drawn as a dashed line, such as chance.
        ax: where to draw.

    Raises:
        ValueError: no results, an array that does not fit the lengths, or lengths that do not rise.
    """
    require_some("results", results)
    x = np.asarray(lengths, dtype=float)
    if x.ndim != 1 or (np.diff(x) <= 0).any():
        raise ValueError(f"lengths must be (L,) and rise, got {list(lengths)}")
    ax = axes_for(ax)
    for (name, values), marker, dashes in zip(results.items(), cycle(MARKERS), cycle(DASHES), strict=False):
        runs = runs_of("results", name, values, "L")  # (repeats, L)
        if runs.shape[1] != len(x):
            raise ValueError(f"results[{name!r}] must have L={len(x)} lengths, got {runs.shape[1]}")
        sd = runs.std(axis=0, ddof=1) if len(runs) > 1 else None
        ax.errorbar(x, runs.mean(axis=0), sd, marker=marker, linestyle=dashes, capsize=3, label=name)
    for name, value in (references or {}).items():
        ax.axhline(value, color=GRAY, linestyle="--", linewidth=1.2, label=name)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title, xscale="log" if log else "linear")
    if log:
        ax.set_xticks(x, [f"{length:g}" for length in x])
        ax.minorticks_off()
    if trained_to is not None:
        right = ax.get_xlim()[1]
        ax.axvspan(
            trained_to,
            max(right, trained_to),
            color=GRAY,
            alpha=0.15,
            linewidth=0,
            label="longer than in training",
        )
        ax.set_xlim(right=right)
    drawn = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    order = [*results, *(label for label in drawn if label not in results)]  # curves first
    # On a plate, which hides the lines beneath.
    ax.legend([drawn[label] for label in order], order, frameon=True, framealpha=0.9, edgecolor="none")
    return figure_of(ax)


def _trailing_mean(run: NDArray, width: int) -> NDArray:
    """Average each value with up to width - 1 before it: the length stays, nothing of the future is seen."""
    sums = np.concatenate([[0.0], run.cumsum()])
    ends = np.arange(1, len(run) + 1)
    starts = np.maximum(ends - width, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)
