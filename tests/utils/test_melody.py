"""Sound, piano roll and MIDI: pitch and time as they were written, and the same bytes each time."""

import io
import struct
import sys
import wave
from fractions import Fraction as F
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import melody
from course_utils.datasets.abc_notation import Note, read_abc
from course_utils.melody import (
    RATE,
    midi_bytes,
    piano_roll,
    play,
    save_midi,
    synthesize,
    transpose,
    wav_bytes,
)

TUNE = [Note(60, F(1)), Note(None, F(1, 2)), Note(67, F(1, 3)), Note(67, F(2, 3)), Note(72, F(3, 2))]
drawn = st.lists(
    st.tuples(st.none() | st.integers(0, 127), st.sampled_from([F(1, 4), F(1, 3), F(1, 2), F(1), F(5, 2)])),
    max_size=8,
)


def strongest(sound, rate):
    """Return the frequency, in Hz, that is strongest in a sound."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return np.fft.rfftfreq(len(sound), 1 / rate)[spectrum.argmax()]


@pytest.mark.parametrize("pitch, hertz", [(69, 440.0), (57, 220.0), (60, 261.626), (84, 1046.5)])
@pytest.mark.parametrize("rate", [RATE, RATE // 2])
def test_a_note_sounds_at_its_pitch(pitch, hertz, rate):
    sound = synthesize([(pitch, 2)], rate=rate)
    assert sound.shape == (rate,) and sound.dtype == np.float32  # two quarter notes at 120 last a second
    assert strongest(sound, rate) == pytest.approx(hertz, abs=1.0)


def test_notes_and_rests_follow_each_other():
    sound = synthesize(TUNE, tempo=60.0)  # a quarter note a second
    assert len(sound) == 4 * RATE
    at = [0, RATE, RATE * 3 // 2, round(RATE * 11 / 6), RATE * 5 // 2, 4 * RATE]
    hertz = [261.6, 0, 392.0, 392.0, 523.3]
    for (start, end), expected in zip(pairwise(at), hertz, strict=True):
        if expected:
            assert strongest(sound[start:end], RATE) == pytest.approx(expected, abs=4)
            assert abs(sound[start]) < 0.01 and abs(sound[end - 1]) < 0.01  # no click
        else:
            assert not sound[start:end].any()
    assert 0.3 < np.abs(sound).max() <= 0.9


@settings(deadline=None, max_examples=30)
@given(notes=drawn, tempo=st.sampled_from([30.0, 97.0, 480.0]), rate=st.sampled_from([8000, 22_050]))
def test_any_melody_makes_a_sound_of_its_length(notes, tempo, rate):
    sound = synthesize(notes, tempo=tempo, rate=rate)
    assert len(sound) == round(sum((d for _, d in notes), F(0)) * (60 / tempo * rate))
    assert np.isfinite(sound).all() and (np.abs(sound) <= 0.9).all()
    assert np.array_equal(sound, synthesize(notes, tempo=tempo, rate=rate))


def test_harmonics_that_the_rate_cannot_carry_are_silent():
    assert not synthesize([(127, 1)], rate=8000).any()  # 12.5 kHz
    assert strongest(synthesize([(105, 4)], rate=8000), 8000) == pytest.approx(3520, abs=1)  # and no alias


def test_piano_roll():
    assert piano_roll(TUNE).tolist() == [60] * 4 + [-1] * 2 + [67] * 4 + [72] * 6
    assert piano_roll(TUNE, step=1).tolist() == [60, 67, 72, 72]  # what sounds at 0.5, 1.5, 2.5, 3.5
    assert piano_roll([(60, F(1, 3)), (62, F(2, 3))], step=F(1, 3)).tolist() == [60, 62, 62]
    assert piano_roll([(60, 0.3)], step=0.25).tolist() == [60, -1]
    assert piano_roll([(60, 0.4)], step=0.25).tolist() == [60, 60]
    assert piano_roll([]).tolist() == []


@given(notes=drawn)
def test_a_fine_grid_shows_every_note(notes):
    expected = [-1 if p is None else p for p, d in notes for _ in range(int(d * 12))]
    assert piano_roll(notes, step=F(1, 12)).tolist() == expected


def test_transpose():
    assert transpose(TUNE, -12) == [(48, 1), (None, F(1, 2)), (55, F(1, 3)), (55, F(2, 3)), (60, F(3, 2))]
    with pytest.raises(ValueError, match=r"pitch must be None or an integer in 0\.\.127, got 132 at note 0"):
        transpose(TUNE, 72)


def test_midi_bytes_by_hand():
    data = midi_bytes([(60, 1), (None, F(1, 2)), (61, F(1, 3))], tempo=100, program=73)
    track = bytes.fromhex(
        "00 ff5103 0927c0"  # 600 000 microseconds a quarter note
        "00 c0 49"
        "00 90 3c 50  8360 80 3c 00"  # 480 ticks are 0x83 0x60
        "8170 90 3d 50  8120 80 3d 00"  # 240 ticks of rest, 160 of the note
        "00 ff2f00"
    )
    assert (
        data == b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480) + b"MTrk" + struct.pack(">I", len(track)) + track
    )


@settings(deadline=None, max_examples=40)
@given(notes=drawn)
def test_midi_can_be_read_back(notes):
    """A small reader of what stands after the header: variable-length times, then three bytes an event."""
    data = midi_bytes(notes)[22 + 7 + 3 :]
    now, sounding, found, position = 0, None, [], 0
    while True:
        delta = 0
        while True:
            byte = data[position]
            position += 1
            delta = delta << 7 | byte & 0x7F
            if byte < 0x80:
                break
        now += delta
        status, pitch, _ = data[position : position + 3]
        position += 3
        if status == 0xFF:
            break
        if status == 0x90:
            assert sounding is None
            sounding = (pitch, now)
        else:
            assert sounding is not None and sounding[0] == pitch
            found.append((pitch, F(sounding[1], 480), F(now, 480)))
            sounding = None
    start, expected = F(0), []
    for pitch, duration in notes:
        if pitch is not None:
            expected.append((pitch, start, start + duration))
        start += duration
    assert found == expected and position == len(data)


def test_music21_reads_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    from music21 import midi

    path = save_midi(TUNE, tmp_path / "tune.mid", tempo=90)
    assert path.read_bytes() == midi_bytes(TUNE, tempo=90) and len(path.read_bytes()) < 120
    score = midi.translate.midiFileToStream(_opened(midi.MidiFile(), path), quantizePost=False)
    assert [(n.pitch.midi, F(n.quarterLength)) for n in score.flatten().notes] == [
        (pitch, duration) for pitch, duration in TUNE if pitch is not None
    ]


def _opened(file, path):
    file.open(str(path))
    file.read()
    file.close()
    return file


def test_wav_bytes():
    with wave.open(io.BytesIO(wav_bytes([0.0, 1.0, -1.0, 2.0, 0.5], rate=8000))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth(), file.getnframes()) == (
            8000,
            1,
            2,
            5,
        )
        assert np.frombuffer(file.readframes(5), "<i2").tolist() == [0, 32767, -32767, 32767, 16384]


def test_play_shows_one_player_in_a_notebook_and_nothing_elsewhere(monkeypatch, capsys):
    play(TUNE)
    assert capsys.readouterr() == ("", "")
    import IPython.display

    shown = []
    monkeypatch.setattr(melody, "running_kernel", lambda: SimpleNamespace())
    monkeypatch.setattr(IPython.display, "display", shown.append)
    play(TUNE, tempo=60)
    play(TUNE, tempo=60)
    play(TUNE * 100, seconds=2)
    first, second, long = (audio.data for audio in shown)
    assert isinstance(shown[0], IPython.display.Audio) and first == second
    with wave.open(io.BytesIO(first)) as file, wave.open(io.BytesIO(long)) as cut:
        assert (file.getframerate(), file.getnframes()) == (RATE // 2, 4 * (RATE // 2))
        assert cut.getnframes() == RATE
    assert "<audio" in shown[0]._repr_html_()


def test_numbers_of_any_kind_are_taken():
    import torch

    plain = midi_bytes([(60, 0.5), (62, 1)])
    assert midi_bytes([(np.int64(60), np.float32(0.5)), (torch.tensor(62), torch.tensor(1.0))]) == plain
    (tune,) = read_abc("X:1\nL:1/8\nK:C\nCD2\n")
    assert midi_bytes(tune.notes) == plain


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda: synthesize([(60, 1), (128, 1)]),
            r"pitch must be None or an integer in 0\.\.127, got 128 at note 1",
        ),
        (lambda: midi_bytes([(60.5, 1)]), r"pitch must be .*got 60.5 at note 0"),
        (lambda: piano_roll([(60, 0)]), "duration must be more than 0 and finite, got 0 at note 0"),
        (lambda: midi_bytes([(60, float("nan"))]), "duration must be more than 0 and finite, got nan"),
        (lambda: piano_roll(TUNE, step=0), "step must be more than 0, got 0"),
        (lambda: synthesize(TUNE, tempo=0), "tempo must be more than 0, got 0"),
        (lambda: synthesize(TUNE, rate=-1), "rate must be more than 0, got -1"),
        (lambda: midi_bytes(TUNE, tempo=3), "tempo must be in 4..60 000 000, got 3"),
        (lambda: midi_bytes(TUNE, program=128), "program must be in 0..127, got 128"),
        (lambda: play(TUNE, seconds=0), "seconds must be more than 0, got 0"),
        (lambda: wav_bytes(np.zeros((2, 2))), r"sound must be \(samples,\), got \(2, 2\)"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_music21_is_not_imported():
    import subprocess

    code = "import sys, course_utils.melody; assert 'music21' not in sys.modules and 'IPython' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
