"""Each slip is one edit of its kind, and the splits keep their word."""

import random
from collections import Counter
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.datasets.spelling import KEYBOARD, KINDS, misspell, spelling

WORDS = [
    "object",
    "method",
    "string",
    "value",
    "number",
    "letter",
    "sequence",
    "statement",
    "python",
    "keyboard",
]
letters = st.text("abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=12).filter(
    lambda word: len(set(word)) > 1
)


@cache
def one_edit(kind, word):
    """Every form that one edit of this kind can give, any letter allowed."""
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    cuts = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    forms = {
        "swap": {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1},
        "insertion": {a + letter + b for a, b in cuts for letter in alphabet},
        "deletion": {a + b[1:] for a, b in cuts if b},
        "substitution": {a + letter + b[1:] for a, b in cuts if b for letter in alphabet},
    }
    return forms[kind] - {word}


@given(letters, st.sampled_from(KINDS), st.integers(0, 999))
def test_a_slip_is_one_edit_of_its_kind(word, kind, seed):
    typed = misspell(word, kind, random.Random(seed))
    assert typed in one_edit(kind, word)


def test_the_keyboard():
    assert KEYBOARD["q"] == "aw" and KEYBOARD["g"] == "bfhtvy" and KEYBOARD["p"] == "lo"
    assert all(a in KEYBOARD[b] for a in KEYBOARD for b in KEYBOARD[a]) and len(KEYBOARD) == 26
    rng = random.Random(0)
    assert {misspell("gg", "substitution", rng).replace("g", "", 1) for _ in range(200)} == set("bfhtvy")
    assert {misspell("qq", "insertion", rng) for _ in range(200)} == {"qqq", "aqq", "wqq", "qaq", "qwq"}


@pytest.mark.parametrize("held_out", ["misspelling", "word"])
@pytest.mark.parametrize("words", [None, WORDS])
def test_splits(held_out, words):
    state = random.getstate()
    parts = spelling(words, held_out=held_out, seed=2)
    assert random.getstate() == state
    slips = [slip for part in parts for slip in part]
    listed = {slip.meant for slip in slips}
    assert words is None or listed == set(words)
    assert len({slip.typed for slip in slips}) == len(slips) and not {slip.typed for slip in slips} & listed
    assert all(slip.typed in one_edit(slip.kind, slip.meant) for slip in slips)
    train, valid, test = ({slip.meant for slip in part} for part in parts)
    if held_out == "word":
        assert not train & test and not train & valid and not valid & test
    else:
        assert train == listed and test <= train and len(test) > 0.7 * len(train)
    assert len(parts.test) > 0.07 * len(slips) and len(parts.valid) > 0.07 * len(slips)
    assert spelling(words, held_out=held_out, seed=2) == parts != spelling(words, held_out=held_out, seed=3)


def test_kinds_are_balanced_and_words_are_many():
    slips = spelling().train
    counts = Counter(slip.kind for slip in slips)
    assert set(counts) == set(KINDS) and min(counts.values()) > 0.2 * len(slips) > 1000
    assert len({slip.meant for slip in slips}) > 1200


def test_order_and_repeats_of_the_words_do_not_matter():
    assert spelling(WORDS) == spelling([*reversed(WORDS), *WORDS])


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: spelling(WORDS, each=0), "each must be at least 1, got 0"),
        (lambda: spelling(WORDS, held_out="letter"), "held_out must be .*got 'letter'"),
        (lambda: spelling(["good", "Bad"]), "word must be two letters a-z or more, got 'Bad'"),
        (lambda: spelling(WORDS, each=3), "records are too few"),
        (lambda: misspell("object", "typo", random.Random(0)), "kind must be in .*got 'typo'"),
        (lambda: misspell("aaa", "swap", random.Random(0)), "two different letters for a swap, got 'aaa'"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
