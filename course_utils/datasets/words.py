"""Real words by name: given names, surnames by language, word counts and misspellings.

Every set is fetched (see `fetch`), so each function also raises what `fetch.fetch` raises.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import NamedTuple, TypeVar

from course_utils.datasets.base import Splits, split_by_seed
from course_utils.datasets.fetch import files
from course_utils.datasets.records import read_lines, split_by_group

Item = TypeVar("Item", bound=Hashable)


class Misspelling(NamedTuple):
    """A word as typed (or written) and as meant, under the names that `spelling.Misspelling` has too."""

    typed: str
    meant: str


def names_makemore(*, seed: int = 0) -> Splits[list[str]]:
    """Load given names from the United States (see the card below).

    Data card:
        Origin: Karpathy's makemore (2022), from the names that the US Social Security Administration published
            for 2018. Downloaded.
        Licence: MIT.
        Size: 29 494 names of 2 to 15 letters a–z, in lower case.
        Splits: 80, 10 and 10 percent dealt by `seed`. The file has 32 033 lines; names that it repeats are kept
            once, so that none stands in two splits.
        Good for: generating names character by character.
        Not good for: comparing with makemore's own losses to the last digit (its bigram with add-one has
            2.4546 nats a character on all lines, repetitions included), or names from elsewhere.

    Args:
        seed: of the splits.
    """
    return split_by_seed(_unique(read_lines("names_makemore", "names.txt", "ascii")), seed=seed)


def names_by_language(*, seed: int = 0) -> Splits[list[tuple[str, str]]]:
    """Load surnames with their language (see the card below).

    Data card:
        Origin: Robertson's practical-pytorch (2017), 18 languages. Downloaded.
        Licence: MIT.
        Size: 18 012 pairs of 17 450 names, from 71 (Vietnamese) to 9340 (Russian) a language.
        Splits: 80, 10 and 10 percent of the names, dealt by `seed`. A name with several languages has them all
            in one split. Repetitions are kept once (2000 Arabic lines are 108 names) and blanks at the end removed.
        Good for: classifying and generating names by language; for classes of very unequal size.
        Not good for: accuracy as the one measure (always saying Russian has 0.52); for telling alike languages
            apart: about 450 names belong to two or more. Accents stay, and one Czech name holds a slash.

    Args:
        seed: of the splits.

    Returns:
        Pairs (name, language).
    """
    pairs = _unique(
        (line.strip(), file.removesuffix(".txt"))
        for file in files("names_by_language")
        for line in read_lines("names_by_language", file, "utf-8")
    )
    return split_by_group(pairs, lambda pair: pair[0], seed=seed)


def words_symspell() -> dict[str, int]:
    """Load 82 834 English words with how often each occurs (see the card below).

    Data card:
        Origin: Garbe's SymSpell (2012–): counts from Google Books, kept where a spelling dictionary has the word.
            Downloaded.
        Licence: MIT; counts from Google Books Ngrams (CC BY 3.0) and SCOWL.
        Size: 82 834 words in lower case, 12 714 to 23 135 851 162 times.
        Splits: none: a list to look words up in.
        Good for: the prior of a spelling corrector, and a list of what is a word.
        Not good for: the frequency of contractions: 67 entries added by hand, such as "don't", all have 300 000.

    Returns:
        Counts by word, the most frequent word first.
    """
    return _counts(read_lines("words_symspell", "frequency_dictionary_en_82_765.txt", "utf-8-sig"))


def words_opensubtitles() -> dict[str, int]:
    """Load the 50 000 most frequent tokens of English film subtitles (see the card below).

    Data card:
        Origin: Dave's FrequencyWords (2018), counted in OpenSubtitles (Lison & Tiedemann, 2016). Downloaded.
        Licence: CC BY-SA 4.0.
        Size: 50 000 tokens, 159 to 28 787 591 times; 253 hold a letter beyond ASCII.
        Splits: none: a list to look words up in.
        Good for: how often words are spoken rather than written.
        Not good for: deciding what is a word: contractions are in pieces ("'s", "'t"), and names and typing
            errors are in.

    Returns:
        Counts by token, the most frequent first.
    """
    return _counts(read_lines("words_opensubtitles", "en_50k.txt", "utf-8"))


def words_google10k() -> list[str]:
    """Load the 10 000 most frequent words of English web pages (see the card below).

    Data card:
        Origin: Kaufman's google-10000-english, from the web counts of Brants & Franz (2006). Downloaded.
        Licence: for educational, personal and research use.
        Size: 10 000 words, ASCII in lower case.
        Splits: none: a list to look words up in.
        Good for: a small vocabulary by rank.
        Not good for: frequencies, which are not given, or for young readers: it has swear words.

    Returns:
        The words, the most frequent first.
    """
    return read_lines("words_google10k", "google-10000-english.txt", "ascii")


def spell_norvig() -> Splits[list[Misspelling]]:
    """Load the two test sets of Norvig's spelling corrector (see the card below).

    Data card:
        Origin: Norvig (2007), "How to Write a Spelling Corrector", drawn from the Birkbeck corpus. Downloaded.
        Licence: not stated.
        Size: 265 and 400 misspellings of 141 and 363 words; of the former, the 22 words that the latter has too
            are left out here.
        Splits: valid is his set for development, test his final one; train is empty, since his corrector learns
            from counts of words (such as `words_symspell`).
        Good for: a figure beside his: 0.75 right on the first set, 0.68 on the second.
        Not good for: training, or testing what was trained on `spell_birkbeck`, from which it comes.
    """
    valid, test = (_colon_pairs(f"spell-testset{number}.txt") for number in (1, 2))
    tested = {pair.meant for pair in test}
    return Splits([], [pair for pair in valid if pair.meant not in tested], test)


def spell_birkbeck(*, seed: int = 0) -> Splits[list[Misspelling]]:
    """Load the Birkbeck corpus of misspellings (see the card below).

    Data card:
        Origin: Mitton (1985), Birkbeck spelling error corpus: mostly handwritten, by schoolchildren and by adults
            who find spelling hard. Downloaded.
        Licence: not stated.
        Size: 36 116 misspellings of 6133 words, some of two words or more.
        Splits: 80, 10 and 10 percent of the words meant, dealt by `seed`; all misspellings of a word, whatever
            its capitals, stand in one split. A misspelling of two words may stand in two.
        Good for: hard errors, of sound and of memory, that are several letters away from the word.
        Not good for: typing errors. Inflections of one word stand in different splits.

    Args:
        seed: of the splits.
    """
    return _by_word(_dollar_pairs(read_lines("spell_birkbeck", "missp.dat", "ascii")), seed)


def spell_wikipedia(*, seed: int = 0) -> Splits[list[Misspelling]]:
    """Load common misspellings in Wikipedia (see the card below).

    Data card:
        Origin: Wikipedia's list of common misspellings, in the form of Mitton's corpora and vim-autocorrect.
            Downloaded.
        Licence: GPL.
        Size: 4188 misspellings of some 3000 words; 31 lines concern a missing or a wrong blank.
        Splits: 80, 10 and 10 percent of the words meant, dealt by `seed`; all misspellings of a word stand in
            one split.
        Good for: errors of people who type and mostly spell well: one or two letters off.
        Not good for: how often an error is made: each is listed once. A few corrections are odd ("ninties" is
            to be "1990s").

    Args:
        seed: of the splits.
    """
    lines = read_lines("spell_wikipedia", "wikipedia.dat", "ascii")
    return _by_word((Misspelling(*line.partition("->")[::2]) for line in lines), seed)


def _counts(lines: list[str]) -> dict[str, int]:
    rows = [line.split(" ") for line in lines]
    counts = {word: int(count) for word, count in rows}
    return dict(sorted(counts.items(), key=lambda item: -item[1]))  # one list has entries added at its end


def _colon_pairs(file: str) -> list[Misspelling]:
    """Read lines `meant: typed typed …`."""
    rows = [line.split(": ") for line in read_lines("spell_norvig", file, "ascii")]
    return _unique(Misspelling(typed, meant) for meant, all_typed in rows for typed in all_typed.split())


def _dollar_pairs(lines: list[str]) -> Iterator[Misspelling]:
    """Read a line `$meant` and the lines `typed` below it, with `_` for a blank."""
    meant = ""
    for line in lines:
        text = line.replace("_", " ")
        if text.startswith("$"):
            meant = text[1:]
        else:
            yield Misspelling(text, meant)


def _by_word(pairs: Iterable[Misspelling], seed: int) -> Splits[list[Misspelling]]:
    stripped = (Misspelling(pair.typed.strip(), pair.meant.strip()) for pair in pairs)
    wrong = _unique(pair for pair in stripped if pair.typed != pair.meant)
    return split_by_group(wrong, lambda pair: pair.meant.lower(), seed=seed)


def _unique(items: Iterable[Item]) -> list[Item]:
    return list(dict.fromkeys(items))
