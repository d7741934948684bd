"""What a network does at each token: where it looks, and which gates are open."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_utils.plots.base import array, axes_for, figure_of

VISIBLE = {" ": "␣", "\n": "↵", "\t": "→", "": "∅"}


def attention_heatmap(
    weights: ArrayLike,
    source: Sequence[str],
    target: Sequence[str],
    *,
    xlabel: str = "source token",
    ylabel: str = "target token",
    title: str = "",
    ax: Axes | None = None,
) -> Figure:
    """Draw how much of each target step's attention lies on each source token: one row a target step.

    Args:
        weights: (T, S), each 0..1.
        source, target: the S and the T tokens; cut padding off before.
        ax: where to draw.

    Raises:
        ValueError: weights is not (T, S), or holds something outside 0..1.
    """
    values = array("weights", weights, 2, "(T, S)")
    if values.shape != (len(target), len(source)):
        raise ValueError(f"weights must be (T, S)={(len(target), len(source))}, got {values.shape}")
    if not ((values >= 0) & (values <= 1 + 1e-6)).all():
        raise ValueError(f"weights must be in 0..1, got {values.min():g}..{values.max():g}")
    width = min(max(3.6, 2.2 + 0.34 * len(source)), 9.0)
    ax = axes_for(ax, figsize=(width, min(max(2.6, 1.3 + 0.3 * len(target)), 9.0)))
    image = ax.imshow(values, vmin=0, vmax=1, aspect="auto")
    _token_ticks(ax, source)
    ax.set_yticks(range(len(target)), [_visible(token) for token in target])
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    ax.grid(False)
    ax.figure.colorbar(image, ax=ax, label="attention weight")
    return figure_of(ax)


def gate_activity(
    activity: ArrayLike,
    tokens: Sequence[str],
    units: Sequence[str] | None = None,
    *,
    label: str = "gate activation",
    limits: tuple[float, float] = (0.0, 1.0),
    width: int = 40,
    title: str = "",
) -> Figure:
    """Draw how active units are at each token of a text: one row a unit, the text below, in lines like a page.

    One unit alone shows best what it follows, in the manner of Karpathy, Johnson & Fei-Fei (2016).

    Args:
        activity: (U, T), or (T,) for one unit.
        tokens: the T characters or words; blanks and line ends are drawn as ␣ and ↵.
        units: names of the rows; "unit 0", "unit 1", … when None.
        label: what the numbers are; stands at the color bar.
        limits: values of the two ends of the color map: (0, 1) for gates, (-1, 1) for states.
        width: tokens a line, at least 1; fewer for words.

    Raises:
        ValueError: activity, tokens and units do not fit together, or width < 1.
    """
    values = array("activity", np.atleast_2d(np.asarray(activity, dtype=float)), 2, "(U, T) or (T,)")
    names = [f"unit {i}" for i in range(len(values))] if units is None else list(units)
    if values.shape != (len(names), len(tokens)):
        raise ValueError(f"activity must be (U, T)={(len(names), len(tokens))}, got {values.shape}")
    if width < 1:
        raise ValueError(f"width must be at least 1, got {width}")
    width = min(width, len(tokens))
    lines = -(-len(tokens) // width)
    words = max(map(len, tokens)) > 2
    height = lines * (0.26 * len(names) + (0.75 if words else 0.42)) + 0.7
    fig = Figure(figsize=(min(max(4.0, 1.8 + 0.2 * width), 9.5), max(height, 1.7)))
    panels = fig.subplots(lines, 1, squeeze=False)[:, 0]
    for i, ax in enumerate(panels):
        part = slice(i * width, (i + 1) * width)
        image = ax.imshow(values[:, part], vmin=limits[0], vmax=limits[1], aspect="auto")
        ax.set_xlim(-0.5, width - 0.5)  # each line as wide as the first, wherever its text ends
        _token_ticks(ax, tokens[part], monospace=True)
        ax.set_yticks(range(len(names)), names)
        ax.grid(False)
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0)
    panels[0].set_title(title)
    panels[-1].set_xlabel("text, from left to right")
    fig.colorbar(image, ax=list(panels), label=label, aspect=max(6, 4 * height), pad=0.02)
    return fig


def _token_ticks(ax: Axes, tokens: Sequence[str], monospace: bool = False) -> None:
    shown = [_visible(token) for token in tokens]
    long = max(map(len, shown)) > 2
    family = "DejaVu Sans Mono" if monospace else None
    ax.set_xticks(range(len(tokens)), shown, rotation=90 if long else 0, fontfamily=family)


def _visible(token: str) -> str:
    return VISIBLE.get(token, token).replace("$", r"\$")  # a lone dollar would begin a formula
