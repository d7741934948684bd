"""Figures of the course: one style, colors that color-blind readers tell apart, and words for every picture.

    use_course_style()
    show(loss_curves({"tanh": losses}), alt="The tanh network's loss falls from 0.17 to 0.01 in 400 steps.")

Each function draws into `ax`, or into a new figure when it gets none, and returns the figure. New figures are
unknown to pyplot: nothing appears twice and nothing has to be closed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from course_utils.diagrams import unrolled_network
from course_utils.figures import show, use_course_style

BLUE, ORANGE, GREEN, PURPLE, AMBER, SKY, BLACK, YELLOW = (  # Okabe & Ito (2008), the style sheet's cycle
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442",
)  # fmt: skip
GRAY = "#777777"

__all__ = [
    "bars",
    "forecast",
    "heatmap_table",
    "loss_curves",
    "show",
    "unrolled_network",
    "use_course_style",
]


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
    if not histories:
        raise ValueError("histories must hold at least one curve, got none")
    if smooth < 1:
        raise ValueError(f"smooth must be at least 1, got {smooth}")
    ax = _axes(ax)
    for name, history in histories.items():
        runs = np.atleast_2d(np.asarray(history, dtype=float))  # (repeats, steps)
        if runs.ndim != 2:
            raise ValueError(f"histories[{name!r}] must be (repeats, steps) or (steps,), got {runs.shape}")
        runs = np.stack([_trailing_mean(run, smooth) for run in runs])
        x, mean = np.arange(1, runs.shape[1] + 1), runs.mean(axis=0)
        (line,) = ax.plot(x, mean, label=name)
        if len(runs) > 1:
            sd = runs.std(axis=0, ddof=1)
            ax.fill_between(x, mean - sd, mean + sd, color=line.get_color(), alpha=0.2, linewidth=0)
    for name, value in (references or {}).items():
        ax.axhline(value, color=GRAY, linestyle="--", linewidth=1.2, label=name)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title, yscale="log" if log else "linear")
    ax.legend()
    return _figure(ax)


def heatmap_table(
    means: ArrayLike,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    sds: ArrayLike | None = None,
    label: str,
    title: str = "",
    row_title: str = "",
    column_title: str = "",
    spec: str = ".3f",
    log: bool = False,
    ax: Axes | None = None,
) -> Figure:
    """Draw a table of results whose cells are colored by value, each with its number written in.

    Args:
        means: (rows, columns).
        rows, columns: their names.
        sds: (rows, columns), written after a ± where finite.
        label: what the numbers are, with the unit; stands at the color bar.
        row_title, column_title: what varies along each axis.
        spec: format of the numbers.
        log: color by the logarithm, for values that span decades; all must be positive.
        ax: where to draw.

    Raises:
        ValueError: means or sds do not have the shape (rows, columns).
    """
    values = np.asarray(means, dtype=float)
    spread = np.full(values.shape, np.nan) if sds is None else np.asarray(sds, dtype=float)
    for name, array in (("means", values), ("sds", spread)):
        if array.shape != (len(rows), len(columns)):
            raise ValueError(f"{name} must be {(len(rows), len(columns))}, got {array.shape}")
    ax = _axes(ax)
    image = ax.imshow(values, aspect="auto", norm="log" if log else "linear")
    shades = np.asarray(image.norm(values))  # 0 is the dark end of the color map, NaN stays white
    for (i, j), value in np.ndenumerate(values):
        text = f"{value:{spec}}" + (f" ± {spread[i, j]:{spec}}" if np.isfinite(spread[i, j]) else "")
        ax.text(j, i, text, ha="center", va="center", color="white" if shades[i, j] < 0.5 else "black")
    ax.set_xticks(range(len(columns)), columns)
    ax.set_yticks(range(len(rows)), rows)
    ax.set(xlabel=column_title, ylabel=row_title, title=title)
    ax.grid(False)
    ax.figure.colorbar(image, ax=ax, label=label)
    return _figure(ax)


def bars(
    means: Mapping[str, float],
    *,
    sds: Mapping[str, float] | None = None,
    label: str,
    title: str = "",
    spec: str = ".3f",
    references: Mapping[str, float] | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw one horizontal bar a name, the first on top, with one standard deviation as a whisker.

    Args:
        means: name to value.
        sds: name to standard deviation; names may be missing.
        label: what the numbers are, with the unit.
        spec: format of the number at the end of each bar.
        references: name to a value drawn as a dashed line.
        ax: where to draw.
    """
    ax = _axes(ax)
    names, values = list(means), list(means.values())
    whiskers = [(sds or {}).get(name, np.nan) for name in names]
    drawn = ax.barh(names, values, height=0.6, xerr=whiskers, error_kw={"capsize": 3})
    ends = [
        f"{value:{spec}}" + (f" ± {sd:{spec}}" if np.isfinite(sd) else "")
        for value, sd in zip(values, whiskers, strict=True)
    ]
    ax.bar_label(drawn, ends, padding=6)
    for name, value in (references or {}).items():
        ax.axvline(value, color=GRAY, linestyle="--", linewidth=1.2, label=name)
    if references:
        ax.legend()
    ax.margins(x=0.2)
    ax.invert_yaxis()
    ax.grid(False, axis="y")
    ax.set(xlabel=label, title=title)
    return _figure(ax)


def forecast(
    truth: ArrayLike,
    predictions: Mapping[str, ArrayLike],
    *,
    xlabel: str = "step",
    ylabel: str = "value",
    title: str = "",
    ax: Axes | None = None,
) -> Figure:
    """Draw a true sequence and what models predicted for its last steps.

    Args:
        truth: (T,).
        predictions: name to (K,), K ≤ T: predictions of the last K values.
        xlabel, ylabel: with units.
        ax: where to draw.

    Raises:
        ValueError: truth is no sequence, or a prediction is longer.
    """
    true = np.asarray(truth, dtype=float)
    if true.ndim != 1:
        raise ValueError(f"truth must be (T,), got {true.shape}")
    ax = _axes(ax)
    ax.plot(np.arange(len(true)), true, color=BLACK, label="true", zorder=1)
    for marker, (name, prediction) in zip("osD^vP*X" * len(predictions), predictions.items(), strict=False):
        values = np.asarray(prediction, dtype=float)
        if values.ndim != 1 or len(values) > len(true):
            raise ValueError(f"predictions[{name!r}] must be (K,), K <= {len(true)}, got {values.shape}")
        x = np.arange(len(true) - len(values), len(true))
        ax.plot(x, values, linestyle="--", marker=marker, markersize=5, label=name)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    ax.legend()
    return _figure(ax)


def _axes(ax: Axes | None) -> Axes:
    return Figure().add_subplot() if ax is None else ax


def _figure(ax: Axes) -> Figure:
    figure = ax.get_figure(root=True)
    assert figure is not None
    return figure


def _trailing_mean(run: NDArray, width: int) -> NDArray:
    """Average each value with up to width - 1 before it: the length stays, nothing of the future is seen."""
    sums = np.concatenate([[0.0], run.cumsum()])
    ends = np.arange(1, len(run) + 1)
    starts = np.maximum(ends - width, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)
