"""Misspelled words: the four slips of Damerau (1964, "A technique for computer detection and correction of
spelling errors", Communications of the ACM 7), one to a word, made by rule.

    swap          two neighbors change places      object → obejct
    insertion     a letter too many                object → obhject
    deletion      a letter too few                 object → objct
    substitution  another letter                   object → ovject

Fingers, not dice, choose wrong letters: they lie beside the right one on a QWERTY keyboard, or double it.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from course_utils.datasets.base import Splits, split_by_seed
from course_utils.datasets.prose import python_words

KINDS = ("swap", "insertion", "deletion", "substitution")
SHORTEST, LONGEST = 4, 14  # letters of the words taken from Python's prose
TRIES = 20  # at one kind of slip in one word, before it is given up


def _neighbors() -> dict[str, str]:
    """Return the letters around each key; each row of a keyboard starts a bit further to the right."""
    place = {
        letter: (column + shift, row)
        for row, (shift, letters) in enumerate(((0.0, "qwertyuiop"), (0.25, "asdfghjkl"), (0.75, "zxcvbnm")))
        for column, letter in enumerate(letters)
    }
    near = lambda a, b: a != b and abs(place[a][0] - place[b][0]) <= 1 and abs(place[a][1] - place[b][1]) <= 1
    return {a: "".join(sorted(b for b in place if near(a, b))) for a in place}


KEYBOARD = _neighbors()


class Misspelling(NamedTuple):
    """A word as typed and as meant, and the slip between the two, in KINDS."""

    typed: str
    meant: str
    kind: str


def spelling(
    words: Sequence[str] | None = None,
    *,
    each: int = 10,
    held_out: str = "misspelling",
    valid: float = 0.1,
    test: float = 0.1,
    seed: int = 0,
) -> Splits[list[Misspelling]]:
    """Misspell each word of a list in several ways (see the card below).

    Data card:
        Origin: slips made by rule, in the words of Python's language reference (`python_words`) or others.
        Licence: as the words'; the PSF License Agreement for Python's.
        Size: depends on the Python version. 3.11: about 2 280 words, 22 300 misspellings, the four kinds
            equally often.
        Splits: no typed form occurs twice, none is itself a word of the list, and none was drawn from two of
            its words. With held_out="misspelling" every word is in train and what is new in test is the slip:
            the vocabulary is known. A word that got fewer than `each` forms stays in train alone. With
            held_out="word" no test word is in train: then a model must judge by the look of a word that it has
            never seen, which nobody does well.
        Good for: sequence to sequence on characters; `difflib.get_close_matches` on the same list of words is
            the baseline to name beside it.
        Not good for: real misspellings, which come from sound as much as from fingers ("recieve", "seperate"),
            and often hold two slips.

    Args:
        words: lower-case words of at least two letters a–z; None for those of `python_words` with 4 to 14.
        each: misspellings of each word, at least 1; words may get fewer where their forms are taken.
        held_out: "misspelling" or "word".
        valid, test: shares, each more than 0, together less than 1; of each word's forms, or of the words.
        seed: of slips and splits.

    Raises:
        ValueError: each below 1, an unknown held_out, a word that cannot be misspelled, shares out of range, or
            each too small for the shares.
    """
    if each < 1:
        raise ValueError(f"each must be at least 1, got {each}")
    if held_out not in ("misspelling", "word"):
        raise ValueError(f"held_out must be 'misspelling' or 'word', got {held_out!r}")
    if words is None:
        words = [w for w in python_words() if w.isalpha() and SHORTEST <= len(w) <= LONGEST]
    forms = _forms(sorted(set(words)), each, random.Random(f"spelling {seed}"))
    if held_out == "word":
        dealt = split_by_seed(list(forms), valid=valid, test=test, seed=seed)
        return dealt.map(lambda part: [slip for word in part for slip in forms[word]])
    parts: Splits[list[Misspelling]] = Splits([], [], [])
    for slips in forms.values():
        if len(slips) < each:  # too few to give every part its share: all for train
            parts.train.extend(slips)
            continue
        for part, some in zip(parts, split_by_seed(slips, valid=valid, test=test, seed=seed), strict=True):
            part.extend(some)
    return parts


def _forms(words: list[str], each: int, rng: random.Random) -> dict[str, list[Misspelling]]:
    """Return up to `each` misspellings of every word, in random order, each of one word only."""
    drawn: list[Misspelling] = []
    for word in words:
        kinds = [KINDS[(i + offset) % 4] for offset in [rng.randrange(4)] for i in range(each)]
        rng.shuffle(kinds)
        typed = {word}
        for kind in kinds:
            for _ in range(TRIES):
                form = misspell(word, kind, rng)
                if form not in typed:
                    typed.add(form)
                    drawn.append(Misspelling(form, word, kind))
                    break
    count = Counter(slip.typed for slip in drawn)
    forms: dict[str, list[Misspelling]] = {word: [] for word in words}
    known = set(words)
    for slip in drawn:
        if count[slip.typed] == 1 and slip.typed not in known:
            forms[slip.meant].append(slip)
    return forms


def misspell(word: str, kind: str, rng: random.Random) -> str:
    """Return the word with one slip in it, never the word itself.

    Args:
        word: at least two letters a–z; two different ones for a swap.
        kind: in KINDS.
        rng: draws the place and the letter.

    Raises:
        ValueError: an unknown kind or a word that it does not fit.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be in {KINDS}, got {kind!r}")
    if len(word) < 2 or not set(word) <= KEYBOARD.keys():
        raise ValueError(f"word must be two letters a-z or more, got {word!r}")
    if kind == "swap":
        places = [i for i in range(len(word) - 1) if word[i] != word[i + 1]]
        if not places:
            raise ValueError(f"word must have two different letters for a swap, got {word!r}")
        i = rng.choice(places)
        return word[:i] + word[i + 1] + word[i] + word[i + 2 :]
    i = rng.randrange(len(word))
    if kind == "deletion":
        return word[:i] + word[i + 1 :]
    if kind == "substitution":
        return word[:i] + rng.choice(KEYBOARD[word[i]]) + word[i + 1 :]
    return word[:i] + rng.choice(word[i] + KEYBOARD[word[i]]) + word[i:]  # insertion
