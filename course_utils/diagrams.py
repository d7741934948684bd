"""Drawings of networks, made of boxes and arrows rather than of data."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

INPUT, STATE, OUTPUT = "#56B4E9", "#E69F00", "#009E73"  # Okabe & Ito (2008)
KINDS = ("many-to-many", "many-to-one", "one-to-many")


def unrolled_network(kind: str = "many-to-many", steps: int = 4) -> Figure:
    """Draw a recurrent network twice: folded, with its loop, and unrolled over the first steps.

    Inputs are at the bottom, states in the middle, outputs on top; the same matrices stand at every step.

    Args:
        kind: "many-to-many" (an output at each step), "many-to-one" (an output at the last) or "one-to-many"
            (an input at the first).
        steps: number of steps to unroll, 2..8.

    Raises:
        ValueError: an unknown kind or steps out of range.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be in {list(KINDS)}, got {kind!r}")
    if not 2 <= steps <= 8:
        raise ValueError(f"steps must be in 2..8, got {steps}")
    fig = Figure(figsize=(1.5 * steps + 3.2, 3.1))
    ax = fig.add_subplot()
    ax.set(xlim=(-0.8, 1.5 * steps + 2.0), ylim=(-0.55, 2.55), aspect="equal")
    ax.axis("off")

    _column(ax, 0.0, "t", True, True)
    _arrow(ax, (0.36, 1.18), (0.36, 0.82), bend=-2.2)
    ax.text(1.0, 1.0, "$W_{hh}$", ha="center", va="center")
    ax.text(1.55, 1.0, "=", ha="center", va="center", fontsize=20)

    first = 2.6
    _arrow(ax, (first - 0.72, 1.0), (first - 0.36, 1.0))
    ax.text(first - 0.6, 1.12, "$h_0$", ha="center", va="bottom")
    for t in range(1, steps + 1):
        x = first + 1.5 * (t - 1)
        has_input = kind != "one-to-many" or t == 1
        has_output = kind != "many-to-one" or t == steps
        _column(ax, x, str(t), has_input, has_output)
        if t < steps:
            _arrow(ax, (x + 0.36, 1.0), (x + 1.14, 1.0))
            ax.text(x + 0.75, 1.08, "$W_{hh}$", ha="center", va="bottom")
    return fig


def _column(ax: Axes, x: float, index: str, has_input: bool, has_output: bool) -> None:
    """Draw one step at x: the state, and the input below and the output above it where there are any."""
    _box(ax, x, 1.0, f"$h_{index}$", STATE)
    if has_input:
        _box(ax, x, -0.2, f"$x_{index}$", INPUT)
        _arrow(ax, (x, 0.1), (x, 0.7))
        ax.text(x + 0.06, 0.4, "$W_{ih}$", ha="left", va="center")
    if has_output:
        _box(ax, x, 2.2, f"$y_{index}$", OUTPUT)
        _arrow(ax, (x, 1.3), (x, 1.9))
        ax.text(x + 0.06, 1.6, "$W_{ho}$", ha="left", va="center")


def _box(ax: Axes, x: float, y: float, text: str, color: str) -> None:
    shape = FancyBboxPatch(
        (x - 0.28, y - 0.22), 0.56, 0.44, boxstyle="round,pad=0.06", fc=color, ec="black", lw=1
    )
    ax.add_patch(shape)
    ax.text(x, y, text, ha="center", va="center", fontsize=13)


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], bend: float = 0.0) -> None:
    style = f"arc3,rad={bend}"
    ax.add_patch(
        FancyArrowPatch(
            start, end, arrowstyle="-|>", mutation_scale=12, lw=1.2, color="black", connectionstyle=style
        )
    )
