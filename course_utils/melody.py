"""Melodies to hear, to see and to keep: sound, a piano roll and a MIDI file.

A melody is a sequence of (pitch, duration): a MIDI pitch (60 is middle C, 69 is A at 440 Hz) or None for a rest, and
quarter notes, exact fractions or floats. The notes of a tune from `course_utils.datasets.music` are one. The same
melody gives the same bytes.
"""

from __future__ import annotations

import io
import math
import struct
import wave
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.progress import running_kernel

Melody = Sequence[tuple[int | None, Fraction | float]]
RATE = 22_050  # samples a second
HARMONICS = (1.0, 0.5, 0.25, 0.12, 0.06)  # amplitudes of the keynote and the tones above it
ATTACK, RELEASE = 0.01, 0.04  # seconds; without them each note clicks
DECAY = 1.5  # seconds in which a held note falls to 1/e
TICKS = 480  # of a quarter note in a MIDI file: exact for halves to sixteenths, triplets and quintuplets


def transpose(melody: Melody, semitones: int) -> list[tuple[int | None, Fraction | float]]:
    """Return the melody with every pitch moved up by `semitones`; rests stay.

    Raises:
        ValueError: a pitch leaves 0..127, or the melody is none.
    """
    moved = [(None if p is None else p + semitones, duration) for p, duration in melody]
    _check(moved)
    return moved


def piano_roll(melody: Melody, *, step: Fraction | float = Fraction(1, 4)) -> NDArray[np.int64]:
    """Return how a melody looks on a grid of time, to draw it.

    Args:
        melody: N notes.
        step: of the grid in quarter notes; 1/4 is a sixteenth.

    Returns:
        (T,) pitch that sounds at the middle of each step, -1 where none does; T covers the melody.

    Raises:
        ValueError: step is not more than 0, or the melody is none.
    """
    if not step > 0:
        raise ValueError(f"step must be more than 0, got {step}")
    _check(melody)
    half, width = Fraction(1, 2), _exact(step)
    spans = [(-1 if p is None else p, start / width, end / width) for p, start, end in _spans(melody)]
    roll = np.full(math.ceil(spans[-1][2]) if spans else 0, -1, dtype=np.int64)  # (T,)
    for pitch, start, end in spans:  # step k has its middle at k + 1/2
        roll[math.ceil(start - half) : math.ceil(end - half)] = pitch
    return roll


def synthesize(melody: Melody, *, tempo: float = 120.0, rate: int = RATE) -> NDArray[np.float32]:
    """Return the sound of a melody: for each note five harmonics that fade, with a soft start and end.

    Args:
        melody: N notes.
        tempo: quarter notes a minute.
        rate: samples a second.

    Returns:
        (samples,) float32 in -0.9..0.9, as long as the melody.

    Raises:
        ValueError: tempo or rate is not more than 0, or the melody is none.
    """
    for name, value in (("tempo", tempo), ("rate", rate)):
        if not value > 0:
            raise ValueError(f"{name} must be more than 0, got {value}")
    _check(melody)
    scale = 60.0 / tempo * rate  # samples a quarter note
    borders = [(pitch, round(start * scale), round(end * scale)) for pitch, start, end in _spans(melody)]
    sound = np.zeros(borders[-1][2] if borders else 0)
    for pitch, start, end in borders:
        if pitch is not None:
            sound[start:end] = _tone(pitch, end - start, rate)
    return (sound * (0.9 / sum(HARMONICS))).astype(np.float32)


def wav_bytes(sound: ArrayLike, rate: int = RATE) -> bytes:
    """Return a WAV file, 16 bits a sample, of a sound (samples,) in -1..1; what lies outside is clipped.

    Raises:
        ValueError: the sound has another number of dimensions.
    """
    samples = np.asarray(sound, dtype=float)
    if samples.ndim != 1:
        raise ValueError(f"sound must be (samples,), got {samples.shape}")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.rint(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


def play(melody: Melody, *, tempo: float = 120.0, seconds: float = 15.0) -> None:
    """Show a player for a melody in the notebook. Elsewhere, do nothing.

    The sound is stored in the page at half the usual rate, 22 kB a second, and ends after `seconds`.

    Raises:
        ValueError: as `synthesize`, or seconds is not more than 0.
    """
    if not seconds > 0:
        raise ValueError(f"seconds must be more than 0, got {seconds}")
    rate = RATE // 2
    sound = synthesize(melody, tempo=tempo, rate=rate)[: round(seconds * rate)]
    if running_kernel() is None:
        return
    from IPython.display import Audio, display

    display(Audio(data=wav_bytes(sound, rate)))


def midi_bytes(melody: Melody, *, tempo: float = 120.0, program: int = 0) -> bytes:
    """Return a Standard MIDI File (format 0, one track) that any music program opens.

    Args:
        melody: N notes; times are rounded to 1/480 of a quarter note.
        tempo: quarter notes a minute.
        program: 0..127, the instrument of General MIDI; 0 is a piano.

    Raises:
        ValueError: tempo is not in 4..60 000 000, program is out of range, or the melody is none.
    """
    if not 4 <= tempo <= 6e7:
        raise ValueError(f"tempo must be in 4..60 000 000, got {tempo}")
    if not 0 <= program <= 127:
        raise ValueError(f"program must be in 0..127, got {program}")
    _check(melody)
    track = b"\x00\xff\x51\x03" + round(6e7 / tempo).to_bytes(3, "big")  # microseconds a quarter note
    track += b"\x00" + bytes([0xC0, program])
    now = 0
    for pitch, start, end in _spans(melody):
        on, off = round(start * TICKS), round(end * TICKS)
        if pitch is not None:
            track += (
                _variable(on - now) + bytes([0x90, pitch, 80]) + _variable(off - on) + bytes([0x80, pitch, 0])
            )
            now = off
    track += b"\x00\xff\x2f\x00"
    header = b"MThd" + struct.pack(">IHHH", 6, 0, 1, TICKS)
    return header + b"MTrk" + struct.pack(">I", len(track)) + track


def save_midi(melody: Melody, path: str | Path, *, tempo: float = 120.0, program: int = 0) -> Path:
    """Write `midi_bytes` to a file and return its path."""
    path = Path(path)
    path.write_bytes(midi_bytes(melody, tempo=tempo, program=program))
    return path


def _check(melody: Melody) -> None:
    for at, (pitch, duration) in enumerate(melody):
        if pitch is not None and not (0 <= pitch <= 127 and pitch == int(pitch)):
            raise ValueError(f"pitch must be None or an integer in 0..127, got {pitch} at note {at}")
        if not 0 < duration < float("inf"):
            raise ValueError(f"duration must be more than 0 and finite, got {duration} at note {at}")


def _spans(melody: Melody) -> Iterator[tuple[int | None, Fraction, Fraction]]:
    """Yield each note's pitch, start and end in quarter notes, summed exactly: rounding errors do not pile up."""
    start = Fraction(0)
    for pitch, duration in melody:
        end = start + _exact(duration)
        yield None if pitch is None else int(pitch), start, end
        start = end


def _exact(duration: Fraction | float) -> Fraction:
    return duration if isinstance(duration, Fraction) else Fraction(float(duration))


def _tone(pitch: int, count: int, rate: int) -> NDArray[np.float64]:
    """Return `count` samples of a plucked tone; harmonics that the rate cannot carry are left out."""
    frequency = 440.0 * 2 ** ((pitch - 69) / 12)
    t = np.arange(count) / rate  # (count,), seconds
    heard = [(n, a) for n, a in enumerate(HARMONICS, 1) if n * frequency < rate / 2]
    tone = sum((a * np.sin(2 * np.pi * n * frequency * t) for n, a in heard), np.zeros(count))
    ends = np.minimum(t / ATTACK, t[::-1] / RELEASE)
    return tone * np.exp(-t / DECAY) * np.minimum(ends, 1.0)


def _variable(number: int) -> bytes:
    """Return MIDI's variable-length form: seven bits a byte, the highest set in all but the last."""
    data = [number & 0x7F]
    while number := number >> 7:
        data.append(0x80 | number & 0x7F)
    return bytes(reversed(data))
