"""Key finding against music21's, key consistency and rhythm against hand-worked cases."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from music21 import analysis, note, stream

from course_utils.metrics import find_key, key_consistency, npvi, rhythmic_regularity

C_MAJOR = [60, 62, 64, 65, 67, 69, 71, 72]


@settings(deadline=None, max_examples=40)
@given(
    notes=st.lists(
        st.tuples(st.integers(36, 84), st.sampled_from([0.25, 0.5, 1.0, 1.5, 2.0])), min_size=2, max_size=16
    )
)
def test_key_is_that_of_music21(notes):
    melody = stream.Stream()
    for pitch, duration in notes:
        melody.append(note.Note(pitch, quarterLength=duration))
    theirs = analysis.discrete.KrumhanslSchmuckler().getSolution(melody)
    pitches, durations = zip(*notes, strict=True)
    ours = find_key(pitches, durations)
    assert ours.correlation == pytest.approx(theirs.correlationCoefficient, abs=1e-6)
    others = [theirs, *theirs.alternateInterpretations]
    if abs(others[0].correlationCoefficient - others[1].correlationCoefficient) > 1e-6:  # not a tie
        assert (ours.tonic, ours.mode) == (theirs.tonic.pitchClass, theirs.mode)


def test_keys_have_names_and_durations_matter():
    assert str(find_key(torch.tensor(C_MAJOR))) == "C major"
    assert str(find_key(np.array(C_MAJOR) + 3)) == "Eb major"
    a_minor = [57, 59, 60, 62, 64, 65, 68, 69]
    assert str(find_key(a_minor)) == "A minor"
    white = [60, 62, 64, 65, 67, 69, 71]
    assert str(find_key(white, [3, 1, 2, 1, 2, 1, 1])) == "C major"
    assert str(find_key(white, [2, 1, 2, 1, 1, 3, 1])) == "A minor"


@settings(deadline=None)
@given(pitches=st.lists(st.integers(20, 100), min_size=1, max_size=20), shift=st.integers(-12, 12))
def test_consistency_is_a_share_that_transposing_does_not_change(pitches, shift):
    share = key_consistency(pitches)
    assert 7 / 12 <= share <= 1  # the mean over twelve scales is 7/12, so the best is no less
    assert key_consistency([p + shift for p in pitches]) == share


def test_consistency_by_hand():
    assert key_consistency(C_MAJOR) == 1
    assert key_consistency([*C_MAJOR, 61, 66]) == 0.8  # C major: all but C# and F#; G major: all but C# and F
    assert key_consistency(range(60, 72)) == pytest.approx(7 / 12)
    assert key_consistency([57, 59, 60, 62, 64, 65, 67]) == 1  # natural minor


def test_rhythm_by_hand():
    assert npvi([1, 1, 1]) == 0 and rhythmic_regularity([0.5] * 4) == 1
    assert npvi([3, 1, 3, 1]) == pytest.approx(100)
    assert npvi([1, 2, 2]) == pytest.approx(100 * (1 / 1.5 + 0) / 2)
    assert npvi(torch.tensor([2.0, 4.0, 1.0])) == pytest.approx(npvi([1, 2, 0.5]))  # tempo does not matter
    assert rhythmic_regularity([3, 1]) == 0.5
    assert npvi([Fraction(1, 3), Fraction(1)]) == pytest.approx(
        100
    )  # as the melodies of the course have them


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: key_consistency([]), r"pitches must be \(N>=1,\), got \(0,\)"),
        (
            lambda: key_consistency([60.0]),
            "pitches must be integers, MIDI numbers without rests, got float64",
        ),
        (lambda: key_consistency([60, -1]), r"pitches must be in 0\.\.127, got -1 at position 1"),
        (lambda: find_key(range(60, 72)), "every key fits alike"),
        (lambda: find_key([60], [0.0]), "durations must be positive, got 0.0 at position 0"),
        (lambda: find_key([60], [1.0, 1.0]), r"durations must be \(1,\), got \(2,\)"),
        (lambda: npvi([1.0]), "durations must hold at least 2 notes, got 1"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
