"""The reviews' rules, their tags and what a bag of words can make of them."""

import random
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from course_utils.datasets import review_words as lexicon
from course_utils.datasets.reviews import DOWNTONED, LONGEST, MIXED, _Writer, reviews


@pytest.fixture(scope="module")
def data():
    return reviews()


@pytest.fixture
def writer():
    return _Writer(random.Random(0), lexicon.deal_names(0)["train"])


POLARITY = {
    word: sign
    for table in (lexicon.ADJECTIVES, lexicon.NOUNS, lexicon.VERBS, lexicon.FEELINGS, lexicon.MANNERS)
    for sign, words in zip((-1, 1), table, strict=True)
    for [(word, _)] in words
}
NEUTRAL_NOUNS = {word for [(word, _)] in lexicon.ASPECTS}
FLIPS = sorted(
    [" ".join(word for word, _ in phrase) for phrase in lexicon.NEGATIONS + lexicon.AHEAD_NEGATIONS]
    + ["doubt that", "do not doubt that", "no doubt that", "not think that", "not say that", "not true that"]
    + ["nobody can tell me that", "fail to see that"],
    key=len,
    reverse=True,
)
KEPT = {"do not doubt that", "no doubt that"}  # two negations in one


def read_clause(text, tags):
    """An independent reader: the sign of the last verdict word, turned round by each negation before it."""
    words = text.split()
    verdicts = [
        i
        for i, word in enumerate(words)
        if word in POLARITY
        and not (tags[i] == "NOUN" and word in NEUTRAL_NOUNS)
        and tags[i] != "ADP"
        and not (word == "fail" and words[i + 1 : i + 2] == ["to"])
    ]
    sign, before = POLARITY[words[verdicts[-1]]], " " + " ".join(words[: verdicts[-1]]) + " "
    for flip in FLIPS:
        count = before.count(f" {flip} ")
        before = before.replace(f" {flip} ", "  ")
        sign *= 1 if flip in KEPT else (-1) ** count
    return sign


def test_an_independent_reader_of_one_statement_agrees(writer):
    for _ in range(3000):
        polarity, downtoned = writer.rng.randrange(2), writer.maybe(0.2)
        words, tags = zip(*writer.statement(polarity, downtoned), strict=True)
        assert read_clause(" ".join(words), tags) == 2 * polarity - 1, " ".join(words)


def main_clauses(words):
    """An independent reader: the form of a verdict, and where the clauses begin and end that decide it."""
    stop = len(words) - 1
    commas = [i for i, word in enumerate(words) if word == "," and words[i - 1] not in ("me", "you")]
    if "." in words[:stop]:
        return "turn", [(commas[0] + 1, stop)]
    for comma in commas:
        if words[comma + 1] in ("but", "yet"):
            return "but", [(comma + 2, stop)]
    for i, word in enumerate(words):
        if word in ("although", "though", "while", "despite"):
            first = i <= (words[0] == "even")
            return f"{word} {first}", [(commas[0] + 1, stop) if first else (0, i)]
        if word == "and":
            return "and", [(0, i), (i + 1, stop)]
    return "plain", [(0, stop)]


def test_an_independent_reader_of_whole_verdicts_agrees(writer):
    seen = Counter()
    for _ in range(6000):
        polarity = writer.rng.randrange(2)
        sentence, agreement = writer.verdict(polarity)
        words, tags = zip(*sentence, strict=True)
        form, clauses = main_clauses(words)
        signs = [read_clause(" ".join(words[low:high]), tags[low:high]) for low, high in clauses]
        if agreement == MIXED:
            form, expected = "mixed", {-1, 1}
        else:
            expected = {2 * polarity - 1}
        assert set(signs) == expected, " ".join(words)
        seen[form] += 1
    assert len(seen) == 13 and min(seen.values()) > 50, seen


def test_every_pattern_occurs(data):
    text = "\n".join(" ".join(review.tokens) for review in data.train)
    for pattern in (
        ", but",
        ", yet",
        ". still ,",
        "\nalthough",
        " though",
        "despite",
        "doubt that",
        "anything but",
    ):
        assert text.count(pattern) > 20, pattern


def test_labels_are_draws_from_the_chance(data):
    reviews_ = [review for part in data for review in part]
    for chance in (1.0, 0.0):
        labels = [review.label for review in reviews_ if review.chance == chance]
        assert labels and set(labels) == {int(chance)}
    for chance, low in ((DOWNTONED, 300), (1 - DOWNTONED, 300), (0.5, 100)):
        labels = [review.label for review in reviews_ if review.chance == chance]
        assert len(labels) > low
        assert np.mean(labels) == pytest.approx(chance, abs=4 * np.sqrt(chance * (1 - chance) / len(labels)))
    assert np.mean([review.label for review in reviews_]) == pytest.approx(0.5, abs=0.02)
    assert 0.968 < np.mean([max(r.chance, 1 - r.chance) for r in reviews_]) < 0.982  # as the card says


@pytest.mark.parametrize("words, ceiling", [(1, 0.70), (2, 0.80)])
def test_a_bag_of_words_stays_far_behind(data, words, ceiling):
    """A BiLSTM reaches 0.95 (see the notebook); the requirement is ten points between the two."""
    vectorizer = CountVectorizer(analyzer=lambda tokens: ngrams(tokens, words), min_df=2)
    x = vectorizer.fit_transform([review.tokens for review in data.train])
    model = LogisticRegression(C=0.3, solver="liblinear").fit(x, [review.label for review in data.train])
    score = model.score(
        vectorizer.transform([review.tokens for review in data.test]), [review.label for review in data.test]
    )
    assert 0.53 < score < ceiling


def ngrams(tokens, longest):
    return [tokens[i : i + n] for n in range(1, longest + 1) for i in range(len(tokens) - n + 1)]


def test_tags_need_context(data):
    counts = defaultdict(Counter)
    for review in data.train:
        for token, tag in zip(review.tokens, review.tags, strict=True):
            counts[token][tag] += 1
    for word, tags in {
        "like": "VERB ADP",
        "well": "ADV INTJ NOUN",
        "cut": "NOUN VERB",
        "flat": "ADJ NOUN",
    }.items():
        assert set(tags.split()) <= set(counts[word]), word
    counts = dict(counts)
    assert len(counts["still"]) >= 3 and len(counts["that"]) >= 3
    pairs = [pair for review in data.test for pair in zip(review.tokens, review.tags, strict=True)]
    frequent = {word: tags.most_common(1)[0][0] for word, tags in counts.items()}
    assert 0.88 < np.mean([frequent.get(word, "PROPN") == tag for word, tag in pairs]) < 0.95
    assert np.mean([len(counts.get(word, ())) > 1 for word, _ in pairs]) > 0.15
    assert np.mean([word not in counts for word, _ in pairs]) > 0.01  # names of the test split alone


def test_no_review_and_no_name_is_in_two_splits(data):
    everything = [review.tokens for part in data for review in part]
    assert len(set(everything)) == len(everything) == 11_000
    fixed = {word for words in lexicon.SLOTS.values() for [(word, _)] in words}
    names = [
        {w for review in part for w, tag in zip(review.tokens, review.tags, strict=True) if tag == "PROPN"}
        - fixed
        for part in data
    ]
    assert all(names) and not names[0] & names[1] and not names[0] & names[2] and not names[1] & names[2]
    other = {
        word
        for part in data
        for r in part
        for word, tag in zip(r.tokens, r.tags, strict=True)
        if tag != "PROPN"
    }
    assert not other & set().union(*names)


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 999), train=st.integers(1, 30), valid=st.integers(1, 5), test=st.integers(1, 5))
def test_equal_arguments_give_equal_reviews(seed, train, valid, test):
    state = random.getstate()
    first = reviews(train=train, valid=valid, test=test, seed=seed)
    assert first == reviews(train=train, valid=valid, test=test, seed=seed)
    assert [len(part) for part in first] == [train, valid, test]
    assert random.getstate() == state
    assert reviews(train=1, valid=valid, test=test, seed=seed).test == first.test
    for review in (review for part in first for review in part):
        assert len(review.tokens) == len(review.tags) <= LONGEST and review.tokens[-1] == "."
        assert set(review.tags) <= set(lexicon.UPOS) and review.label in (0, 1) and 0 <= review.chance <= 1
        assert not any("{" in token or token != token.lower() or not token for token in review.tokens)


def test_seeds_differ():
    assert reviews(train=20, seed=0).train != reviews(train=20, seed=1).train


@pytest.mark.parametrize("split", ["train", "valid", "test"])
def test_errors_name_the_argument(split):
    with pytest.raises(ValueError, match=f"{split} must be at least 1, got 0"):
        reviews(**{split: 0})
