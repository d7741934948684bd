"""Numbers in words, English to French: real translation with rules that can be written down in full.

    71      seventy-one                                     soixante et onze
    280     two hundred eighty                              deux cent quatre-vingts
    80 300  eighty thousand three hundred                   quatre-vingt mille trois cents

French counts in tens up to sixty and in twenties from there: 97 is "four twenties seventeen". The spelling is the
traditional one (Grevisse & Goosse, "Le bon usage", numerals), with hyphens below a hundred only, except around "et":
"vingt" and "cent" take an s when multiplied and last, also not before "mille", which never takes one.
"""

from __future__ import annotations

import random
from typing import NamedTuple

from course_utils.datasets.base import NAMES, Splits

LARGEST = 999_999
ENGLISH_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *(
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ),
)
ENGLISH_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
FRENCH_ONES = (
    *("zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"),
    *("dix", "onze", "douze", "treize", "quatorze", "quinze", "seize", "dix-sept", "dix-huit", "dix-neuf"),
)
FRENCH_TENS = ("", "", "vingt", "trente", "quarante", "cinquante", "soixante", "septante", "", "nonante")
SHARES = (0.01, 0.02, 0.07, 0.3, 0.3, 0.3)  # of numbers with 1, 2, … 6 digits, as far as there are so many
ZERO = 0.3  # chance of a 0 after a long number's first digit; at 0.1 "cents" and "quatre-vingts" were rare
MOST = 100_000


class NumberPair(NamedTuple):
    """A number and its name in both languages; words are separated by spaces."""

    number: int
    english: str
    french: str


def number_words(
    *, train: int = 6000, valid: int = 500, test: int = 1000, septante: bool = False, seed: int = 0
) -> Splits[list[NumberPair]]:
    """Draw numbers from 0 to 999 999 and name them in English and French (see the card below).

    Data card:
        Origin: made by the two languages' rules (`english_number`, `french_number`).
        Licence: that of this package.
        Size: as asked for; 6000, 500 and 1000 by default; 31 English and 28 French words when
            hyphens are words too (`split_words`), 1 to 19 to a number.
        Splits: no number is in two of them. By default, about 7, 25, 33 and 34 % of the numbers of each have
            three, four, five and six digits; there are too few shorter ones for more than 1 %. Digits after the
            first are 0 with chance 0.3, so that lengths in words are spread.
        Good for: translation with one right answer, by length; word order agrees and word count does not,
            since 80 is one word in English and two in French.
        Not good for: judging translation of sentences; there is nothing ambiguous here, and no synonyms.

    Args:
        train, valid, test: number of pairs, each at least 1, together at most 100 000.
        septante: say septante and nonante for 70 and 90, as in Belgium and Switzerland.
        seed: of the draw.

    Raises:
        ValueError: a count out of range.
    """
    counts = dict(zip(NAMES, (train, valid, test), strict=True))
    total = sum(counts.values())
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{name} must be at least 1, got {count}")
    if total > MOST:
        raise ValueError(f"train, valid and test must be at most {MOST} together, got {total}")
    numbers = _draw(total, random.Random(f"number_words {seed}"))
    pairs = [NumberPair(n, english_number(n), french_number(n, septante=septante)) for n in numbers]
    return Splits(pairs[:train], pairs[train : train + valid], pairs[train + valid :])


def _draw(total: int, rng: random.Random) -> list[int]:
    """Return `total` different numbers in random order, their lengths spread as SHARES says."""
    chosen: set[int] = set()
    for digits in (1, 2, 3):
        numbers = range(10 ** (digits - 1) if digits > 1 else 0, 10**digits)
        chosen.update(rng.sample(numbers, min(round(SHARES[digits - 1] * total), len(numbers))))
    while len(chosen) < total:
        number = rng.randint(1, 9)
        for _ in range(rng.choices((3, 4, 5), SHARES[3:])[0]):
            number = 10 * number + (0 if rng.random() < ZERO else rng.randint(1, 9))
        chosen.add(number)
    order = sorted(chosen)
    rng.shuffle(order)
    return order


def english_number(number: int) -> str:
    """Return a number in American English words: 1 021 is "one thousand twenty-one".

    Raises:
        ValueError: number outside 0..999 999.
    """
    _check(number)
    thousands, rest = divmod(number, 1000)
    words = [_english_hundreds(thousands), "thousand"] if thousands else []
    if rest or not thousands:
        words.append(_english_hundreds(rest))
    return " ".join(words)


def _english_hundreds(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    words = [ENGLISH_ONES[hundreds], "hundred"] if hundreds else []
    if rest >= 20:
        tens, ones = divmod(rest, 10)
        words.append(ENGLISH_TENS[tens] + (f"-{ENGLISH_ONES[ones]}" if ones else ""))
    elif rest or not hundreds:
        words.append(ENGLISH_ONES[rest])
    return " ".join(words)


def french_number(number: int, *, septante: bool = False) -> str:
    """Return a number in French words: 1 021 is "mille vingt et un".

    Args:
        number: 0..999 999.
        septante: 70 and 90 are septante and nonante; 80 stays quatre-vingts, as in Belgium.

    Raises:
        ValueError: number outside 0..999 999.
    """
    _check(number)
    thousands, rest = divmod(number, 1000)
    words = []
    if thousands > 1:  # a thousand is "mille", not "un mille"; before it, cent and vingt stay without s
        words.append(_french_hundreds(thousands, septante, final=False))
    if thousands:
        words.append("mille")
    if rest or not thousands:
        words.append(_french_hundreds(rest, septante, final=True))
    return " ".join(words)


def _french_hundreds(number: int, septante: bool, final: bool) -> str:
    hundreds, rest = divmod(number, 100)
    words = [FRENCH_ONES[hundreds]] if hundreds > 1 else []
    if hundreds:
        words.append("cents" if hundreds > 1 and not rest and final else "cent")
    if rest or not hundreds:
        words.append(_french_tens(rest, septante, final))
    return " ".join(words)


def _french_tens(number: int, septante: bool, final: bool) -> str:
    """Return 0..99 in words."""
    if number < 20:
        return FRENCH_ONES[number]
    tens, ones = divmod(number, 10)
    if tens == 8 or (tens == 9 and not septante):
        score = number - 80  # 0..19, counted on from four twenties
        if not score:
            return "quatre-vingts" if final else "quatre-vingt"
        return f"quatre-vingt-{FRENCH_ONES[score]}"  # 81 and 91 have no "et"
    if tens == 7 and not septante:
        tens, ones = 6, ones + 10
    if not ones:
        return FRENCH_TENS[tens]
    return FRENCH_TENS[tens] + (" et " if ones in (1, 11) else "-") + FRENCH_ONES[ones]


def split_words(text: str) -> list[str]:
    """Return the words of a number for a word model, hyphens as words: "vingt-deux" is vingt - deux."""
    return text.replace("-", " - ").split()


def join_words(words: list[str]) -> str:
    """Undo `split_words`."""
    return " ".join(words).replace(" - ", "-")


def _check(number: int) -> None:
    if not 0 <= number <= LARGEST:
        raise ValueError(f"number must be in 0..{LARGEST}, got {number}")
