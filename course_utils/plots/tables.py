"""Numbers in cells and bars, each written where it is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_utils.plots.base import GRAY, array, axes_for, figure_of


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
    for name, table in (("means", values), ("sds", spread)):
        if table.shape != (len(rows), len(columns)):
            raise ValueError(f"{name} must be {(len(rows), len(columns))}, got {table.shape}")
    ax = axes_for(ax)
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
    return figure_of(ax)


def confusion_matrix(
    counts: ArrayLike, names: Sequence[str], *, title: str = "", ax: Axes | None = None
) -> Figure:
    """Draw what each class was taken for: cells colored by their share of the row, with share and count written in.

    Args:
        counts: (C, C), row = true class, column = predicted, as `metrics.confusion_counts` returns.
        names: of the C classes.
        ax: where to draw.

    Raises:
        ValueError: counts is not (C, C) for C names, or has an entry below 0.
    """
    values = array("counts", counts, 2, "(C, C)")
    if values.shape != (len(names), len(names)):
        raise ValueError(f"counts must be {(len(names), len(names))}, got {values.shape}")
    if (values < 0).any():
        raise ValueError(f"counts must be at least 0, got {values.min():g}")
    side = 1.6 + (0.85 if len(names) <= 4 else 0.62) * len(names)
    ax = axes_for(ax, figsize=(side + 1.4, side))
    totals = values.sum(axis=1, keepdims=True)
    shares = np.divide(values, totals, out=np.zeros_like(values), where=totals > 0)
    image = ax.imshow(shares, vmin=0, vmax=1)
    for (i, j), share in np.ndenumerate(shares):
        text = f"{100 * share:.0f} %\n({values[i, j]:g})" if values[i, j] else "0"
        ax.text(j, i, text, ha="center", va="center", color="white" if share < 0.5 else "black", fontsize=9)
    ax.set_xticks(range(len(names)), names, rotation=45 if max(map(len, names)) > 6 else 0)
    ax.set_yticks(range(len(names)), names)
    ax.set(xlabel="predicted class", ylabel="true class", title=title)
    ax.grid(False)
    ax.figure.colorbar(image, ax=ax, label="share of the true class", shrink=0.8)
    return figure_of(ax)


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
    ax = axes_for(ax)
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
    return figure_of(ax)
