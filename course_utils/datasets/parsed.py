"""Scores that were read once, kept as a small file in the course's cache so that the next time is quick.

A file's name holds a digest of the scores it was read from and of the readers' version, and its first line one of
what follows. So another corpus makes another file, and a file that is cut short or damaged is read anew. Where the
cache cannot be written to, nothing is kept and nothing fails.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from fractions import Fraction
from functools import cache
from pathlib import Path

from course_utils.datasets.abc_notation import Note
from course_utils.datasets.fetch import cache_folder

READERS = 1  # goes up when the readers learn to read differently
Piece = tuple[list[int | str], list[tuple[Note, ...]]]  # a header, and a line of notes for each voice


def parsed(name: str, sources: Sequence[Path], read: Callable[[Sequence[Path]], list[Piece]]) -> list[Piece]:
    """Return read(sources), from the cache when it was called on the same bytes before.

    Args:
        name: of the set, the start of the file's name.
        sources: the scores.
        read: called when nothing good is kept.
    """
    digest = hashlib.sha256(f"{READERS}".encode())
    for source in sources:
        digest.update(f"\n{source.name} {source.stat().st_size}\n".encode() + source.read_bytes())
    path = cache_folder() / "parsed" / f"{name}-{digest.hexdigest()[:16]}.json"
    try:
        check, _, body = path.read_bytes().partition(b"\n")
        if check.decode() == hashlib.sha256(body).hexdigest():
            return [_from_plain(header, voices) for header, voices in json.loads(body)]
    except (OSError, ValueError):
        pass  # not there, or no text
    pieces = read(sources)
    _keep(path, json.dumps([_to_plain(*piece) for piece in pieces], separators=(",", ":")).encode())
    return pieces


def _keep(path: Path, body: bytes) -> None:
    """Write beside `path` and then rename, so that other processes see the whole file or none."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
            os.replace(part, path)
        finally:
            Path(part).unlink(missing_ok=True)


def _to_plain(header: list[int | str], voices: list[tuple[Note, ...]]) -> list:
    """Write each voice as pitches and durations, a rest as -1, three numbers in a row for each note."""
    return [
        header,
        [
            [number for p, d in voice for number in (-1 if p is None else p, *d.as_integer_ratio())]
            for voice in voices
        ],
    ]


def _from_plain(header: list[int | str], voices: list[list[int]]) -> Piece:
    return header, [
        tuple(
            Note(None if pitch < 0 else pitch, _fraction(top, bottom))
            for pitch, top, bottom in zip(voice[::3], voice[1::3], voice[2::3], strict=True)
        )
        for voice in voices
    ]


_fraction = cache(Fraction)  # a corpus has a dozen durations
