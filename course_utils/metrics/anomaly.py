"""How many anomalies were found, and how many alarms were false: by point, and by window.

Points: each step counts. Windows, as in Hundman et al. (2018), "Detecting spacecraft anomalies using LSTMs and
nonparametric dynamic thresholding", section 4.2: a labeled window is found when any alarm falls into it, however many
do; a run of alarms that touches no window is one false alarm. A window says "someone was called in time"; by points,
a long window weighs more than a short one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor

from course_utils.metrics.arrays import as_flags
from course_utils.metrics.classification import Scores, binary_scores

Span = tuple[int, int]


def spans(flags: ArrayLike | Tensor) -> list[Span]:
    """Return the runs of True in (T,) flags as (start, stop) pairs, stop not included.

    Raises:
        ValueError: another shape, or an entry other than True, False, 1 and 0.
    """
    raised = as_flags("flags", flags, ("T",)).astype(np.int8)
    edges = np.diff(np.concatenate([[0], raised, [0]]))
    starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return [(int(start), int(stop)) for start, stop in zip(starts, stops, strict=True)]


def point_scores(flags: ArrayLike | Tensor, labels: ArrayLike | Tensor) -> Scores:
    """Return precision, recall and F1 over single steps.

    Args:
        flags: (T,), True where the detector raised an alarm.
        labels: (T,), True at anomalous steps.

    Raises:
        ValueError: unequal shapes, or an entry other than True, False, 1 and 0.
    """
    known = as_flags("labels", labels, ("T",))
    return binary_scores(as_flags("flags", flags, known.shape), known)


def window_scores(flags: ArrayLike | Tensor, windows: Sequence[Span]) -> Scores:
    """Return precision, recall and F1 over windows.

    Recall is the share of windows with an alarm inside. Precision is found windows over found windows plus runs of
    alarms that touch none. Without any window, or any alarm, a ratio 0/0 is 0.

    Args:
        flags: (T,), True where the detector raised an alarm.
        windows: (start, stop) pairs, stop not included, which do not overlap; `spans` makes them from labels.

    Raises:
        ValueError: another shape, or a window outside 0..T, empty, or overlapping another.
    """
    raised = as_flags("flags", flags, ("T",))
    last = 0
    for start, stop in sorted(windows):
        if not 0 <= start < stop <= len(raised):
            raise ValueError(f"windows must be in 0..T={len(raised)}, start before stop, got {(start, stop)}")
        if start < last:
            raise ValueError(f"windows must not overlap, got {(start, stop)} after one that stops at {last}")
        last = stop
    inside = np.zeros(len(raised), dtype=bool)
    for start, stop in windows:
        inside[start:stop] = True
    found = sum(bool(raised[start:stop].any()) for start, stop in windows)
    false = sum(not inside[start:stop].any() for start, stop in spans(raised))
    missed = len(windows) - found
    ratios = ((found, found + false), (found, found + missed), (2 * found, 2 * found + false + missed))
    return Scores(*(part / whole if whole else 0.0 for part, whole in ratios))
