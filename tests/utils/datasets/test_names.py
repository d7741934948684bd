"""Faker's first names: clean, unique, split by seed. Counts are loose, since Faker's lists change."""

import random
import unicodedata
from types import SimpleNamespace

import pytest

from course_utils.datasets import names as names_module
from course_utils.datasets.names import LANGUAGES, all_first_names, first_names, two_languages


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_are_single_words_once_each_and_sorted(language):
    names = all_first_names(language)
    assert len(names) >= 80 and names == sorted(set(names))
    for name in names:
        assert 2 <= len(name) <= 15 and unicodedata.is_normalized("NFC", name)
        assert not any(character.isspace() or character in ".-'0123456789" for character in name), name
        assert name[0] == name[0].upper() and name[1:] == name[1:].lower()


def test_languages_have_letters_of_their_own():
    letters = {language: set("".join(all_first_names(language))) for language in LANGUAGES}
    for language, own in {
        "icelandic": "þðæ",
        "polish": "łó",
        "turkish": "ışğ",
        "french": "éç",
        "russian": "ая",
    }.items():
        assert set(own) <= letters[language], language
    for script in ("greek", "hebrew", "arabic", "tamil"):
        assert not letters[script] & letters["english"], script


@pytest.mark.parametrize("language", ["english", "icelandic", "french"])
def test_splits(language):
    state = random.getstate()
    train, valid, test = parts = first_names(language, seed=3)
    assert sorted(train + valid + test) == all_first_names(language)
    assert len(valid) == len(test) == round(0.1 * sum(map(len, parts)))
    assert first_names(language, seed=3) == parts != first_names(language, seed=4)
    assert random.getstate() == state


def test_a_large_list_and_both_sexes_are_there():
    names = set(all_first_names("english"))
    assert len(names) > 3000 and {"Mary", "John"} <= names
    assert len(all_first_names("icelandic")) > 1000


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match=r"language must be in .*got 'klingon'"):
        first_names("klingon")


def test_what_a_list_holds_is_cleaned(monkeypatch):
    raw = ("тамара", "Тамара", "Иван", "Иvan", "Ivan", "Анна Мария", "АннаМария", "Я", "И\u0438\u0306а")

    # Some Faker versions give weights beside the names.
    provider = SimpleNamespace(first_names_male=dict.fromkeys(raw[:4], 1.0), first_names_female=raw[4:])
    monkeypatch.setattr(names_module, "import_module", lambda path: SimpleNamespace(Provider=provider))
    assert all_first_names("bulgarian") == ["Иван", "Ийа", "Тамара"]


def test_two_languages_are_folded_and_share_no_name():
    train, test = two_languages("turkish", "icelandic", most=800, longest=10)
    assert len(train) == 1200 and len(test) == 400 and len({*train, *test}) == 1600
    assert all(
        3 <= len(name) <= 10 and set(name) <= set("abcdefghijklmnopqrstuvwxyz") for name in train + test
    )
    assert two_languages("turkish", "icelandic", most=800, longest=10) == (train, test)


def test_two_languages_have_as_many_names_of_both():
    train, test = two_languages("polish", "icelandic")
    assert len(train) == 3 * len(test) and len(train + test) % 8 == 0


def test_two_languages_put_the_first_in_the_first_half():
    icelandic = {name.lower() for name in all_first_names("icelandic")}
    for part in two_languages("icelandic", "turkish"):
        half = len(part) // 2
        assert sum(name in icelandic for name in part[:half]) > half / 3  # the others are folded
        assert not icelandic & set(part[half:])
