"""Hidden states seen through their two main directions (principal components: Pearson, 1901)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from course_utils.plots.base import DASHES, GRAY, array, axes_for, figure_of, require_some


def principal_components(
    states: ArrayLike, count: int = 2
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the directions in which states vary most, by a singular value decomposition.

    Args:
        states: (N, H).
        count: how many directions, 1..min(N, H).

    Returns:
        directions: (count, H), of length 1, at right angles; the largest entry of each is positive, so that equal
            states give equal pictures.
        shares: (count,), 0..1, of the variance along each.
        mean: (H,). Coordinates are (states - mean) @ directions.T.

    Raises:
        ValueError: states is not (N, H), or count is out of range.
    """
    values = array("states", states, 2, "(N, H)")
    if not 1 <= count <= min(values.shape):
        raise ValueError(f"count must be in 1..{min(values.shape)}, got {count}")
    mean = values.mean(axis=0)
    _, sizes, directions = np.linalg.svd(values - mean, full_matrices=False)
    directions = directions[:count]
    largest = np.abs(directions).argmax(axis=1)
    directions = directions * np.sign(directions[np.arange(count), largest])[:, None]
    total = (sizes**2).sum()
    shares = sizes[:count] ** 2 / total if total else np.zeros(count)
    return directions, shares, mean


def hidden_trajectories(
    trajectories: Mapping[str, ArrayLike],
    *,
    tokens: Mapping[str, Sequence[str]] | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Figure:
    """Draw the paths that hidden states take, in the plane in which all of them together vary most.

    A ring marks the first state of each path, a filled square the last.

    Args:
        trajectories: name to (T, H), of one H; T may differ.
        tokens: name to T tokens, each written beside the state after it was read; names may be missing.
        ax: where to draw.

    Raises:
        ValueError: no trajectories, one that is not (T, H) of the same H ≥ 2, or tokens that do not fit.
    """
    require_some("trajectories", trajectories)
    paths = {name: array(f"trajectories[{name!r}]", path, 2, "(T, H)") for name, path in trajectories.items()}
    sizes = {path.shape[1] for path in paths.values()}
    if len(sizes) > 1:
        raise ValueError(f"trajectories must share one H, got {sorted(sizes)}")
    directions, shares, mean = principal_components(np.concatenate(list(paths.values())))
    ax = axes_for(ax, figsize=(7, 4.6))
    for (name, path), dashes in zip(paths.items(), cycle(DASHES), strict=False):
        x, y = directions @ (path - mean).T  # (2, T)
        (line,) = ax.plot(x, y, linestyle=dashes, marker=".", markersize=5, label=name)
        color = line.get_color()
        ax.plot(x[:1], y[:1], "o", markersize=10, color=color, markerfacecolor="none", markeredgewidth=2)
        ax.plot(x[-1:], y[-1:], "s", markersize=8, color=color)
        written = (tokens or {}).get(name, ())
        if len(written) not in (0, len(path)):
            raise ValueError(f"tokens[{name!r}] must be T={len(path)} tokens, got {len(written)}")
        for word, point in zip(written, zip(x, y, strict=True), strict=False):
            ax.annotate(word, point, xytext=(5, 4), textcoords="offset points", fontsize=11, color=color)
    ax.plot(
        [], [], "o", markersize=10, color=GRAY, markerfacecolor="none", markeredgewidth=2, label="first state"
    )
    ax.plot([], [], "s", markersize=8, color=GRAY, label="last state")
    _name_components(ax, shares)
    ax.margins(0.08)
    ax.set(title=title)
    ax.legend()
    return figure_of(ax)


def hidden_scatter(
    states: ArrayLike, values: ArrayLike, *, label: str, title: str = "", ax: Axes | None = None
) -> Figure:
    """Draw states as points in the plane in which they vary most, colored by a number such as bracket depth.

    Args:
        states: (N, H), H ≥ 2.
        values: (N,).
        label: what the numbers are, with the unit; stands at the color bar.
        ax: where to draw.

    Raises:
        ValueError: shapes that do not fit.
    """
    points = array("states", states, 2, "(N, H)")
    shades = np.asarray(values, dtype=float)
    if shades.shape != points.shape[:1]:
        raise ValueError(f"values must be (N,)=({len(points)},), got {shades.shape}")
    directions, shares, mean = principal_components(points)
    ax = axes_for(ax, figsize=(7, 4.2))
    x, y = directions @ (points - mean).T  # (2, N)
    drawn = ax.scatter(x, y, c=shades, s=18, linewidths=0.3, edgecolors="black")
    ax.figure.colorbar(drawn, ax=ax, label=label)
    _name_components(ax, shares)
    ax.set(title=title)
    return figure_of(ax)


def _name_components(ax: Axes, shares: NDArray) -> None:
    first, second = (f"component {i} ({100 * share:.0f} % of variance)" for i, share in enumerate(shares, 1))
    ax.set(xlabel=first, ylabel=second)
