"""Reading ABC, the letters in which folk musicians write tunes: `K:G` and `GABc d2` give pitches and durations.

After the ABC standard 2.1 (Walshaw and others, 2011); section numbers in comments are its own. A tune is read
as one line of melody, the way it sounds when played once without repeats: of a chord the highest note, of first
and second endings the second, no grace notes, chord names or ornaments.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple


class Note(NamedTuple):
    """One note: a MIDI pitch (60 is middle C) or None for a rest, and its duration in quarter notes, exact."""

    pitch: int | None
    duration: Fraction


@dataclass(frozen=True)
class Tune:
    """A melody with what its header says.

    `number` is the X: field, `key` and `meter` the first K: and M: ("" where the tune has none), as written.
    """

    number: int
    title: str
    key: str
    meter: str
    notes: tuple[Note, ...]

    @property
    def tonic(self) -> int:
        """The keynote, 0 (C) to 11 (B); 0 where the tune names none."""
        match = KEY.match(self.key)
        return (SEMITONES[match[1].upper()] + {"": 0, "#": 1, "b": -1}[match[2]]) % 12 if match else 0


SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
SHARPS_OF_MAJOR = {"F": -1, "C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5}
SHARPS_OF_MODE = {"": 0, "maj": 0, "ion": 0, "lyd": 1, "mix": -1, "dor": -2, "m": -3, "min": -3, "aeo": -3,
                  "phr": -4, "loc": -5}  # fmt: skip
ACCIDENTALS = {"^^": 2, "^": 1, "=": 0, "_": -1, "__": -2}
TUPLET_TIME = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}  # 4.13: p notes in the time of q; 5, 7 and 9 ask the meter

KEY = re.compile(r"([A-Ga-g])([#b]?)\s*((?i:maj|min|mix|m|ion|dor|phr|lyd|aeo|loc))?")
FIELD = re.compile(r"([A-Za-z]):(?![|:])(.*)")
LENGTH = r"(?P<{0}top>\d*)(?P<{0}slashes>/*)(?P<{0}bottom>(?<=/)\d*)?"
NOTE = re.compile(r"(?P<accidental>\^\^?|=|__?)?(?P<letter>[A-Ga-gxzZ])(?P<octave>[,']*)" + LENGTH.format(""))
TOKEN = re.compile(
    rf"(?P<note>{NOTE.pattern})"
    r"|(?P<bar>:*\|[|\]:]*|\[\||::)"
    r"|(?P<ending>\[\s*[1-9]|(?<=[|:])[1-9])[\d,-]*"
    r"|\[(?P<inline>[A-Za-z]:[^\]]*)\]"
    rf"|\[(?P<chord>[^\]|(]+)\]?{LENGTH.format('chord_')}"
    r"|\((?P<tuplet>[2-9])(?::(?P<tuplet_time>\d?))?(?::(?P<tuplet_notes>\d?))?"
    r"|(?P<tie>-)"
    r"|(?P<broken>>+|<+)"
    r"""|"[^"]*"|\{[^}]*\}|![^!]*!"""  # chord names, grace notes, ornaments by name
    r"|[\s()\\`~.*?@#$;H-Wh-wy]"  # slurs, ornaments by letter, spaces, signs that the standard tells to skip
)


def read_abc(text: str, name: str = "text") -> list[Tune]:
    """Read every tune in a file; each begins at its X: line, and what stands before the first is skipped.

    A missing L: gives the unit that the meter asks for; K:, L: and M: may change within a tune, in a line or in
    brackets. Repeats are not played and the part order (P:, Y:) is not followed.

    Args:
        text: of the file.
        name: of the file, for messages.

    Returns:
        The tunes in the order of the file. Neighboring notes that are tied are one.

    Raises:
        ValueError: a key, meter, length or symbol that cannot be read; the message names file and line.
    """
    tunes: list[Tune] = []
    reader: _Reader | None = None
    for number, line in enumerate(text.splitlines(), 1):
        line = re.sub(r"(?<!\\)%.*", "", line).rstrip()
        try:
            if line.startswith("X:"):
                if reader:
                    tunes.append(reader.tune())
                reader = _Reader(int(re.sub(r"\D.*", "", line[2:].strip())))
            elif reader and line.strip():
                reader.read(line.strip())
        except ValueError as error:
            raise ValueError(f"{name}, line {number}: {error}") from None
    if reader:
        tunes.append(reader.tune())
    return tunes


class _Reader:
    """One tune being read: what holds for the next note, and the notes so far."""

    def __init__(self, number: int) -> None:
        self.number, self.title, self.key_text, self.meter_text = number, "", "", ""
        self.unit: Fraction | None = None  # L:, of a whole note
        self.meter: Fraction | None = None  # M:, of a whole note; None is free
        self.compound = False  # 6/8, 9/8 and 12/8, whose beats are three units long
        self.key: dict[str, int] = {}  # letter to sharps (1) or flats (-1)
        self.in_bar: dict[str, int] = {}  # letter to the accidental written earlier in this bar
        self.tuplet_left, self.tuplet_factor = 0, Fraction(1)
        self.broken = Fraction(1)  # factor of the note after > or <
        self.tied = False
        self.last = ("", Fraction(0))  # the note before as it was written: letter and octave, duration
        self.first_ending: int | None = None  # where it begins in `notes`
        self.notes: list[Note] = []

    def tune(self) -> Tune:
        return Tune(self.number, self.title, self.key_text, self.meter_text, tuple(self.notes))

    def read(self, line: str) -> None:
        """Take in one line, of the header or of music."""
        match = FIELD.match(line)
        if match and not (self.key and match[1] in "ABCDEFGabcdefg"):  # after the header those are notes
            self.field(match[1], match[2].strip())
        elif not self.key:
            raise ValueError(f"music must come after a K: line, got {line!r}")
        else:
            self.music(line)

    def field(self, letter: str, value: str) -> None:
        if letter == "T":
            self.title = self.title or value
        elif letter == "L":
            self.unit = _fraction(value)
        elif letter == "M":
            self.meter, self.meter_text = _meter(value), self.meter_text or value
            self.compound = value.startswith(("6/", "9/", "12/"))
        elif letter == "K":
            self.key, self.key_text = _signature(value), self.key_text or value
            if self.unit is None:  # 3.1.7: sixteenths where the meter is below 3/4, else eighths
                self.unit = Fraction(1, 16 if self.meter is not None and self.meter < Fraction(3, 4) else 8)

    def music(self, line: str) -> None:
        position = 0
        while position < len(line):
            token = TOKEN.match(line, position)
            if token is None:
                raise ValueError(f"cannot read {line[position]!r} in {line!r}")
            position = token.end()
            if token["note"]:
                self.add(token, _times(token))
            elif token["chord"]:
                self.chord(token)
            elif token["bar"]:
                self.in_bar = {}
            elif token["ending"]:
                self.ending(int(token["ending"][-1]))
            elif token["inline"]:
                self.field(token["inline"][0], token["inline"][2:].strip())
            elif token["tuplet"]:
                self.tuplet(token)
            elif token["tie"]:
                self.tied = bool(self.notes)
            elif token["broken"]:
                self.break_rhythm(token["broken"])

    def chord(self, token: re.Match[str]) -> None:
        """4.17: the first note gives the length; the highest is the melody."""
        members = list(NOTE.finditer(token["chord"]))
        if not members:
            raise ValueError(f"a chord must hold notes, got {token[0]!r}")
        top = max(members, key=lambda member: -1 if member["letter"] in "zxZ" else self.pitch(member))
        self.add(top, _times(members[0]) * _times(token, "chord_"))

    def add(self, note: re.Match[str], times: Fraction) -> None:
        """Append a note or rest, or lengthen the one before when it is tied to this."""
        assert self.unit is not None
        duration = 4 * self.unit * times
        if note["letter"] == "Z":  # 4.5: whole bars of rest
            duration = 4 * (self.meter or Fraction(1)) * times
        if self.tuplet_left:
            duration, self.tuplet_left = duration * self.tuplet_factor, self.tuplet_left - 1
        duration, self.broken = duration * self.broken, Fraction(1)
        rest = note["letter"] in "zxZ"
        written = "" if rest else note["letter"] + note["octave"]
        if self.tied and written == self.last[0] and not note["accidental"]:
            pitch = self.notes[-1].pitch  # 4.11: an accidental holds on through a tie over the bar line
        else:
            pitch = None if rest else self.pitch(note)
        if self.tied and pitch == self.notes[-1].pitch:
            self.notes[-1] = Note(pitch, self.notes[-1].duration + duration)
        else:
            self.notes.append(Note(pitch, duration))
        self.last, self.tied = (written, duration), False

    def pitch(self, note: re.Match[str]) -> int:
        letter = note["letter"].upper()
        if note["accidental"]:
            self.in_bar[letter] = ACCIDENTALS[note["accidental"]]  # 11.3: for all octaves, to the bar line
        octave = 5 + note["letter"].islower() + note["octave"].count("'") - note["octave"].count(",")
        return 12 * octave + SEMITONES[letter] + self.in_bar.get(letter, self.key[letter])

    def tuplet(self, token: re.Match[str]) -> None:
        """4.13: (p:q:r puts the next r notes, p times as many as fit, into the time of q."""
        count = int(token["tuplet"])
        time = int(token["tuplet_time"] or TUPLET_TIME.get(count, 3 if self.compound else 2))
        self.tuplet_left = int(token["tuplet_notes"] or count)
        self.tuplet_factor = Fraction(time, count)

    def break_rhythm(self, marks: str) -> None:
        """4.4: A>B lengthens A by half and halves B; >> and >>> go on halving."""
        if not self.notes:
            raise ValueError(f"{marks} must stand between two notes")
        short = Fraction(1, 2 ** len(marks))
        before, self.broken = (2 - short, short) if marks[0] == ">" else (short, 2 - short)
        pitch, duration = self.notes[-1]
        self.notes[-1] = Note(pitch, duration + self.last[1] * (before - 1))

    def ending(self, number: int) -> None:
        """Drop a first ending once the second begins: that is what is played without the repeat."""
        if number == 1:
            self.first_ending = len(self.notes)
        elif self.first_ending is not None:
            del self.notes[self.first_ending :]
            self.first_ending = None


def _times(token: re.Match[str], prefix: str = "") -> Fraction:
    """Return the length after a note, as a multiple of the unit: 3/2, 2, /4; each bare slash halves (4.3)."""
    top, slashes, bottom = (token[prefix + part] for part in ("top", "slashes", "bottom"))
    if bottom:
        return Fraction(int(top or 1), int(bottom)) / 2 ** (len(slashes) - 1)
    return Fraction(int(top or 1), 2 ** len(slashes))


def _fraction(value: str) -> Fraction:
    match = re.fullmatch(r"([1-9]\d*)/([1-9]\d*)", value)
    if match is None:
        raise ValueError(f"a length must be a fraction such as 1/8, got {value!r}")
    return Fraction(int(match[1]), int(match[2]))


def _meter(value: str) -> Fraction | None:
    if value in ("", "none"):
        return None
    return {"C": Fraction(1), "C|": Fraction(1)}.get(value) or _fraction(value)


def _signature(value: str) -> dict[str, int]:
    """Return sharps and flats by letter, for a key such as G, Bbm, E minor or Ddor; none for "" and "none"."""
    match = KEY.match(value if value not in ("", "none") else "C")
    if match is None:
        raise ValueError(f"a key must begin with a letter from A to G, got {value!r}")
    sharps = SHARPS_OF_MAJOR[match[1].upper()] + SHARPS_OF_MODE[(match[3] or "").lower()]
    sharps += {"": 0, "#": 7, "b": -7}[match[2]]
    order = "FCGDAEB" if sharps >= 0 else "BEADGCF"
    sign = 1 if sharps >= 0 else -1
    return {letter: sign * (order.index(letter) < abs(sharps)) for letter in order}
