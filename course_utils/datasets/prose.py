"""Real prose that Python carries with it: the text of its own language reference, cleaned.

`pydoc_data.topics` holds the chapters that help("assert") and the like print. What is not prose (headings,
grammar, code, tables) is left out, and a paragraph that stands in several chapters is kept in one.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from pydoc_data.topics import topics

from course_utils.datasets.base import NAMES, Splits

PLAIN = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "...", "\t": " "})
EMPHASIS = re.compile(r"\*{1,2}([^\s*](?:[^*]*[^\s*])?)\*{1,2}")
BULLET = re.compile(r"^(\*|-|\d+\.|\[\d+\]) +")
WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
TYPEWRITTEN = re.compile(r'"[^"]*"')  # quotes mark code in these chapters: names, operators, keywords


def python_prose(*, valid: float = 0.1, test: float = 0.1, seed: int = 0) -> Splits[str]:
    """Return the prose of Python's language reference (see the card below).

    Data card:
        Origin: the language reference of the running Python, through the standard library's `pydoc_data`.
            Paragraphs of at least eight words, mostly letters, that end like a sentence; line breaks,
            emphasis and typographic quotes are undone. Headings, grammar, code and tables are left out.
        Licence: PSF License Agreement, as Python itself; the text is read where Python installed it.
        Size: depends on the Python version. 3.11: about 237 000 characters in 1 059 paragraphs, one a line,
            with an alphabet of 94.
        Splits: by chapter, so that no paragraph is in two of them; each part has at least the share asked for,
            and the chapters of one part stand one after another, by name.
        Good for: character and word language models on real text, with no download.
        Not good for: comparing with published figures (the text differs between Python versions; use a
            downloaded corpus), or for an everyday vocabulary: it speaks of objects and names.

    Args:
        valid, test: shares of the characters, each more than 0, together less than 1.
        seed: which chapters go where.

    Returns:
        Three strings, a paragraph a line, each line with its end.

    Raises:
        ValueError: shares out of range, or more than the small chapters can fill.
    """
    if not (valid > 0 and test > 0 and valid + test < 1):
        raise ValueError(f"valid and test must be more than 0 and together less than 1, got {valid}, {test}")
    chapters = {name: "".join(line + "\n" for line in lines) for name, lines in _chapters().items()}
    total = sum(map(len, chapters.values()))
    # Chapters differ a hundredfold in size. The largest ones are train's; the others are dealt in random order.
    large = {name for name, text in chapters.items() if len(text) > total * min(valid, test) / 2}
    order = sorted(chapters.keys() - large)
    random.Random(f"python_prose {seed}").shuffle(order)
    parts: dict[str, list[str]] = {name: [] for name in NAMES}
    for part, share in (("test", test), ("valid", valid)):
        size = 0
        while size < share * total:
            if not order:
                raise ValueError(f"{part} must be smaller, got {share}: the small chapters are all dealt out")
            parts[part].append(order.pop())
            size += len(chapters[parts[part][-1]])
    parts["train"] = [*order, *large]
    return Splits(*("".join(chapters[name] for name in sorted(parts[part])) for part in NAMES))


def python_words(*, minimum: int = 1) -> dict[str, int]:
    """Return the words of the same prose and how often each occurs, the most frequent first (see the card below).

    Data card:
        Origin: as `python_prose`. Lower-case runs of letters, with an apostrophe inside at most; what stands
            between double quotes, which mark code there, is left out, and so are single letters but a and i.
        Licence: PSF License Agreement.
        Size: depends on the Python version. 3.11: about 2 450 words, 870 of them at least five times.
        Splits: none; split the words (see `spelling`).
        Good for: a list of real words with frequencies, offline.
        Not good for: general English; it knows "iterable" and not "breakfast".

    Args:
        minimum: least number of occurrences, at least 1.

    Raises:
        ValueError: minimum below 1.
    """
    if minimum < 1:
        raise ValueError(f"minimum must be at least 1, got {minimum}")
    counts: Counter[str] = Counter()
    for lines in _chapters().values():
        for line in lines:
            # Whole runs, so that "read_only" or "PEP3" leaves no fragments behind.
            runs = re.findall(r"[\w'.]+", TYPEWRITTEN.sub(" ", line))
            words = (run.strip("'.").lower() for run in runs)
            counts.update(word for word in words if WORD.fullmatch(word) and (len(word) > 1 or word in "ai"))
    frequent = (pair for pair in counts.items() if pair[1] >= minimum)
    return dict(sorted(frequent, key=lambda pair: (-pair[1], pair[0])))


def _chapters() -> dict[str, list[str]]:
    """Return the paragraphs of each chapter, cleaned; a paragraph that recurs stays with the longest chapter."""
    seen: set[str] = set()
    chapters = {}
    for name in sorted(topics, key=lambda name: (-len(topics[name]), name)):
        paragraphs = re.split(r"\n\s*\n", topics[name].translate(PLAIN))
        lines = []
        for paragraph in paragraphs:
            line = _clean(paragraph)
            if _is_prose(line) and line not in seen:
                seen.add(line)
                lines.append(line)
        if lines:
            chapters[name] = lines
    return chapters


def _clean(paragraph: str) -> str:
    """Return a paragraph as one line without its bullet and emphasis."""
    line = " ".join(paragraph.split())
    return EMPHASIS.sub(r"\1", BULLET.sub("", line))


def _is_prose(line: str) -> bool:
    if "::=" in line or ">>>" in line or not line.isascii() or line[-1:] not in ".:;":
        return False
    letters = sum(character.isalpha() or character == " " for character in line)
    return len(line.split()) >= 8 and line[0].isupper() and letters >= 0.85 * len(line)
