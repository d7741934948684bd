"""First names by language, from the Faker library's own lists, offline.

A name model learns how a language spells: "Þórdís", "Kazimierz", "Giuseppina". Each language is written in its own
letters, so an alphabet is part of the data; build it from the training names (`vocabulary.Vocabulary`).
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from importlib import import_module

import numpy as np

from course_utils.datasets.base import Splits, split_by_seed

LANGUAGES = {  # the Faker locale whose lists are read
    "arabic": "ar_SA",
    "bulgarian": "bg_BG",
    "czech": "cs_CZ",
    "dutch": "nl_NL",
    "english": "en",
    "estonian": "et_EE",
    "finnish": "fi_FI",
    "french": "fr_FR",
    "german": "de_DE",
    "greek": "el_GR",
    "hebrew": "he_IL",
    "hungarian": "hu_HU",
    "icelandic": "is_IS",
    "irish": "ga_IE",
    "italian": "it_IT",
    "polish": "pl_PL",
    "portuguese": "pt_BR",
    "romanian": "ro_RO",
    "russian": "ru_RU",
    "slovak": "sk_SK",
    "slovenian": "sl_SI",
    "spanish": "es_ES",
    "swedish": "sv_SE",
    "tamil": "ta_IN",
    "turkish": "tr_TR",
}
LISTS = ("first_names", "first_names_male", "first_names_female")


def first_names(
    language: str = "english", *, valid: float = 0.1, test: float = 0.1, seed: int = 0
) -> Splits[list[str]]:
    """Return the first names of one language (see the card below).

    Data card:
        Origin: the person providers of the Faker library, one locale a language (`LANGUAGES`): women's and
            men's names together, single words of 2 to 15 letters of the language's
            script, each once.
        Licence: MIT, as Faker; names are read where it is installed.
        Size: depends on the Faker version, whose lists grow and are corrected; say which you used
            (`faker.VERSION`). 40.54: arabic 700, bulgarian 1563, czech 263, dutch 499, english 6824, estonian
            101, finnish 395, french 215, german 1850, greek 806, hebrew 577, hungarian 200, icelandic 3742,
            irish 845, italian 458, polish 152, portuguese 218, romanian 679, russian 401, slovak 440, slovenian
            340, spanish 886, swedish 947, tamil 956, turkish 1495.
        Splits: by name; the names are sorted before they are dealt out by the seed.
        Good for: character models that invent names, and for comparing languages, with no download.
        Not good for: comparing figures between Faker versions, or with published ones (use makemore's
            downloaded list); how common a name is, since each counts once. A country's list also holds names
            from elsewhere: many of the German and the Swedish ones are read the same in English.

    Args:
        language: in LANGUAGES.
        valid, test: shares, each more than 0, together less than 1.
        seed: of the splits.

    Returns:
        Three lists of names, as spelled, beginning with a capital where the script has them.

    Raises:
        ValueError: an unknown language or shares out of range.
    """
    return split_by_seed(all_first_names(language), valid=valid, test=test, seed=seed)


def all_first_names(language: str) -> list[str]:
    """Return every name of `first_names` in one sorted list, to ask whether a name is new.

    Raises:
        ValueError: an unknown language.
    """
    if language not in LANGUAGES:
        raise ValueError(f"language must be in {list(LANGUAGES)}, got {language!r}")
    provider = import_module(f"faker.providers.person.{LANGUAGES[language]}").Provider
    lists: list[Iterable[str]] = [getattr(provider, name, ()) for name in LISTS]
    raw = {name for names in lists for name in names}  # of lists that come with weights, the names alone
    names = {unicodedata.normalize("NFC", name[:1].upper() + name[1:]) for name in raw}
    words = [name for name in names if 2 <= len(name) <= 15 and _is_one_word(name)]
    [(script, _)] = Counter(_script(name) for name in words).most_common(1)
    return sorted(name for name in words if _script(name) == script)


def two_languages(
    first: str, second: str, *, most: int = 1400, longest: int = 12, seed: int = 0
) -> tuple[list[str], list[str]]:
    """Return names of two languages, folded to the letters a to z, so that no "ğ" or "þ" gives a language away.

    Args:
        first, second: two of LANGUAGES.
        most: names of each language, at most; there are as many of both, and a multiple of four.
        longest: letters of a folded name, at most; three at least.
        seed: of the draw.

    Returns:
        Three quarters of the names to train on, and a quarter to test; the first half of each list is of
        language `first`. No folded name is in both languages.

    Raises:
        ValueError: an unknown language.
    """
    folded = [{_folded(name) for name in all_first_names(language)} for language in (first, second)]
    pools = [
        sorted(name for name in own - other if 3 <= len(name) <= longest)
        for own, other in (folded, folded[::-1])
    ]
    each = min(most, *map(len, pools)) // 4 * 4
    rng = np.random.default_rng(seed)
    pools = [[pool[i] for i in rng.permutation(len(pool))[:each]] for pool in pools]
    train = [name for pool in pools for name in pool[each // 4 :]]
    return train, [name for pool in pools for name in pool[: each // 4]]


def _folded(name: str) -> str:
    plain = name.lower().replace("þ", "th").replace("ð", "d").replace("æ", "ae").replace("ı", "i")
    return "".join(letter for letter in unicodedata.normalize("NFKD", plain) if "a" <= letter <= "z")


def _is_one_word(name: str) -> bool:
    """True for letters, and the marks that Tamil writes for vowels, without a capital inside ("AnaMaria")."""
    return all(unicodedata.category(letter)[0] in "LM" for letter in name) and name[1:] == name[1:].lower()


def _script(name: str) -> frozenset[str]:
    """Return the scripts of a name, as Unicode calls them: "LATIN SMALL LETTER A" is LATIN."""
    return frozenset(unicodedata.name(character).split()[0] for character in name)
