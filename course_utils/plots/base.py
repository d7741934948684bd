"""What the drawing functions share: colors, dashes, an axis to draw into, and bands over repeats."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

BLUE, ORANGE, GREEN, PURPLE, AMBER, SKY, BLACK, YELLOW = (  # Okabe & Ito (2008), the style sheet's cycle
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442",
)  # fmt: skip
GRAY = "#777777"
# Curves stay apart without color.
DASHES = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (6, 1.5, 1, 1.5)), (0, (3, 3)))
MARKERS = "osD^vP*X"


def axes_for(ax: Axes | None, **options: float | tuple[float, float]) -> Axes:
    """Return ax, or the only axes of a new figure."""
    return Figure(**options).add_subplot() if ax is None else ax  # type: ignore[arg-type]


def figure_of(ax: Axes) -> Figure:
    """Return the figure that holds the axes."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    return figure


def array(name: str, values: ArrayLike, dims: int, shape: str) -> NDArray[np.float64]:
    """Return values as float64 with `dims` axes, none empty.

    Raises:
        ValueError: another number of axes, or an empty one; `shape` says in the message what was expected.
    """
    result = np.asarray(values, dtype=float)
    if result.ndim != dims or result.size == 0:
        raise ValueError(f"{name} must be {shape}, got {result.shape}")
    return result


def runs_of(argument: str, name: str, values: ArrayLike, axis: str) -> NDArray[np.float64]:
    """Return (repeats, n) from (repeats, n) or (n,); errors as `array`, with `axis` for n's name."""
    runs = np.atleast_2d(np.asarray(values, dtype=float))
    if runs.ndim != 2 or runs.size == 0:
        raise ValueError(f"{argument}[{name!r}] must be (repeats, {axis}) or ({axis},), got {runs.shape}")
    return runs


def require_some(argument: str, values: Mapping) -> None:
    """Raise ValueError when there is nothing to draw."""
    if not values:
        raise ValueError(f"{argument} must hold at least one curve, got none")
