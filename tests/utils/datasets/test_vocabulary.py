"""Encoding, decoding and padding."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_utils.datasets.vocabulary import BOS, EOS, PAD, SPECIAL, UNK, Vocabulary, pad


def test_numbers_by_hand():
    vocabulary = Vocabulary.build(["bad", "dab", "cab"])
    assert vocabulary.tokens == (*SPECIAL, "a", "b", "c", "d") and len(vocabulary) == 8
    assert vocabulary.encode("bad", bos=True, eos=True) == [BOS, 5, 4, 7, EOS] == [1, 5, 4, 7, 2]
    assert vocabulary.encode("bed") == [5, UNK, 7]
    assert "c" in vocabulary and "e" not in vocabulary


def test_minimum_leaves_rare_words_out():
    vocabulary = Vocabulary.build([["a", "rose"], ["is", "a", "rose"]], minimum=2)
    assert vocabulary.tokens[4:] == ("a", "rose") and vocabulary.encode(["a", "is"]) == [4, UNK]


@given(st.lists(st.text("abc", min_size=1, max_size=9), min_size=1, max_size=6), st.booleans(), st.booleans())
def test_a_batch_decodes_to_its_texts(texts, bos, eos):
    vocabulary = Vocabulary.build(texts)
    ids, lengths = vocabulary.batch(texts, bos=bos, eos=eos)
    assert ids.dtype == lengths.dtype == torch.int64
    assert lengths.tolist() == [len(text) + bos + eos for text in texts]
    assert ids.shape == (len(texts), lengths.max())
    for text, row, length in zip(texts, ids, lengths, strict=True):
        assert "".join(vocabulary.decode(row)) == text
        assert row[length:].eq(PAD).all() and row[:length].ne(PAD).all()
        assert (row[0] == BOS) == bos and (row[length - 1] == EOS) == eos


def test_decoding_ends_at_the_first_end():
    vocabulary = Vocabulary(["x", "y"])
    assert vocabulary.decode([BOS, 4, UNK, EOS, 5, 5]) == ["x", "<unk>"]


def test_pad_with_another_value():
    ids, lengths = pad([[1, 2, 3], [4]], value=-100)
    assert ids.tolist() == [[1, 2, 3], [4, -100, -100]] and lengths.tolist() == [3, 1]


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: Vocabulary(["a", "b", "a"]), "tokens must differ.*got 'a' twice"),
        (lambda: Vocabulary(["<pad>"]), "tokens must differ.*got '<pad>' twice"),
        (lambda: Vocabulary("ab").decode([4, 6]), r"numbers must be in 0..V-1=5, got 6"),
        (lambda: Vocabulary("ab").decode([-1]), r"numbers must be in 0..V-1=5, got -1"),
        (lambda: pad([]), "rows must hold at least one row, got none"),
        (lambda: pad([[1], []]), "rows must not be empty, got an empty one at row 1"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
