"""The picture of a class's totals: how many students lie in each band of points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from course_utils.figures import to_png, use_course_style
from course_utils.plotting import ORANGE

MOST_BANDS = 12
SHARPNESS = 2  # pixels of the picture for each that it takes on the page


def bands(points: float) -> list[float]:
    """Borders of at most twelve bands of equal, round width, the first at 0 and the last at `points` or the next border above."""
    for width in (scale * step for scale in (0.1, 1, 10, 100, 1000) for step in (1, 2, 2.5, 5)):
        count = math.ceil(round(points / width, 9))
        if count <= MOST_BANDS:
            return [round(width * n, 9) for n in range(max(1, count) + 1)]
    return [0.0, points]


def counts_in(totals: Sequence[float], borders: Sequence[float]) -> list[int]:
    """How many totals lie in each band: one on a border lies above it, one at or beyond the last border in the last band."""
    counts = [0] * (len(borders) - 1)
    width = borders[1] - borders[0]
    for total in totals:
        counts[min(len(counts) - 1, math.floor(round(total / width, 9)))] += 1
    return counts


def histogram(totals: Sequence[float], points: float) -> tuple[bytes, tuple[int, int], str]:
    """Draw totals.

    Args:
        totals: at least one, each 0 or more.
        points: the most there are to get.

    Returns:
        PNG bytes, width and height on the page, and what the picture shows in words.
    """
    borders = bands(points)
    counts = counts_in(totals, borders)
    middle = median(totals)
    with matplotlib.rc_context():
        use_course_style()
        figure = Figure(figsize=(7.6, 2.7), dpi=100 * SHARPNESS)
        axes = figure.add_subplot()
        drawn = axes.bar(borders[:-1], counts, width=borders[1], align="edge", edgecolor="white")
        for label in axes.bar_label(drawn, [str(count or "") for count in counts], padding=3):
            label.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1})
        axes.axvline(middle, color=ORANGE, linestyle="--", label=f"median {middle:.1f}")
        axes.legend(loc="upper left")
        axes.set_xticks(borders)
        axes.set(xlabel=f"total (points of {points:g})", ylabel="students", ylim=(0, max(counts) * 1.3))
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
        axes.grid(False, axis="x")
        picture, (wide, high) = to_png(figure)
    found = [
        f"{count} from {low:g} to {high:g}"
        for low, high, count in zip(borders, borders[1:], counts, strict=False)
        if count
    ]
    words = f"Totals of {len(totals)} students, in points: {'; '.join(found)}. The median is {middle:.1f}."
    return picture, (wide // SHARPNESS, high // SHARPNESS), words
