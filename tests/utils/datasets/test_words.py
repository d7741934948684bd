"""Names, word counts and misspellings: the real files when their copies are there."""

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from course_utils.datasets import fetch, words

SHARED = Path(__file__).parents[4] / "shared" / "data"
pytestmark = pytest.mark.skipif(
    not SHARED.is_dir(), reason="no copies of the real files beside the repository"
)


@pytest.fixture(autouse=True)
def _copies(monkeypatch):
    monkeypatch.setenv(fetch.DATA_VARIABLE, str(SHARED))


def joined(splits):
    return [record for part in splits for record in part]


def shared_keys(splits, key):
    """Count the keys that stand in more than one split."""
    parts = [{key(record) for record in part} for part in splits]
    return sum(map(len, parts)) - len(set().union(*parts))


def test_given_names_are_unique():
    splits = words.names_makemore()
    names = joined(splits)
    assert [len(part) for part in splits] == [23_596, 2949, 2949] and len(set(names)) == 29_494
    assert {"emma", "zzyzx"} <= set(names) and set("".join(names)) == set("abcdefghijklmnopqrstuvwxyz")
    assert (min(map(len, names)), max(map(len, names))) == (2, 15)
    assert splits == words.names_makemore(seed=0) != words.names_makemore(seed=1)


def test_surnames_are_stripped_unique_and_on_one_side():
    splits = words.names_by_language()
    pairs = joined(splits)
    assert len(pairs) == len(set(pairs)) == 18_012 and len({name for name, _ in pairs}) == 17_450
    counts = Counter(language for _, language in pairs)
    assert (
        len(counts) == 18
        and counts["Russian"] == 9340
        and counts["Arabic"] == 108
        and counts["Vietnamese"] == 71
    )
    assert all(name == name.strip() for name, _ in pairs)
    assert {("See", "Chinese"), ("Park", "Korean"), ("Maxa/B", "Czech"), ("Żuraw", "Polish")} <= set(pairs)
    assert shared_keys(splits, lambda pair: pair[0]) == 0
    assert all(len({language for _, language in part}) == 18 for part in splits)
    assert splits == words.names_by_language(seed=0) != words.names_by_language(seed=1)


@pytest.mark.parametrize(
    "load, size, first, last, total",
    [
        (words.words_symspell, 82_834, ("the", 23_135_851_162), ("inhibitive", 12_714), 541_808_760_578),
        (words.words_opensubtitles, 50_000, ("you", 28_787_591), ("buddy-buddy", 159), 725_119_374),
    ],
)
def test_word_counts_stand_by_count(load, size, first, last, total):
    counts = load()
    rows = list(counts.items())
    assert (len(rows), rows[0], rows[-1], sum(counts.values())) == (size, first, last, total)
    assert all(above >= below for (_, above), (_, below) in pairwise(rows))


def test_odd_words():
    assert words.words_symspell()["hi"] == 300_000  # one of the entries added at the end of the file
    subtitles = words.words_opensubtitles()
    assert "'s" in subtitles and "don't" not in subtitles
    ranked = words.words_google10k()
    assert (len(ranked), len(set(ranked)), ranked[0], ranked[-1]) == (10_000, 10_000, "the", "poison")


def test_norvig_has_his_two_sets_without_the_words_of_both():
    splits = words.spell_norvig()
    assert splits.train == [] and len(splits.test) == 400
    assert splits.test[0] == ("apeal", "appeal") and splits.test[-1] == ("imediate", "immediate")
    assert splits.valid[0] == ("contenpted", "contented") and splits.valid[-1] == ("superceed", "supersede")
    assert [len({right for _, right in part}) for part in splits] == [0, 141 - 22, 363]
    assert shared_keys(splits, lambda pair: pair[1]) == 0


def test_birkbeck_is_split_by_the_word_meant():
    splits = words.spell_birkbeck()
    pairs = joined(splits)
    assert len(pairs) == len(set(pairs)) == 36_116 and len({right for _, right in pairs}) == 6133
    assert {("Ab", "Albert"), ("zeenith", "zenith")} <= set(pairs)
    assert all(wrong != right and "_" not in wrong + right for wrong, right in pairs)
    assert any(" " in right for _, right in pairs)
    assert shared_keys(splits, lambda pair: pair[1].lower()) == 0
    assert splits == words.spell_birkbeck(seed=0) != words.spell_birkbeck(seed=1)


def test_wikipedia_is_split_by_the_word_meant():
    splits = words.spell_wikipedia()
    pairs = joined(splits)
    assert len(pairs) == len(set(pairs)) == 4188 and len({wrong for wrong, _ in pairs}) == 4186
    assert {
        ("abandonned", "abandoned"),
        ("zeebra", "zebra"),
        ("alot", "a lot"),
        ("availabe", "available"),
    } <= set(pairs)
    assert shared_keys(splits, lambda pair: pair[1].lower()) == 0
    assert splits == words.spell_wikipedia(seed=0) != words.spell_wikipedia(seed=1)
