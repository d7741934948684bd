"""Reading the voices of a MusicXML score: enough of the format for four singers, one line of notes each.

After MusicXML 4.0, score-partwise (W3C Music Notation Community Group, 2021). `<duration>` counts divisions of a
quarter note, so durations are exact. Repeats are not played.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from fractions import Fraction
from xml.etree import ElementTree

from course_utils.datasets.abc_notation import SEMITONES, Note


def read_score(data: bytes, name: str = "score") -> dict[str, tuple[Note, ...]]:
    """Return each part's notes by the part's name, in the order of the score.

    Args:
        data: of a .xml file, or of the zip archive that a .mxl file is.
        name: of the file, for messages.

    Raises:
        ValueError: no score, two parts of one name, or more than one note at a time in a part; the message
            names file and part.
    """
    try:
        root = ElementTree.fromstring(_unpacked(data))
    except (ElementTree.ParseError, zipfile.BadZipFile, KeyError) as error:
        raise ValueError(f"{name}: not a MusicXML score: {error}") from None
    names = {part.get("id"): (part.findtext("part-name") or "").strip() for part in root.iter("score-part")}
    parts: dict[str, tuple[Note, ...]] = {}
    for part in root.iter("part"):
        part_name = names.get(part.get("id"), "")
        if part_name in parts:
            raise ValueError(f"{name}: part names must differ, got {part_name!r} twice")
        try:
            parts[part_name] = tuple(_tied(_notes(part)))
        except ValueError as error:
            raise ValueError(f"{name}, part {part_name!r}: {error}") from None
    return parts


def _unpacked(data: bytes) -> bytes:
    """Return the score inside a .mxl archive, which its container names; other data as it is."""
    if not data.startswith(b"PK"):
        return data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        container = ElementTree.fromstring(archive.read("META-INF/container.xml"))
        rootfile = next(element for element in container.iter() if element.tag.endswith("rootfile"))
        return archive.read(rootfile.attrib["full-path"])


def _notes(part: ElementTree.Element) -> Iterator[tuple[Note, bool]]:
    """Yield notes as they are written, and whether each is tied to the one before."""
    divisions = 1
    for element in part.iterfind("measure/*"):
        if element.tag == "attributes":
            divisions = int(element.findtext("divisions") or divisions)
        elif element.tag in ("note", "forward") and element.find("grace") is None:
            if element.find("chord") is not None:
                raise ValueError("more than one note at a time")
            duration = Fraction(int(element.findtext("duration") or 0), divisions)
            tied = any(tie.get("type") == "stop" for tie in element.iterfind("tie"))
            yield Note(_pitch(element.find("pitch")), duration), tied
        elif element.tag == "backup":
            raise ValueError("more than one voice in a part")


def _pitch(pitch: ElementTree.Element | None) -> int | None:
    if pitch is None:
        return None
    step, alter, octave = (pitch.findtext(tag) or "0" for tag in ("step", "alter", "octave"))
    return 12 * (int(octave) + 1) + SEMITONES[step] + int(alter)


def _tied(written: Iterator[tuple[Note, bool]]) -> list[Note]:
    """Join what is tied."""
    notes: list[Note] = []
    for note, tied in written:
        if tied and notes and notes[-1].pitch == note.pitch:
            notes[-1] = Note(note.pitch, notes[-1].duration + note.duration)
        else:
            notes.append(note)
    return notes
