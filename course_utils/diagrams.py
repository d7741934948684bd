"""Drawings of networks, made of boxes and arrows rather than of data."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

from course_utils.plots.base import figure_of

INPUT, STATE, OUTPUT, BACK = "#56B4E9", "#E69F00", "#009E73", "#CC79A7"  # Okabe & Ito (2008)
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


def stacked_network(layers: int = 2, steps: int = 4, *, residual: bool = False) -> Figure:
    """Draw a deep network unrolled over steps: each layer reads the states of the one below.

    Args:
        layers: 2..4.
        steps: 2..6.
        residual: draw what goes around each layer, from its input to the sum above it.

    Raises:
        ValueError: layers or steps out of range.
    """
    if not 2 <= layers <= 4:
        raise ValueError(f"layers must be in 2..4, got {layers}")
    if not 2 <= steps <= 6:
        raise ValueError(f"steps must be in 2..6, got {steps}")
    rise = 1.45 if residual else 1.15  # from one row to the next
    top = rise * (layers + 1)
    ax = _canvas((-1.1, 1.6 * (steps - 1) + 0.8), (-0.45, top + 0.45), scale=0.85)
    for t in range(1, steps + 1):
        x = 1.6 * (t - 1)
        _box(ax, x, 0, f"$x_{t}$", INPUT)
        for layer in range(1, layers + 1):
            y = rise * layer
            _box(ax, x, y, f"$h_{t}^{{({layer})}}$", STATE)
            below, above = y - rise, y + rise
            joined = above - rise / 2 + 0.05  # where the sum of a residual connection stands
            start = below + 0.3 if not residual or layer == 1 else joined - rise + 0.12
            _arrow(ax, (x, start), (x, y - 0.3))
            if residual:
                _arrow(ax, (x, y + 0.3), (x, joined - 0.12))
                _node(ax, x, joined, "+")
                side = -0.12 if layer > 1 else -0.24  # leave the sum below, or the input, on its left
                _arrow(ax, (x + side, start - (0.1 if layer > 1 else 0.06)), (x - 0.15, joined), bend=-0.8)
            if t == 1:
                _arrow(ax, (x - 0.85, y), (x - 0.36, y))
            if t < steps:
                _arrow(ax, (x + 0.36, y), (x + 1.24, y))
        _box(ax, x, top, f"$y_{t}$", OUTPUT)
        _arrow(ax, (x, joined + 0.12 if residual else top - rise + 0.3), (x, top - 0.3))
    return figure_of(ax)


def bidirectional_network(steps: int = 4) -> Figure:
    """Draw two layers that read the same inputs, one ahead and one back; every output sees the states of both.

    Args:
        steps: 2..6.

    Raises:
        ValueError: steps out of range.
    """
    if not 2 <= steps <= 6:
        raise ValueError(f"steps must be in 2..6, got {steps}")
    ax = _canvas((-1.5, 2.2 * (steps - 1) + 1.6), (-0.45, 4.05), scale=0.7)
    for t in range(1, steps + 1):
        x = 2.2 * (t - 1)
        ahead, back = (x - 0.42, 1.2), (x + 0.42, 2.4)
        _box(ax, x, 0, f"$x_{t}$", INPUT)
        _box(ax, *ahead, f"$\\overrightarrow{{h}}_{t}$", STATE)
        _box(ax, *back, f"$\\overleftarrow{{h}}_{t}$", BACK)
        _box(ax, x, 3.6, f"$y_{t}$", OUTPUT)
        _arrow(ax, (x - 0.15, 0.3), (x - 0.36, 0.9))
        _arrow(ax, (x + 0.2, 0.3), (x + 0.42, 2.1))
        _arrow(ax, (x - 0.42, 1.5), (x - 0.2, 3.3))
        _arrow(ax, (x + 0.36, 2.7), (x + 0.15, 3.3))
        _arrow(ax, (ahead[0] - (0.8 if t == 1 else 1.49), 1.2), (ahead[0] - 0.36, 1.2))
        _arrow(ax, (back[0] + (0.8 if t == steps else 1.49), 2.4), (back[0] + 0.36, 2.4))
    return figure_of(ax)


def lstm_cell() -> Figure:
    """Draw one step of an LSTM: what each gate multiplies on the way from c_{t-1} to c_t and h_t."""
    ax = _canvas((-1.5, 8.7), (-1.0, 4.3), scale=0.72)
    frame = FancyBboxPatch(
        (-0.35, -0.1), 7.9, 4.15, boxstyle="round,pad=0.1", fc="#F4F4F4", ec="#777777", lw=1
    )
    ax.add_patch(frame)
    high, low = 3.5, 0.4  # the cell state runs along the top, h_{t-1} and x_t along the bottom
    for x, y, text in (
        (-1.2, high, "$c_{t-1}$"),
        (-1.2, low, "$h_{t-1}$"),
        (8.4, high, "$c_t$"),
        (8.4, low, "$h_t$"),
    ):
        ax.text(x, y, text, ha="center", va="center", fontsize=13)
    ax.text(0.3, -0.75, "$x_t$", ha="center", va="center", fontsize=13)
    _arrow(ax, (-0.8, high), (1.05, high))
    _arrow(ax, (1.35, high), (3.85, high))
    _arrow(ax, (4.15, high), (8.0, high))
    ax.plot([-0.8, 5.4], [low, low], color="black", lw=1.2)
    ax.plot([0.3, 0.3], [-0.5, low], color="black", lw=1.2)
    ax.plot(0.3, low, "o", color="black", markersize=4)
    gates = (
        (1.2, "$f_t$", "forget"),
        (2.6, "$i_t$", "input"),
        (4.0, "$g_t$", "candidate"),
        (5.4, "$o_t$", "output"),
    )
    for x, symbol, name in gates:
        _arrow(ax, (x, low), (x, 1.0))
        _box(ax, x, 1.3, symbol, INPUT if name == "candidate" else STATE)
        ax.text(x, 0.1, name, ha="center", va="center", fontsize=10)
    _arrow(ax, (1.2, 1.6), (1.2, high - 0.15))
    ax.plot([2.6, 2.6], [1.6, 2.4], color="black", lw=1.2)
    _arrow(ax, (2.6, 2.4), (3.85, 2.4))
    _arrow(ax, (4.0, 1.6), (4.0, 2.25))
    _arrow(ax, (4.0, 2.55), (4.0, high - 0.15))
    ax.plot(6.8, high, "o", color="black", markersize=4)
    _arrow(ax, (6.8, high), (6.8, 2.7))
    _box(ax, 6.8, 2.4, "tanh", OUTPUT, fontsize=10)
    _arrow(ax, (6.8, 2.1), (6.8, 1.45))
    _arrow(ax, (5.75, 1.3), (6.65, 1.3))
    ax.plot([6.8, 6.8], [1.15, low], color="black", lw=1.2)
    _arrow(ax, (6.8, low), (8.0, low))
    for x, y, sign in ((1.2, high, "×"), (4.0, 2.4, "×"), (4.0, high, "+"), (6.8, 1.3, "×")):
        _node(ax, x, y, sign)
    return figure_of(ax)


def _canvas(xlim: tuple[float, float], ylim: tuple[float, float], scale: float) -> Axes:
    """Return axes without ticks, `scale` inches a unit in both directions."""
    size = (scale * (xlim[1] - xlim[0]), scale * (ylim[1] - ylim[0]))
    ax = Figure(figsize=size).add_subplot()
    ax.set(xlim=xlim, ylim=ylim, aspect="equal")
    ax.axis("off")
    return ax


def _node(ax: Axes, x: float, y: float, sign: str) -> None:
    ax.add_patch(Circle((x, y), 0.15, fc="white", ec="black", lw=1, zorder=3))
    ax.text(x, y, sign, ha="center", va="center", fontsize=12, zorder=4)


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


def _box(ax: Axes, x: float, y: float, text: str, color: str, fontsize: float = 13) -> None:
    shape = FancyBboxPatch(
        (x - 0.28, y - 0.22), 0.56, 0.44, boxstyle="round,pad=0.06", fc=color, ec="black", lw=1
    )
    ax.add_patch(shape)
    ax.text(x, y, text, ha="center", va="center", fontsize=fontsize)


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], bend: float = 0.0) -> None:
    style = f"arc3,rad={bend}"
    ax.add_patch(
        FancyArrowPatch(
            start, end, arrowstyle="-|>", mutation_scale=12, lw=1.2, color="black", connectionstyle=style
        )
    )
