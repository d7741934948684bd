"""Regions of a cell: what stands between `### BEGIN …` and `### END …`.

nbgrader takes any line that contains the words for a marker; we ask for the whole line, so that no text about
markers is mistaken for one.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

SOLUTION, HIDDEN_TESTS, MARK_SCHEME = "SOLUTION", "HIDDEN TESTS", "MARK SCHEME"
NAMES = (SOLUTION, HIDDEN_TESTS, MARK_SCHEME)

_MARKER = re.compile(rf"^(?P<indent>[ \t]*)### (?P<edge>BEGIN|END) (?P<name>{'|'.join(NAMES)})[ \t]*$")
_MENTION = re.compile(rf"(BEGIN|END)\s+({'|'.join(NAMES)})")
_MISSPELT = re.compile(
    rf"^\s*#+\s*(BEGIN|END)[\s_-]+({'|'.join(NAMES)})", re.IGNORECASE
)  # nbgrader would overlook it


@dataclass(frozen=True)
class Line:
    """One line of a cell: the region it lies in, and whether it is a marker (a marker lies in its region)."""

    index: int  # from 0
    text: str
    region: str | None
    marker: bool


@dataclass(frozen=True)
class Region:
    """One region of a cell; `lines` are those between the markers."""

    name: str
    indent: str
    begin: int  # index of the BEGIN line
    end: int  # index of the END line
    lines: tuple[Line, ...]


def mention(text: str) -> re.Match[str] | None:
    """The words of a marker in a line, whether or not nbgrader would take the line for one."""
    return _MENTION.search(text) or _MISSPELT.match(text)


def read_lines(source: str) -> list[Line]:
    """The cell's lines. Markers are assumed balanced: see `marker_problems`."""
    lines: list[Line] = []
    inside: str | None = None
    for index, text in enumerate(source.split("\n")):
        found = _MARKER.match(text)
        if found and found["edge"] == "BEGIN":
            inside = found["name"]
        lines.append(Line(index, text, inside, bool(found)))
        if found and found["edge"] == "END":
            inside = None
    return lines


def regions(source: str, name: str | None = None) -> list[Region]:
    """The cell's regions in order: all of them, or those of one name."""
    found: list[Region] = []
    begin: Line | None = None
    inner: list[Line] = []
    for line in read_lines(source):
        if not line.marker:
            inner.append(line)
        elif begin is None:
            begin, inner = line, []
        else:
            indent = begin.text[: len(begin.text) - len(begin.text.lstrip())]
            found.append(Region(begin.region or "", indent, begin.index, line.index, tuple(inner)))
            begin = None
    return [region for region in found if name in (None, region.name)]


def public_lines(source: str) -> list[str]:
    """The lines that lie in no region."""
    return [line.text for line in read_lines(source) if line.region is None]


def without_regions(source: str, names: Iterable[str] = NAMES) -> str:
    """The cell without its regions of these names, markers included."""
    hidden = set(names)
    return "\n".join(line.text for line in read_lines(source) if line.region not in hidden)


def marker_problems(source: str) -> list[tuple[int, str]]:
    """What is wrong with the markers: (index of the line, what to do about it)."""
    problems: list[tuple[int, str]] = []
    inside: tuple[int, str] | None = None
    for index, text in enumerate(source.split("\n")):
        found = _MARKER.match(text)
        if not found:
            if words := mention(text):
                wanted = f"### {words[1].upper()} {words[2].upper()}"
                problems.append((index, f'almost a marker; write "{wanted}" and nothing else in the line'))
            continue
        edge, name = found["edge"], found["name"]
        if edge == "BEGIN":
            if inside:
                problems.append((index, f"BEGIN {name} inside the {inside[1]} region; end that one first"))
            inside = (index, name)
        elif inside is None:
            problems.append((index, f"END {name} without its BEGIN; add it or remove this line"))
        elif inside[1] != name:
            problems.append((index, f"END {name} closes the {inside[1]} region; make the two agree"))
            inside = None
        else:
            inside = None
    if inside:
        problems.append((inside[0], f"BEGIN {inside[1]} without its END; add the line ### END {inside[1]}"))
    return problems
