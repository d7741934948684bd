"""Real sentence pairs by name: captions in three languages, and short everyday English with its French.

Every set is fetched (see `fetch`), so each function also raises what `fetch.fetch` raises.
"""

from __future__ import annotations

from html import unescape
from typing import NamedTuple

from course_utils.datasets.base import Splits
from course_utils.datasets.records import hold_out, read_lines, split_by_group

Pair = tuple[str, str]  # a sentence and its translation

LANGUAGES = ("en", "de", "fr")  # of `multi30k`
_FRENCH_BLANKS = str.maketrans("\u00a0\u2009\u202f", "   ")  # no-break, thin, narrow no-break


class EnglishFrench(NamedTuple):
    """A sentence and its translation, under the names that `number_words.NumberPair` has too."""

    english: str
    french: str


def multi30k(source: str = "en", target: str = "fr", *, seed: int = 0) -> Splits[list[Pair]]:
    """Load image captions in English, German and French (see the card below).

    Data card:
        Origin: Elliott et al. (2016), "Multi30K", and (2017) for the French: captions of photographs, translated
            by people. Downloaded, in lower case, tokenized as Moses does.
        Licence: not stated; the images described are for non-commercial research and education.
        Size: 1014 and 1000 sentences in each language, 13 tokens on average.
        Splits: test is the published one of 2016. The published train file (29 000 sentences) is not in the
            registry: train and valid are the published validation set, of which a tenth, dealt by `seed`, is
            valid. A sentence stands in the same split in all languages.
        Good for: BLEU on real captions, word order in German, what little data does to a translator.
        Not good for: a good translator: 913 pairs to learn from, where published ones had 29 000.

    Args:
        source, target: two different ones of "en", "de", "fr".
        seed: of the sentences that go to valid.

    Returns:
        Pairs (source sentence, target sentence); tokens are separated by one blank, and marks that Moses writes as
        `&apos;` are written plainly.

    Raises:
        ValueError: an unknown language, or one language twice.
    """
    for name, language in (("source", source), ("target", target)):
        if language not in LANGUAGES:
            raise ValueError(f"{name} must be one of {', '.join(LANGUAGES)}, got {language!r}")
    if source == target:
        raise ValueError(f"target must differ from source, got {target!r} for both")

    def pairs(part: str) -> list[Pair]:
        texts = [
            [unescape(line) for line in read_lines("multi30k", f"{part}.lc.norm.tok.{language}", "utf-8")]
            for language in (source, target)
        ]
        return list(zip(*texts, strict=True))

    train, valid = hold_out(enumerate(pairs("val")), lambda row: row[0], seed=seed)
    return Splits([pair for _, pair in train], [pair for _, pair in valid], pairs("test_2016_flickr"))


def eng_fra_tatoeba(*, seed: int = 0) -> Splits[list[EnglishFrench]]:
    """Load short English sentences with French translations (see the card below).

    Data card:
        Origin: the Tatoeba project, as arranged by Kelly for flash cards; a selection of 5000. Downloaded.
        Licence: CC BY 2.0 FR; the third column of the file attributes each pair.
        Size: 4956 pairs of 2597 English sentences, at most 5 English and 10 French words; 44 more lines differ
            from another in the kind of a blank only.
        Splits: 80, 10 and 10 percent of the English sentences, dealt by `seed`; all translations of a sentence
            stand in one split. Some 450 French sentences translate several English ones and may stand in two.
        Good for: a first translator of real sentences, which trains in minutes.
        Not good for: long sentences (the list is sorted by length and these are its shortest), or a BLEU against
            one reference: three pairs in four share their English sentence with others.

    Args:
        seed: of the splits.

    Returns:
        Pairs (English, French), with capitals and marks. The narrow and the no-break blanks that French sets before
        ! ? : are plain blanks here.
    """
    rows = [line.split("\t") for line in read_lines("eng_fra_tatoeba", "eng-fra.txt", "utf-8")]
    pairs = dict.fromkeys(
        EnglishFrench(english, french.translate(_FRENCH_BLANKS)) for english, french, _ in rows
    )
    return split_by_group(pairs, lambda pair: pair.english, seed=seed)
