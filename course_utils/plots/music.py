"""Melodies as a piano roll."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course_utils.plots.base import BLUE, GRAY, axes_for, figure_of

NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
BLACK_KEYS = (1, 3, 6, 8, 10)


def piano_roll(
    notes: Sequence[tuple[int | None, Any]],
    *,
    bar: float | None = 4,
    title: str = "",
    ax: Axes | None = None,
) -> Figure:
    """Draw a melody: time to the right, pitch upward, a box a note, as long as the note sounds.

    Rows of the black keys are gray, and lines stand between bars. Middle C is C4.

    Args:
        notes: (pitch, duration) one after another: MIDI number or None for a rest, quarter notes.
        bar: quarter notes in a bar, the first beginning at 0; None draws no bar lines.
        ax: where to draw.

    Raises:
        ValueError: no note but rests, a pitch outside 0..127, or a duration or bar of 0 or less.
    """
    boxes, now = [], 0.0  # (start, duration, pitch)
    for place, (pitch, duration) in enumerate(notes):
        if not duration > 0:
            raise ValueError(f"notes must have positive durations, got {duration} at position {place}")
        if pitch is not None:
            if not 0 <= pitch <= 127:
                raise ValueError(f"notes must have pitches in 0..127, got {pitch} at position {place}")
            boxes.append((now, float(duration), int(pitch)))
        now += float(duration)
    if not boxes:
        raise ValueError("notes must hold at least one note that sounds, got none")
    if bar is not None and not bar > 0:
        raise ValueError(f"bar must be positive or None, got {bar}")
    low, high = min(box[2] for box in boxes) - 1, max(box[2] for box in boxes) + 1
    ax = axes_for(ax, figsize=(7, min(max(2.4, 1.0 + 0.16 * (high - low)), 6)))
    for row in range(low, high + 1):
        if row % 12 in BLACK_KEYS:
            ax.axhspan(row - 0.5, row + 0.5, color="#EDEDED", linewidth=0, zorder=0)
    starts, lengths, rows = zip(*boxes, strict=True)
    ax.barh(rows, lengths, 0.9, left=starts, color=BLUE, edgecolor="black", linewidth=0.6, zorder=2)
    if bar is not None:
        for i in range(int(now / bar) + 1):
            ax.axvline(i * bar, color=GRAY, linewidth=1.0, zorder=1)
    naturals = [row for row in range(low, high + 1) if row % 12 not in BLACK_KEYS]
    shown = naturals if len(naturals) <= 16 else [row for row in naturals if row % 12 in (0, 4, 7)]
    ax.set_yticks(shown, [f"{NAMES[row % 12]}{row // 12 - 1}" for row in shown])
    ax.grid(False)
    ax.set(
        xlim=(0, now),
        ylim=(low - 0.5, high + 0.5),
        xlabel="time (quarter notes)",
        ylabel="pitch",
        title=title,
    )
    return figure_of(ax)
