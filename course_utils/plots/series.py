"""Series over time: forecasts, their uncertainty, and what stands out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_utils.plots.base import AMBER, BLACK, BLUE, MARKERS, ORANGE, array, axes_for, figure_of

Span = tuple[int, int]


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
    ax = axes_for(ax)
    ax.plot(np.arange(len(true)), true, color=BLACK, label="true", zorder=1)
    for marker, (name, prediction) in zip(MARKERS * len(predictions), predictions.items(), strict=False):
        values = np.asarray(prediction, dtype=float)
        if values.ndim != 1 or len(values) > len(true):
            raise ValueError(f"predictions[{name!r}] must be (K,), K <= {len(true)}, got {values.shape}")
        x = np.arange(len(true) - len(values), len(true))
        ax.plot(x, values, linestyle="--", marker=marker, markersize=5, label=name)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    ax.legend()
    return figure_of(ax)


def forecast_fan(
    truth: ArrayLike,
    quantiles: Mapping[float, ArrayLike],
    *,
    xlabel: str = "step",
    ylabel: str = "value",
    title: str = "",
    ax: Axes | None = None,
) -> Figure:
    """Draw a true sequence and, over its last steps, nested bands in which the model expected it.

    Each pair of quantiles q and 1 - q gives a band that should hold the truth in a share 1 - 2 q of the steps.

    Args:
        truth: (T,).
        quantiles: level (0..1, exclusive) to (K,), K ≤ T: forecasts of the last K values. Levels come in pairs,
            0.1 with 0.9; 0.5, the median, is drawn as a line and may be missing.
        xlabel, ylabel: with units.
        ax: where to draw.

    Raises:
        ValueError: no quantiles, a level out of range or without its partner, shapes that do not fit, or
            quantiles that cross.
    """
    true = array("truth", truth, 1, "(T,)")
    levels = sorted(quantiles)
    if not levels or not all(0 < level < 1 for level in levels):
        raise ValueError(f"quantiles must have levels more than 0 and less than 1, got {levels}")
    if not np.allclose(levels, 1 - np.array(levels[::-1])):
        raise ValueError(f"quantiles must come in pairs q and 1 - q, got {levels}")
    shapes = {np.shape(quantiles[level]) for level in levels}
    if len(shapes) > 1 or any(len(shape) != 1 or not 1 <= shape[0] <= len(true) for shape in shapes):
        raise ValueError(f"quantiles must be (K,) of one K in 1..T={len(true)}, got {sorted(shapes)}")
    values = np.array([np.asarray(quantiles[level], dtype=float) for level in levels])  # (levels, K)
    if (np.diff(values, axis=0) < 0).any():
        raise ValueError("quantiles must not cross: a higher level must not have a lower value")
    ax = axes_for(ax)
    x = np.arange(len(true) - values.shape[1], len(true))
    bands = len(levels) // 2
    for i in range(bands):
        share = f"{100 * (levels[-1 - i] - levels[i]):.0f} % band"
        # Opaque shades from light to dark: bands that shine through each other would show colors of no legend entry.
        shade = 0.2 + 0.45 * i / max(bands - 1, 1)
        color = tuple(1 - shade * (1 - c) for c in (0.0, 0.447, 0.698))
        ax.fill_between(x, values[i], values[-1 - i], color=color, linewidth=0, label=share)
    if len(levels) % 2:
        ax.plot(x, values[bands], color=BLUE, linestyle="--", label="median forecast")
    ax.plot(np.arange(len(true)), true, color=BLACK, label="true")
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    ax.legend()
    return figure_of(ax)


def anomaly_spans(
    series: ArrayLike,
    labeled: Sequence[Span],
    flags: ArrayLike,
    *,
    score: ArrayLike | None = None,
    threshold: float | None = None,
    xlabel: str = "step",
    ylabel: str = "value",
    score_label: str = "anomaly score",
    title: str = "",
) -> Figure:
    """Draw a series with its labeled windows shaded and the detector's alarms marked; below it, the score.

    Args:
        series: (T,).
        labeled: (start, stop) pairs, stop not included.
        flags: (T,), True where the detector raised an alarm.
        score: (T,), drawn in a panel of its own when given.
        threshold: drawn in that panel as a dashed line.
        xlabel, ylabel, score_label: with units.

    Raises:
        ValueError: shapes that do not fit, a window outside 0..T, or a threshold without a score.
    """
    values = array("series", series, 1, "(T,)")
    raised = np.asarray(flags, dtype=bool)
    if raised.shape != values.shape:
        raise ValueError(f"flags must be {values.shape}, got {raised.shape}")
    if threshold is not None and score is None:
        raise ValueError("threshold must stand in the panel of a score: score is None")
    for start, stop in labeled:
        if not 0 <= start < stop <= len(values):
            raise ValueError(f"labeled must be in 0..T={len(values)}, start before stop, got {(start, stop)}")
    scores = None if score is None else array("score", score, 1, "(T,)")
    if scores is not None and scores.shape != values.shape:
        raise ValueError(f"score must be {values.shape}, got {scores.shape}")
    fig = Figure(figsize=(7, 3.0 if scores is None else 4.4))
    heights = [2] if scores is None else [2, 1]
    panels = fig.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    x, top = np.arange(len(values)), panels[0]
    for ax in panels:
        for i, (start, stop) in enumerate(labeled):
            label = "labeled anomaly" if i == 0 else None
            ax.axvspan(start - 0.5, stop - 0.5, facecolor=AMBER, alpha=0.35, linewidth=0, label=label)
    top.plot(x, values, color=BLUE, linewidth=1.2)
    top.plot(
        x[raised],
        values[raised],
        "v",
        color=ORANGE,
        markeredgecolor=BLACK,
        markeredgewidth=0.5,
        label="alarm",
    )
    top.set(ylabel=ylabel)
    top.set_title(title, pad=26)  # above the legend, which has no free corner among the data
    top.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2)
    if scores is not None:
        panels[1].plot(x, scores, color=BLACK, linewidth=1.2)
        panels[1].set(ylabel=score_label)
        if threshold is not None:
            panels[1].axhline(threshold, color=ORANGE, linestyle="--", linewidth=1.4, label="threshold")
            panels[1].legend(handles=[panels[1].lines[-1]])
    panels[-1].set(xlabel=xlabel)
    return fig
