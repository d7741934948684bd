"""Messages of many students, grouped: which misconceptions a class holds, and which kinds of flags there are.

A message names what was checked, numbers and the student's own words: `one relu step: the bias is added after the tanh`,
`h: 3 of 8 entries differ from the right value (largest difference 0.12)`. A sentence behind the first colon that holds no
number and no quotation is the misconception, whatever was checked. Of any other message, what remains when its numbers and
quotations are blotted out is what it has in common with those of other students.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

UNANSWERED = "a part is not answered"
MOST_MESSAGES = 50  # of one student to one question: a submission may not fill the report

_PART = re.compile(r"^([✓✗]) ", re.MULTILINE)
_LABEL = re.compile(r".*? \[[\d.]+\]: |[^:\n]*: ")  # with points, or without
_BLANK = re.compile(r"not (answered|defined|implemented) yet\b|^Exercise [\w-]+: |^NotImplementedError\b")
_QUOTED = re.compile(r"(?<!\w)'[^'\n]*'(?!\w)|\"[^\"\n]*\"|`[^`\n]*`")
_NUMBER = re.compile(r"(?<![\w.])[-−]?\d+(\.\d*)?(e[-+]?\d+)?(?!\w)|\b(nan|inf)\b")
_DETAIL = re.compile(r" \((shape|in|largest difference) [^\n]*\)$")
_UNNAMED = re.compile(
    r"\bdiffers? from the right value|: expected\b|: shape \("
)  # wrong, and nobody knows why
_PLACE = re.compile(r"^(?P<look>please look: )?(a cell|[\w.-]+)(: | )")


@dataclass(frozen=True)
class Group:
    """Messages that say the same.

    Attributes:
        message: the most common of them.
        count: students who got one.
    """

    message: str
    count: int


def failures_in(message: str) -> list[str]:
    """The parts of a verdict's message that failed, without their labels; the message itself where it has no parts."""
    pieces = _PART.split(message)
    if len(pieces) == 1:
        return [message.strip()] if message.strip() else []
    failed = [text for sign, text in zip(pieces[1::2], pieces[2::2], strict=True) if sign == "✗"]
    return [text[_end_of_label(text) :].strip() for text in failed[:MOST_MESSAGES]]


def key_of(message: str) -> str:
    """What this message has in common with those that say the same."""
    if _BLANK.search(message):
        return UNANSWERED
    line = _DETAIL.sub("", message.split("\n", 1)[0])
    _, _, sentence = line.partition(": ")
    if len(sentence.split()) >= 3 and _blotted(sentence) == sentence:
        return sentence
    return _blotted(line)


def grouped(messages: Mapping[str, Iterable[str]]) -> list[Group]:
    """Group what many students were told about one question: the most frequent first, named mistakes before unnamed ones of the
    same frequency, unanswered parts last.

    Args:
        messages: student → messages. A student counts once in each group.
    """
    students: Counter[str] = Counter()
    said: dict[str, Counter[str]] = {}
    for theirs in messages.values():
        keys: dict[str, str] = {}
        for message in theirs:
            keys.setdefault(key_of(message), message)
        for key, message in keys.items():
            students[key] += 1
            said.setdefault(key, Counter())[UNANSWERED if key == UNANSWERED else message] += 1
    groups = [
        Group(min(said[key].items(), key=lambda item: (-item[1], item[0]))[0], students[key]) for key in said
    ]

    def place(group: Group) -> tuple:
        return group.message == UNANSWERED, -group.count, bool(_UNNAMED.search(group.message)), group.message

    return sorted(groups, key=place)


def flags_by_kind(flags: Mapping[str, Iterable[str]]) -> dict[str, list[tuple[str, str]]]:
    """Kind of flag → (student, flag), the kind with most students first.

    Args:
        flags: student → flags, in the order in which students are to stand.
    """
    kinds: dict[str, list[tuple[str, str]]] = {}
    for student, theirs in flags.items():
        for flag in theirs:
            kinds.setdefault(kind_of(flag), []).append((student, flag))
    return dict(sorted(kinds.items(), key=lambda kind: (-len({who for who, _ in kind[1]}), kind[0])))


def kind_of(flag: str) -> str:
    """A flag without the cell it is about, its numbers and its details."""
    line = flag.split("\n", 1)[0]
    match = _PLACE.match(line)
    if match and (match["look"] or match[3] == ": "):
        line = line[match.end() :]
    return _blotted(line).replace("#", "…").split("; ")[0].split(": ")[0][:120]


def _end_of_label(text: str) -> int:
    match = _LABEL.match(text)
    return match.end() if match else 0


def _blotted(text: str) -> str:
    return _NUMBER.sub("#", _QUOTED.sub("'…'", text))
