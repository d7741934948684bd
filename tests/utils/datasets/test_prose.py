"""Prose from Python's own reference: clean, split by chapter. Sizes are loose, since the text changes."""

import random
import re

import pytest

from course_utils.datasets.prose import _chapters, python_prose, python_words


def test_paragraphs_are_prose():
    for text in python_prose():
        assert text.endswith("\n") and text.isascii() and "\n\n" not in text and "  " not in text
        for line in text.splitlines():
            assert line[0].isupper() and line[-1] in ".:;" and len(line.split()) >= 8
            assert "::=" not in line and ">>>" not in line and "***" not in line and "---" not in line


@pytest.mark.parametrize("seed", range(5))
def test_parts_are_chapters_without_a_paragraph_in_common(seed):
    parts = python_prose(seed=seed)
    lines = [text.splitlines() for text in parts]
    everything = [line for part in lines for line in part]
    assert len(everything) == len(set(everything)) > 500
    sizes = [len(text) for text in parts]
    assert sum(sizes) > 150_000 and all(0.1 <= size / sum(sizes) < 0.2 for size in sizes[1:])
    for chapter in _chapters().values():
        assert sum(chapter[0] in part for part in map(set, lines)) == 1
        assert any(set(chapter) <= set(part) for part in lines)


def test_hardly_a_sentence_stands_in_two_parts():
    sentences = [{s for s in re.split(r"(?<=[.:;])\s", text) if len(s) > 40} for text in python_prose()]
    train, valid, test = sentences
    assert min(map(len, sentences)) > 80
    assert len(test & (train | valid)) <= 0.01 * len(test)


def test_equal_arguments_give_equal_text():
    state = random.getstate()
    assert python_prose(seed=1) == python_prose(seed=1) != python_prose(seed=2)
    assert random.getstate() == state


def test_words_and_their_counts():
    words = python_words()
    assert len(words) > 1500 and list(words.values()) == sorted(words.values(), reverse=True)
    assert next(iter(words)) == "the" and {"object", "method", "expression", "statement"} <= words.keys()
    assert all(re.fullmatch(r"[a-z]+('[a-z]+)?", word) for word in words)
    assert not {"elif", "keyerror", "zerodivisionerror"} & words.keys()  # quoted there, as code
    assert {word for word in words if len(word) == 1} <= {"a", "i"}
    common = python_words(minimum=5)
    assert common == {word: count for word, count in words.items() if count >= 5} and len(common) > 400


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: python_prose(valid=0.0), "valid and test must be more than 0.*got 0.0, 0.1"),
        (lambda: python_prose(valid=0.6, test=0.4), "together less than 1, got 0.6, 0.4"),
        (lambda: python_prose(valid=0.05, test=0.9), "test must be smaller, got 0.9"),
        (lambda: python_words(minimum=0), "minimum must be at least 1, got 0"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
