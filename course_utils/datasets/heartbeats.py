"""Heartbeats with faults of eight kinds, each step labeled: a set for detectors of anomalies.

Batch first: B recordings, T steps. The draw uses a NumPy generator of its own: equal arguments give equal data,
and no global state is touched.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from course_utils.datasets.base import check_at_least

FAULTS = (
    "none",
    "spike",
    "level shift",
    "drift",
    "flat line",
    "missing beat",
    "irregular rhythm",
    "amplitude change",
    "noise burst",
)
BEAT = 24  # steps from one beat to the next
BUMPS = (  # P, Q, R, S and T: steps from R, width in steps, height
    (-6.0, 1.6, 0.15),
    (-2.0, 0.9, -0.15),
    (0.0, 1.0, 1.0),
    (2.0, 0.9, -0.25),
    (7.0, 2.2, 0.3),
)


class Heartbeats(NamedTuple):
    """Recordings with their faults.

    Attributes:
        x: (B, T, 1) float32, the signal; a normal beat peaks near 1.
        faulty: (B, T) bool, True at the steps that a fault touched.
        kind: (B,) int64, index into FAULTS; 0 where nothing is wrong.
    """

    x: Tensor
    faulty: Tensor
    kind: Tensor


def heartbeats(count: int, steps: int = 128, *, share: float = 0.25, seed: int) -> Heartbeats:
    """Draw recordings like those of a heart sensor, some with one fault of eight kinds.

    Data card:
        Origin: made by rule. A beat is five bumps, P, Q, R, S and T, as in McSharry, Clifford, Tarassenko & Smith
            (2003, "A dynamical model for generating synthetic electrocardiogram signals"); beats are
            24 ± 0.5 steps apart and vary by 3 % in height; a slow wave of ± 0.05 and noise of 0.02 are added.
            FAULTS names what can go wrong; each fault lies whole inside its recording.
        Licence: made by rule; nothing to license.
        Size: as many as asked for; kinds in turn, so equally many of each.
        Splits: a seed is a split. Train on share=0, as one would where faults are not known beforehand.
        Good for: detectors that learn what is normal. Most faults stay within the range of normal values, so a
            threshold on the value misses them: order and time are what is wrong.
        Not good for: medicine. No heart was measured, and real faults are rarer and less tidy.

    Args:
        count: B, at least 1.
        steps: T, at least 120, five beats.
        share: of recordings with a fault, 0..1; round(share · count) of them.
        seed: of the draw.

    Raises:
        ValueError: a number out of range.
    """
    check_at_least("count", count, 1)
    check_at_least("steps", steps, 5 * BEAT)
    if not 0 <= share <= 1:
        raise ValueError(f"share must be in 0..1, got {share}")
    rng = np.random.default_rng(seed)
    kinds = np.zeros(count, dtype=np.int64)
    number = round(share * count)
    kinds[:number] = 1 + np.arange(number) % (len(FAULTS) - 1)
    kinds = rng.permutation(kinds)
    rows, faulty = zip(*(_recording(rng, steps, FAULTS[kind]) for kind in kinds), strict=True)
    x = torch.from_numpy(np.stack(rows).astype(np.float32))[..., None]  # (B, T, 1)
    return Heartbeats(x, torch.from_numpy(np.stack(faulty)), torch.from_numpy(kinds))


def _recording(rng: np.random.Generator, steps: int, fault: str) -> tuple[NDArray, NDArray]:
    """Return one recording (T,) and where its fault is (T,)."""
    # Times of R, from before the start to past the end.
    peaks = rng.uniform(-2 * BEAT, -BEAT) + (BEAT + 0.5 * rng.standard_normal(steps // BEAT + 3)).cumsum()
    heights = 1 + 0.03 * rng.standard_normal(len(peaks))
    beat = int(rng.choice(np.flatnonzero((peaks > BEAT) & (peaks < steps - 2 * BEAT))))
    # First what is wrong with the heart: the beats themselves.
    if fault == "missing beat":
        heights[beat] = 0.0
    elif fault == "amplitude change":
        heights[beat : beat + 2] *= rng.uniform(0.4, 0.6)
    elif fault == "irregular rhythm":
        peaks[beat] -= rng.uniform(6, 9)
    clock = np.arange(steps)
    places, widths, sizes = (np.array(column)[:, None, None] for column in zip(*BUMPS, strict=True))
    bumps = sizes * heights[:, None] * np.exp(-(((clock - peaks[:, None] - places) / widths) ** 2) / 2)
    x = bumps.sum(axis=(0, 1))  # (bumps, beats, T) to (T,)
    x += 0.05 * np.sin(2 * np.pi * (clock / rng.uniform(100, 200) + rng.random()))
    x += 0.02 * rng.standard_normal(steps)
    # Then what is wrong with the sensor: the signal. Faults begin with the P wave of a beat and last to its T wave,
    # unless said otherwise.
    begin, end = round(peaks[beat]) - 8, round(peaks[beat]) + 10
    sign = rng.choice((-1.0, 1.0))
    if fault == "amplitude change":
        end = round(peaks[beat + 1]) + 10
    elif fault == "flat line":
        begin = end - BEAT
        x[begin:end] = x[begin]
    elif fault == "spike":
        begin = round(peaks[beat]) + int(rng.integers(10, 14))  # between T and the next P
        end = begin + 1
        x[begin] += rng.uniform(0.5, 0.8) * sign
    elif fault == "level shift":
        end = begin + 3 * BEAT // 2
        x[begin:end] += rng.uniform(0.3, 0.5) * sign
    elif fault == "drift":
        end = begin + 2 * BEAT
        x[begin:end] += np.linspace(0, rng.uniform(0.4, 0.6) * sign, end - begin)
    elif fault == "noise burst":
        x[begin:end] += rng.uniform(0.12, 0.2) * rng.standard_normal(end - begin)
    return x, (clock >= begin) & (clock < end) & (fault != "none")
