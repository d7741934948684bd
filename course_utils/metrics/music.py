"""Does a melody keep to a key, and its rhythm to a pulse?

Key finding: Krumhansl (1990), "Cognitive foundations of musical pitch", chapter 4 (the algorithm of Krumhansl and
Schmuckler), with the probe-tone profiles of Krumhansl & Kessler (1982). Key consistency: Mogren (2016),
"C-RNN-GAN", section 4 ("scale consistency"). Rhythm: the normalized pairwise variability index of Grabe & Low (2002),
carried over to music by Patel & Daniele (2003).

Pitches are MIDI numbers (60 is the middle C), one a note; leave rests out. Durations are in any one unit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from course_utils.metrics.arrays import as_array, as_floats

NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}  # semitones above the tonic
PROFILES = {  # Krumhansl & Kessler (1982): how well each semitone above the tonic fits the key, 1..7
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}


@dataclass(frozen=True)
class Key:
    """A key, and how well the notes fit it.

    Attributes:
        tonic: 0..11, semitones above C.
        mode: "major" or "minor".
        correlation: -1..1, Pearson's, between the notes' durations by pitch class and the key's profile.
    """

    tonic: int
    mode: str
    correlation: float

    def __str__(self) -> str:
        return f"{NAMES[self.tonic]} {self.mode}"


def find_key(pitches: ArrayLike | Tensor, durations: ArrayLike | Tensor | None = None) -> Key:
    """Return the key, of 24, whose profile correlates best with how long each pitch class sounds.

    Args:
        pitches: (N,) integers.
        durations: (N,), positive; None counts every note the same.

    Raises:
        ValueError: other shapes, a pitch outside 0..127, a duration of 0 or less, or twelve pitch classes that
            all sound equally long, which fit no key better than another.
    """
    notes = _pitches(pitches)
    weights = np.ones(len(notes)) if durations is None else _durations(durations, len(notes))
    heard = np.bincount(notes % 12, weights=weights, minlength=12)  # (12,)
    if np.ptp(heard) == 0:
        raise ValueError("pitches must not fall on all twelve pitch classes equally: every key fits alike")
    keys = [
        Key(tonic, mode, float(np.corrcoef(heard, np.roll(profile, tonic))[0, 1]))
        for mode, profile in PROFILES.items()
        for tonic in range(12)
    ]
    return max(keys, key=lambda key: key.correlation)


def key_consistency(pitches: ArrayLike | Tensor) -> float:
    """Return the largest share of notes, 0..1, that lie in the scale of one key.

    All 24 major and natural minor keys are tried. A minor key shares its scale with a major one three semitones
    higher, so twelve scales differ. Seven of twelve pitch classes are in each: notes drawn at random reach 7/12 and,
    since the best scale is picked, more; few notes, a good deal more. Compare with shuffled or random melodies of the
    same length.

    Args:
        pitches: (N,) integers; the order does not matter.

    Raises:
        ValueError: another shape, or a pitch outside 0..127.
    """
    heard = np.bincount(_pitches(pitches) % 12, minlength=12)  # (12,)
    inside = [heard[(np.array(scale) + tonic) % 12].sum() for scale in SCALES.values() for tonic in range(12)]
    return float(max(inside) / heard.sum())


def npvi(durations: ArrayLike | Tensor) -> float:
    """Return the pairwise variability of the durations, 0..200: how much each differs from its neighbor.

        nPVI = 100 / (N - 1) · Σ | d_k - d_{k+1} | / ((d_k + d_{k+1}) / 2)

    Equal durations give 0; a long note after each short one (3 : 1) gives 100. Tempo does not matter.

    Args:
        durations: (N,), positive, N at least 2.

    Raises:
        ValueError: another shape, fewer than two, or a duration of 0 or less.
    """
    d = _durations(durations, "N")
    if len(d) < 2:
        raise ValueError(f"durations must hold at least 2 notes, got {len(d)}")
    return float(200 * (np.abs(np.diff(d)) / (d[1:] + d[:-1])).mean())


def rhythmic_regularity(durations: ArrayLike | Tensor) -> float:
    """Return 1 - nPVI / 200, 0..1: 1 where all notes are equally long, less the more neighbors differ.

    High is not better. Compare with real tunes: a melody of equal notes only is as unlike them as a random one.
    Arguments and errors as for `npvi`.
    """
    return 1 - npvi(durations) / 200


def _pitches(pitches: ArrayLike | Tensor) -> NDArray[np.int64]:
    notes = as_array("pitches", pitches, ("N",))
    if notes.dtype.kind not in "iu":
        raise ValueError(f"pitches must be integers, MIDI numbers without rests, got {notes.dtype}")
    wrong = np.flatnonzero((notes < 0) | (notes > 127))
    if len(wrong):
        raise ValueError(f"pitches must be in 0..127, got {notes[wrong[0]]} at position {wrong[0]}")
    return notes.astype(np.int64)


def _durations(durations: ArrayLike | Tensor, count: int | str) -> NDArray[np.float64]:
    lengths = as_floats("durations", durations, (count,))
    wrong = np.flatnonzero(lengths <= 0)
    if len(wrong):
        raise ValueError(f"durations must be positive, got {lengths[wrong[0]]} at position {wrong[0]}")
    return lengths
