"""Text sets: the real files when their copies are there, and the readers on small files of every odd kind."""

import hashlib
from collections import Counter
from pathlib import Path

import pytest

from course_utils.datasets import fetch, text
from course_utils.datasets.reviews import Review
from course_utils.datasets.text import Opinion, TaggedSentence, read_conllu

SHARED = Path(__file__).parents[4] / "shared" / "data"
real = pytest.mark.skipif(not SHARED.is_dir(), reason="no copies of the real files beside the repository")


@pytest.fixture(autouse=True)
def _copies(monkeypatch):
    if SHARED.is_dir():
        monkeypatch.setenv(fetch.DATA_VARIABLE, str(SHARED))


def words_of(*parts):
    return [token for part in parts for sentence in part for token in sentence.tokens]


@real
def test_tiny_shakespeare_is_the_file_in_three_pieces():
    train, valid, test = text.tiny_shakespeare()
    assert train.startswith("First Citizen:\nBefore we proceed any further, hear me speak.\n")
    assert (len(train), len(valid), len(test)) == (1_003_854, 55_770, 55_770)
    whole = train + valid + test
    assert len(set(whole)) == 65 and whole.count("\n") == 40_000 and whole.endswith("\n")
    assert hashlib.sha256(whole.encode()).hexdigest() == fetch.entry("tiny_shakespeare", "input.txt").sha256


@real
@pytest.mark.parametrize("copy", ["rt_polarity", "rt_polarity_utf8"])
def test_rt_polarity_has_each_sentence_once(copy):
    splits = text.rt_polarity(copy=copy)
    assert [len(part) for part in splits] == [8530, 1066, 1066]
    opinions = [opinion for part in splits for opinion in part]
    assert Counter(opinion.label for opinion in opinions) == {0: 5331, 1: 5331}
    assert len({opinion.tokens for opinion in opinions}) == 10_662
    lengths = {label: [len(o.tokens) for o in opinions if o.label == label] for label in (0, 1)}
    assert [(min(lengths[label]), max(lengths[label])) for label in (0, 1)] == [(1, 56), (2, 59)]
    assert Opinion(("simplistic", ",", "silly", "and", "tedious", "."), 0) in opinions
    last = "provides a porthole into that noble , trembling incoherence that defines us all ."
    assert Opinion(tuple(last.split(" ")), 1) in opinions
    assert text.rt_polarity(copy=copy) == splits != text.rt_polarity(copy=copy, seed=1)


@real
def test_rt_polarity_is_read_as_windows_1252():
    letters = set("".join(words_of(*text.rt_polarity())))
    assert "…" in letters and "é" in letters  # bytes 0x85 and 0xe9
    assert not any(0x80 <= ord(letter) < 0xA0 for letter in letters)


@real
def test_sst2_has_the_published_splits():
    splits = text.sst2()
    assert [Counter(o.label for o in part) for part in splits] == [
        {0: 3310, 1: 3610},
        {0: 428, 1: 444},
        {0: 912, 1: 909},
    ]
    assert [max(len(o.tokens) for o in part) for part in splits] == [51, 47, 53]
    assert splits.valid[0] == Opinion(("one", "long", "string", "of", "cliches"), 0)
    last = "a deliciously nonsensical comedy about a city coming apart at its seams"
    assert splits.train[-1] == Opinion(tuple(last.split(" ")), 1)
    assert " ".join(splits.test[-1].tokens) == "but here 's the real damn it is n't funny , either"
    sentences = [{o.tokens for o in part} for part in splits]
    assert [len(part) for part in sentences] == [6911, 872, 1821]
    assert [len(sentences[0] & part) for part in sentences[1:]] == [0, 2]  # as the card says


@real
def test_ewt_has_the_published_words_and_tags():
    splits = text.ud_english_ewt()
    train, valid, test = splits
    assert (len(train) + len(valid), len(test)) == (2001, 2077) and len(valid) > 100
    assert (len(words_of(train, valid)), len(words_of(test))) == (25_147, 25_094)
    counts = Counter(tag for sentence in test for tag in sentence.tags)
    assert counts["NOUN"] == 4123 and counts["X"] == 42 and set(counts) == set(text.UNIVERSAL_TAGS)
    assert test[0].tokens == ("What", "if", "Google", "Morphed", "Into", "GoogleOS", "?")
    assert test[0].tags == ("PRON", "SCONJ", "PROPN", "VERB", "ADP", "PROPN", "PUNCT")
    assert test[0].xpos == ("WP", "IN", "NNP", "VBD", "IN", "NNP", ".")
    assert test[-1].tokens[-4:] == ("exercises", "to", "use", ".")
    assert max(len(s.tokens) for s in test) == 81 and min(len(s.tokens) for s in test) == 1
    assert len({tag for part in splits for s in part for tag in s.xpos}) == 49
    documents = [{s.document for s in part} for part in splits]
    assert [len(part) for part in documents] == [286, 32, 316]
    assert not (documents[0] & documents[1] or documents[1] & documents[2] or documents[0] & documents[2])
    assert splits == text.ud_english_ewt(seed=0) != text.ud_english_ewt(seed=1)
    assert text.ud_english_ewt(seed=1).test == test


@real
def test_partut_has_the_published_splits():
    splits = text.ud_english_partut()
    assert [len(part) for part in splits] == [1781, 156, 153]
    assert [len(words_of(part)) for part in splits] == [43_504, 2722, 3408]
    tags = [Counter(tag for s in part for tag in s.tags) for part in splits]
    assert tags[0]["INTJ"] == 6 and "INTJ" not in tags[1] and "SYM" not in tags[2] and tags[2]["NOUN"] == 754
    assert [max(len(s.tokens) for s in part) for part in splits] == [209, 49, 81]
    assert splits.test[0].tokens == ("Attribution", "-", "ShareAlike", "2.0", ".")
    assert splits.train[-1].tags[-3:] == ("ADJ", "NOUN", "PUNCT")


def test_conllu_skips_what_is_no_word():
    def row(number, form, tag, xpos):
        return "\t".join((number, form, form.lower(), tag, xpos, "_", "0", "root", "_", "_"))

    lines = [
        "# newdoc id = one",
        "# text = Don't go",
        row("1-2", "Don't", "_", "_"),
        row("1", "Do", "AUX", "VB"),
        row("2", "n't", "PART", "RB"),
        row("2.1", "nothing", "NOUN", "NN"),
        row("3", "go\u0085there", "VERB", "VB"),
        "",
        "",
        "# newdoc id = two",
        row("1", "#", "SYM", "_"),  # a word that looks like a comment; and no blank line at the end
    ]
    assert list(read_conllu(lines)) == [
        TaggedSentence(("Do", "n't", "go\u0085there"), ("AUX", "PART", "VERB"), ("VB", "RB", "VB"), "one"),
        TaggedSentence(("#",), ("SYM",), ("_",), "two"),
    ]
    assert list(read_conllu([])) == []
    with pytest.raises(ValueError, match="lines must have 10 columns, got 3 in line 2"):
        list(read_conllu(["# text", "1\tDo\tdo"]))


def test_lines_end_only_where_the_file_says(monkeypatch, tmp_path):
    from course_utils.datasets import records

    path = tmp_path / "lines.txt"
    monkeypatch.setattr(records, "fetch", lambda set_name, file: path)
    for content, lines in {
        "a\nb\n": ["a", "b"],
        "a\nb": ["a", "b"],
        "a\r\nb\r\n": ["a", "b"],
        "a\x85b\u2028c\x0bd \n\n e\n": ["a\x85b\u2028c\x0bd ", "", " e"],
        "a\rb\n": ["a\rb"],
        "": [],
    }.items():
        path.write_bytes(content.encode())
        assert records.read_lines("any", "lines.txt", "utf-8") == lines
        assert records.read_text("any", "lines.txt", "utf-8") == content


def test_real_sentences_can_stand_in_for_generated_ones():
    fields = set(Review.__dataclass_fields__)
    assert set(Opinion.__dataclass_fields__) <= fields and {"tokens", "tags"} <= fields
    assert {"tokens", "tags"} <= set(TaggedSentence.__dataclass_fields__)


def test_an_unknown_copy_is_an_error():
    with pytest.raises(ValueError, match="copy must be one of rt_polarity, rt_polarity_utf8, got 'latin'"):
        text.rt_polarity(copy="latin")
