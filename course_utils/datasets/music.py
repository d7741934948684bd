"""Tunes and chorales: melodies as (MIDI pitch, duration in quarter notes), exact, to compose in their manner.

`folk_songs` and `chorales` lie in the corpus that music21 installs (Cuthbert & Ariza, 2010) and need no network;
`nottingham`, `jsb_quarters` and `jsb_sixteenths` are fetched by name. music21 itself is never imported: our own
readers take a second for a thousand tunes, and a small file in the course's cache keeps what they read.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

from course_utils.datasets.abc_notation import Note, Tune, read_abc
from course_utils.datasets.base import NAMES, Splits
from course_utils.datasets.fetch import fetch, files
from course_utils.datasets.musicxml import read_score
from course_utils.datasets.parsed import Piece, parsed
from course_utils.datasets.records import split_by_group
from course_utils.progress import progress

VOICES = ("Soprano", "Alto", "Tenor", "Bass")
Step = tuple[int | None, ...]
Item = TypeVar("Item", Tune, "Chorale")


@dataclass(frozen=True)
class Chorale:
    """Four voices, soprano to bass, of equal length; `number` is that of Bach's works (BWV)."""

    number: str
    voices: tuple[tuple[Note, ...], ...]


def folk_songs(*, valid: float = 0.1, test: float = 0.1, seed: int = 0) -> Splits[list[Tune]]:
    """Return German folk songs, one line of melody each, as they are sung.

    Data card:
        Origin: Erk & Böhme, Deutscher Liederhort, in the Essen folk song collection (Schaffrath, 1995), ABC by
            S. Shlien; `erk10.abc` and `erk30.abc` in music21's corpus.
        Licence: unclear, since many people typed the songs in; free for non-commercial use by permission of
            E. Dahlig-Turek. The course carries no copy: the files come with music21.
        Size: 1383 songs of 13 to 145 notes and rests, 67 683 in all, from C3 to A#5, of 11 durations.
        Splits: by the seed, 80/10/10 of the titles: versions of one song stay on one side.
        Good for: a first model of melody: short, sung, and four durations make up 94 % of the notes.
        Not good for: harmony, or telling major from minor: `key` names the keynote alone.

    Args:
        valid, test: shares of the titles.
        seed: of the split.

    Raises:
        FileNotFoundError: music21 is installed without its corpus.
        ValueError: shares out of range, or a file that cannot be read.
    """
    paths = [_corpus_file("essenFolksong", name) for name in ("erk10.abc", "erk30.abc")]
    return _deal(_tunes("folk_songs", paths), valid, test, seed)


def chorales(*, valid: float = 0.1, test: float = 0.1, seed: int = 0) -> Splits[list[Chorale]]:
    """Return Bach's chorales for four voices.

    Data card:
        Origin: J. S. Bach; scores by M. Greentree (jsbchorales.net) in music21's corpus: those with a soprano,
            an alto, a tenor and a bass part and no other.
        Licence: the music is in the public domain; scores given to music21 for distribution. The course
            carries no copy.
        Size: 364 chorales (365 scores, one repeats another note by note), 85 526 notes and rests.
        Splits: by the seed, 80/10/10.
        Good for: four parts that move together (`voices[0]` is the tune), with exact durations.
        Not good for: results to set beside others': the field's splits are those of `jsb_quarters`.

    Args:
        valid, test: shares.
        seed: of the split.

    Raises:
        FileNotFoundError, ValueError: as `folk_songs`.
    """
    folder = _corpus_file("bach")
    paths = sorted(path for path in folder.glob("bwv*") if path.suffix in (".mxl", ".xml"))
    pieces = parsed("chorales", paths, _read_chorales)
    return _deal([Chorale(str(number), tuple(voices)) for (number,), voices in pieces], valid, test, seed)


def nottingham(*, valid: float = 0.1, test: float = 0.1, seed: int = 0) -> Splits[list[Tune]]:
    """Return the Nottingham collection: British and American dance tunes, by name.

    Data card:
        Origin: the Nottingham Music Database (E. Foxley), as cleaned by jukedeck; 14 files of ABC.
        Licence: GPL-3.0, as the cleaned copy states.
        Size: 1030 tunes (1034, four repeat another's notes) of 18 to 451 notes and rests.
        Splits: by the seed, 80/10/10 of the titles. (Boulanger-Lewandowski et al., 2012, split a piano-roll
            version with chords; it is another set.)
        Good for: longer melodies with a strict meter and a key that each tune names.
        Not good for: singing styles; and chords are named in the source, but left out here.

    Args:
        valid, test: shares of the titles.
        seed: of the split.

    Raises:
        ValueError: shares out of range, or a file that cannot be read.
        DataError: a file cannot be had (`course_utils.datasets.fetch`).
    """
    paths = [fetch("nottingham_abc", file) for file in files("nottingham_abc")]
    return _deal(_tunes("nottingham", paths), valid, test, seed)


def jsb_quarters() -> Splits[list[list[Step]]]:
    """Return Bach's chorales as the chord that sounds on each quarter note, by name.

    Data card:
        Origin: Allan & Williams (2005), in the form of Boulanger-Lewandowski et al. (2012); JSON by C.-Z. Huang.
        Licence: not stated; the music is in the public domain.
        Size: 382 chorales, 23 134 steps of up to four MIDI pitches, ascending; 64 steps are empty.
        Splits: 229 / 76 / 77, the field's own.
        Good for: likelihoods to set beside published ones.
        Not good for: telling voices apart, held from repeated notes, or real keys: each was transposed.

    Returns:
        Chorales as lists of steps; a step is a tuple of pitches.

    Raises:
        ValueError: the file is not of that form.
        DataError: as `nottingham`.
    """
    return _jsb("jsb-chorales-quarter.json", range(5))


def jsb_sixteenths() -> Splits[list[list[Step]]]:
    """Return Bach's chorales as what four voices sing on each sixteenth note, by name.

    Data card:
        Origin: as `jsb_quarters`, in the form of Huang et al. (2017), Coconet; JSON by C.-Z. Huang.
        Licence: not stated; the music is in the public domain.
        Size: the same 382 chorales, untransposed, 92 536 steps of soprano, alto, tenor, bass; None is silence.
        Splits: 229 / 76 / 77, the same as in `jsb_quarters`, within each split in another order.
        Good for: models of four voices.
        Not good for: telling held from repeated notes.

    Returns:
        Chorales as lists of steps; a step is a tuple of four.

    Raises:
        ValueError, DataError: as `jsb_quarters`.
    """
    return _jsb("Jsb16thSeparated.json", range(4, 5))


def _jsb(file: str, sizes: range) -> Splits[list[list[Step]]]:
    parts = json.loads(fetch("jsb_chorales", file).read_text(encoding="ascii"))
    for name in NAMES:
        for number, piece in enumerate(parts.get(name, [[None]])):
            for at, step in enumerate(piece):
                if not (isinstance(step, list) and len(step) in sizes and all(type(p) is int for p in step)):
                    raise ValueError(
                        f"{file}, {name} chorale {number}, step {at}: expected pitches, got {step!r}"
                    )
    pieces = {
        name: [
            [tuple(None if pitch < 0 else pitch for pitch in step) for step in piece] for piece in parts[name]
        ]
        for name in NAMES
    }
    return Splits(**pieces)


def _tunes(name: str, paths: Sequence[Path]) -> list[Tune]:
    pieces = parsed(name, paths, _read_tunes)
    return [
        Tune(int(number), str(title), str(key), str(meter), notes)
        for (number, title, key, meter), (notes,) in pieces
    ]


def _read_tunes(paths: Sequence[Path]) -> list[Piece]:
    tunes = [tune for path in paths for tune in read_abc(path.read_text(encoding="utf-8"), path.name)]
    return [([tune.number, tune.title, tune.key, tune.meter], [tune.notes]) for tune in tunes]


def _read_chorales(paths: Sequence[Path]) -> list[Piece]:
    found: list[Piece] = []
    for path in progress(paths, "reading chorales"):
        try:
            parts = read_score(path.read_bytes(), path.name)
        except ValueError:
            continue  # not every score here is a chorale: one has two voices on a staff, one is for piano
        if tuple(parts) == VOICES:
            found.append(([path.stem.removeprefix("bwv")], list(parts.values())))
    return found


def _deal(items: Sequence[Item], valid: float, test: float, seed: int) -> Splits[list[Item]]:
    """Leave out what repeats another's notes in whatever key, then split by title."""
    kept: dict[Hashable, Item] = {}
    for item in items:
        voices = (item.notes,) if isinstance(item, Tune) else item.voices
        kept.setdefault(tuple(map(_intervals, voices)), item)
    return split_by_group(kept.values(), _title, valid=valid, test=test, seed=seed)


def _title(item: Tune | Chorale) -> str:
    return item.title.casefold() if isinstance(item, Tune) else item.number


def _intervals(notes: Iterable[Note]) -> Hashable:
    """Return the notes with pitches counted from the first: equal for one melody in two keys."""
    first = next((note.pitch for note in notes if note.pitch is not None), 0)
    return tuple((None if p is None else p - first, d.numerator, d.denominator) for p, d in notes)


def _corpus_file(*parts: str) -> Path:
    spec = find_spec("music21")  # finds the package without running it
    root = Path(spec.origin).parent if spec and spec.origin else Path("music21")
    path = root.joinpath("corpus", *parts)
    if not path.exists():
        raise FileNotFoundError(
            f"music21's corpus must hold {'/'.join(parts)}; there is no {path.name} in {root}"
        )
    return path
