"""Sentence pairs: the real files when their copies are there."""

from pathlib import Path

import pytest

from course_utils.datasets import fetch
from course_utils.datasets.translation import eng_fra_tatoeba, multi30k

SHARED = Path(__file__).parents[4] / "shared" / "data"
real = pytest.mark.skipif(not SHARED.is_dir(), reason="no copies of the real files beside the repository")


@pytest.fixture(autouse=True)
def _copies(monkeypatch):
    if SHARED.is_dir():
        monkeypatch.setenv(fetch.DATA_VARIABLE, str(SHARED))


@real
def test_captions_are_aligned_and_unescaped():
    splits = multi30k("en", "fr")
    assert [len(part) for part in splits] == [913, 101, 1000]
    assert splits.test[0] == (
        "a man in an orange hat starring at something .",
        "un homme avec un chapeau orange regardant quelque chose .",
    )
    assert splits.test[-1][1] == "une fille au bord d' une plage avec une montagne au loin ."
    pairs = [pair for part in splits for pair in part]
    assert not any("&" in side for pair in pairs for side in pair)
    tokens = [[sum(len(pair[side].split(" ")) for pair in part) for side in (0, 1)] for part in splits]
    assert (tokens[0][0] + tokens[1][0], tokens[0][1] + tokens[1][1]) == (13_308, 14_381)
    assert tokens[2] == [12_968, 13_988]
    assert len(set(pairs)) == 2014


@real
def test_a_caption_stands_in_the_same_split_in_all_languages():
    for english_french, english_german, german_french in zip(
        multi30k(), multi30k("en", "de"), multi30k("de", "fr"), strict=True
    ):
        assert [pair[0] for pair in english_french] == [pair[0] for pair in english_german]
        assert [pair[1] for pair in english_french] == [pair[1] for pair in german_french]
        assert [pair[1] for pair in english_german] == [pair[0] for pair in german_french]
    assert multi30k(seed=1).valid != multi30k().valid and multi30k(seed=1).test == multi30k().test


@real
def test_everyday_sentences_keep_all_translations_on_one_side():
    splits = eng_fra_tatoeba()
    pairs = [pair for part in splits for pair in part]
    assert len(pairs) == len(set(pairs)) == 4956 and len({english for english, _ in pairs}) == 2597
    parts = [{english for english, _ in part} for part in splits]
    assert sum(map(len, parts)) == 2597 and [len(part) for part in parts] == [2077, 260, 260]
    assert {("Go.", "Va !"), ("I'm so tired!", "Je suis si fatigué !")} <= set(pairs)
    assert not any(blank in french for _, french in pairs for blank in "\u00a0\u2009\u202f\t\n")
    assert (max(len(e.split(" ")) for e, _ in pairs), max(len(f.split(" ")) for _, f in pairs)) == (5, 10)
    assert splits == eng_fra_tatoeba(seed=0) != eng_fra_tatoeba(seed=1)


@pytest.mark.parametrize(
    "languages, message",
    [
        (("es", "fr"), "source must be one of en, de, fr, got 'es'"),
        (("en", "EN"), "target must be one of en, de, fr, got 'EN'"),
        (("de", "de"), "target must differ from source, got 'de' for both"),
    ],
)
def test_languages_are_checked(languages, message):
    with pytest.raises(ValueError, match=message):
        multi30k(*languages)
