"""Number words against lists written by hand, against a parser back, and against counting rules."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.datasets.number_words import (
    english_number,
    french_number,
    join_words,
    number_words,
    split_words,
)

numbers = st.integers(0, 999_999)

BY_HAND = {  # written out by hand from the grammars
    0: ("zero", "zéro"),
    1: ("one", "un"),
    10: ("ten", "dix"),
    16: ("sixteen", "seize"),
    17: ("seventeen", "dix-sept"),
    20: ("twenty", "vingt"),
    21: ("twenty-one", "vingt et un"),
    22: ("twenty-two", "vingt-deux"),
    40: ("forty", "quarante"),
    61: ("sixty-one", "soixante et un"),
    70: ("seventy", "soixante-dix"),
    71: ("seventy-one", "soixante et onze"),
    72: ("seventy-two", "soixante-douze"),
    77: ("seventy-seven", "soixante-dix-sept"),
    80: ("eighty", "quatre-vingts"),
    81: ("eighty-one", "quatre-vingt-un"),
    90: ("ninety", "quatre-vingt-dix"),
    91: ("ninety-one", "quatre-vingt-onze"),
    99: ("ninety-nine", "quatre-vingt-dix-neuf"),
    100: ("one hundred", "cent"),
    101: ("one hundred one", "cent un"),
    180: ("one hundred eighty", "cent quatre-vingts"),
    200: ("two hundred", "deux cents"),
    201: ("two hundred one", "deux cent un"),
    1000: ("one thousand", "mille"),
    1001: ("one thousand one", "mille un"),
    1100: ("one thousand one hundred", "mille cent"),
    1980: ("one thousand nine hundred eighty", "mille neuf cent quatre-vingts"),
    2000: ("two thousand", "deux mille"),
    21_000: ("twenty-one thousand", "vingt et un mille"),
    71_271: (
        "seventy-one thousand two hundred seventy-one",
        "soixante et onze mille deux cent soixante et onze",
    ),
    80_000: ("eighty thousand", "quatre-vingt mille"),
    80_080: ("eighty thousand eighty", "quatre-vingt mille quatre-vingts"),
    100_000: ("one hundred thousand", "cent mille"),
    200_000: ("two hundred thousand", "deux cent mille"),
    200_200: ("two hundred thousand two hundred", "deux cent mille deux cents"),
    380_000: ("three hundred eighty thousand", "trois cent quatre-vingt mille"),
    999_999: (
        "nine hundred ninety-nine thousand nine hundred ninety-nine",
        "neuf cent quatre-vingt-dix-neuf mille neuf cent quatre-vingt-dix-neuf",
    ),
}
SEPTANTE = {70: "septante", 71: "septante et un", 80: "quatre-vingts", 81: "quatre-vingt-un", 90: "nonante",
            91: "nonante et un", 99: "nonante-neuf", 98_076: "nonante-huit mille septante-six", 77: "septante-sept"}  # fmt: skip

ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
ENGLISH = dict(zip(ONES.split(), range(17), strict=True))
ENGLISH |= {"seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40}
ENGLISH |= {"fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
UNITÉS = "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize"
FRENCH = dict(zip(UNITÉS.split(), range(17), strict=True))
FRENCH |= {
    "vingt": 20,
    "trente": 30,
    "quarante": 40,
    "cinquante": 50,
    "soixante": 60,
    "septante": 70,
    "nonante": 90,
}


def parse(text, words, hundred, thousand):
    """Add up; a hundred and a thousand multiply what stands before them, and so does vingt after quatre."""
    total = current = 0
    for word in text.replace("-", " ").split():
        if word in thousand:
            total, current = total + max(current, 1) * 1000, 0
        elif word in hundred:
            current = max(current, 1) * 100
        elif word in ("vingt", "vingts") and current % 10 == 4 and current % 100 < 20:
            current += 76  # four twenties
        elif word != "et":
            current += words[word]
    return total + current


@pytest.mark.parametrize("number", BY_HAND)
def test_by_hand(number):
    assert (english_number(number), french_number(number)) == BY_HAND[number]


@pytest.mark.parametrize("number", SEPTANTE)
def test_septante_by_hand(number):
    assert french_number(number, septante=True) == SEPTANTE[number]


def test_every_number_below_2000_parses_back_and_has_a_name_of_its_own():
    for name, words, hundred, thousand in (
        (english_number, ENGLISH, {"hundred"}, {"thousand"}),
        (french_number, FRENCH, {"cent", "cents"}, {"mille"}),
        (lambda n: french_number(n, septante=True), FRENCH, {"cent", "cents"}, {"mille"}),
    ):
        texts = [name(number) for number in range(2000)]
        assert [parse(text, words, hundred, thousand) for text in texts] == list(range(2000))
        assert len(set(texts)) == 2000


@given(numbers, st.booleans())
def test_long_numbers_parse_back(number, septante):
    assert parse(english_number(number), ENGLISH, {"hundred"}, {"thousand"}) == number
    assert parse(french_number(number, septante=septante), FRENCH, {"cent", "cents"}, {"mille"}) == number


@given(numbers)
def test_french_plurals(number):
    words = french_number(number).replace("-", " ").split()
    assert "milles" not in words and words[:2] != ["un", "mille"] and words[:2] != ["un", "cent"]
    for plural in ("cents", "vingts"):
        assert words.count(plural) == (words[-1] == plural)  # at the end or nowhere
    assert (words[-1] == "cents") == (number % 100 == 0 and number % 1000 >= 200)
    assert (words[-1] == "vingts") == (number % 100 == 80)


@given(numbers, st.booleans())
def test_split_and_join(number, septante):
    for text in (english_number(number), french_number(number, septante=septante)):
        assert join_words(split_words(text)) == text and not any(
            "-" in w for w in split_words(text) if w != "-"
        )


def test_splits_are_disjoint_and_lengths_are_spread():
    state = random.getstate()
    parts = number_words(seed=1)
    assert random.getstate() == state and [len(part) for part in parts] == [6000, 500, 1000]
    everything = [pair.number for part in parts for pair in part]
    assert len(set(everything)) == len(everything)
    for part in parts:
        digits = Counter(len(str(pair.number)) for pair in part)
        for count in (4, 5, 6):
            assert 0.18 < digits[count] / len(part) < 0.42
        lengths = Counter(len(split_words(pair.french)) for pair in part)
        assert (
            sum(lengths[n] for n in range(1, 5)) > 0.03 * len(part) < sum(lengths[n] for n in range(11, 16))
        )
        assert all((english_number(n), french_number(n)) == (e, f) for n, e, f in part)
    assert parts == number_words(seed=1) != number_words(seed=2)


def test_rare_rules_occur_in_the_test_part():
    pairs = number_words().test
    for ending in ("cents", "quatre-vingts", "et onze", "mille"):
        assert sum(pair.french.endswith(ending) for pair in pairs) >= 3, ending
    assert any("septante" in pair.french for pair in number_words(septante=True).test)


def test_the_vocabulary_is_as_the_card_says():
    pairs = number_words().train
    assert len({word for pair in pairs for word in split_words(pair.english)}) == 31
    assert len({word for pair in pairs for word in split_words(pair.french)}) == 28


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: number_words(valid=0), "valid must be at least 1, got 0"),
        (lambda: number_words(train=100_000), "at most 100000 together, got 101500"),
        (lambda: english_number(1_000_000), r"number must be in 0..999999, got 1000000"),
        (lambda: french_number(-1), r"number must be in 0..999999, got -1"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
