"""Perplexity, accuracies, edit distance and BLEU against definitions, brute force and sacrebleu."""

import math
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics import BLEU
from torch.nn import functional as F

from course_utils.metrics import (
    change_base,
    character_error_rate,
    corpus_bleu,
    cross_entropy,
    edit_distance,
    exact_match,
    perplexity,
    sentence_bleu,
    sequence_accuracy,
    token_accuracy,
    word_error_rate,
)
from course_utils.metrics.bleu import SMOOTHINGS

words = st.lists(st.sampled_from("abcd"), max_size=7)


@settings(deadline=None)
@given(p=st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=20))
def test_perplexity_is_the_inverse_geometric_mean_in_every_base(p):
    definition = math.prod(p) ** (-1 / len(p))
    for base in (2, math.e, 10):
        entropy = -sum(math.log(x, base) for x in p) / len(p)
        assert perplexity(abs(entropy), base=base) == pytest.approx(definition)
        assert change_base(abs(entropy), base=base, to=2) == pytest.approx(math.log2(definition), abs=1e-9)
    assert perplexity(cross_entropy(np.log(p))) == pytest.approx(definition)


def test_nats_with_base_two_are_the_common_mistake():
    assert perplexity(math.log(8)) == pytest.approx(8)
    assert perplexity(3.0, base=2) == 8
    assert perplexity(math.log(8), base=2) < 4.3
    assert perplexity(1e9) == math.inf


def test_cross_entropy_is_that_of_pytorch_and_skips_padding():
    torch.manual_seed(0)
    logits, target = torch.randn(3, 5, 7, requires_grad=True), torch.randint(7, (3, 5))
    mask = torch.rand(3, 5) < 0.6
    logs = logits.log_softmax(-1).gather(-1, target[..., None])[..., 0]
    theirs = F.cross_entropy(logits[mask], target[mask]).item()
    spoiled = torch.where(mask, logs, torch.tensor(math.nan))
    assert cross_entropy(spoiled, mask) == pytest.approx(theirs, rel=1e-6)
    assert cross_entropy([0.0, -math.inf]) == math.inf


def test_accuracies_by_hand():
    predicted = torch.tensor([[1, 2, 3], [4, 5, 9], [7, 9, 9]])
    target = torch.tensor([[1, 2, 3], [4, 0, 6], [7, 0, 0]])
    mask = [[1, 1, 1], [1, 1, 1], [1, 0, 0]]
    assert token_accuracy(predicted, target) == pytest.approx(5 / 9)
    assert token_accuracy(predicted, target.numpy(), mask) == pytest.approx(5 / 7)
    assert sequence_accuracy(predicted.tolist(), target) == pytest.approx(1 / 3)
    assert sequence_accuracy(predicted, target, mask) == pytest.approx(2 / 3)
    assert exact_match(["abc", [1, 2], torch.tensor([3, 4])], ["abc", [1, 3], [3, 4]]) == pytest.approx(2 / 3)


@settings(deadline=None)
@given(a=words, b=words)
def test_edit_distance_is_that_of_the_recursion(a, b):
    @cache
    def recursion(i, j):
        if i == 0 or j == 0:
            return i + j
        substitute = recursion(i - 1, j - 1) + (a[i - 1] != b[j - 1])
        return min(substitute, recursion(i - 1, j) + 1, recursion(i, j - 1) + 1)

    assert edit_distance(a, b) == recursion(len(a), len(b)) == edit_distance(b, a)


def test_edit_distance_of_strings_and_tensors():
    assert edit_distance("kitten", "sitting") == 3
    assert edit_distance("", "abc") == 3
    assert edit_distance(torch.tensor([1, 2, 3]), np.array([2, 3])) == 1


def test_error_rates_sum_before_they_divide():
    predicted, reference = ["the cat", "a dgo barks"], ["the cat sat", "a dog barks"]
    assert word_error_rate(predicted, reference) == pytest.approx(2 / 6)
    assert character_error_rate(predicted, reference) == pytest.approx((4 + 2) / 22)
    assert word_error_rate(["a b c d"], ["x"]) == 4


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
@settings(deadline=None, max_examples=60)
@given(corpus=st.lists(st.tuples(words, st.lists(words, min_size=2, max_size=2)), min_size=1, max_size=4))
def test_bleu_is_that_of_sacrebleu(smoothing, corpus):
    theirs = BLEU(tokenize="none", smooth_method=smoothing, effective_order=False)
    hypotheses = [" ".join(hypothesis) for hypothesis, _ in corpus]
    streams = [[" ".join(choices[k]) for _, choices in corpus] for k in range(2)]
    expected = theirs.corpus_score(hypotheses, streams)
    score = corpus_bleu([h for h, _ in corpus], [choices for _, choices in corpus], smoothing=smoothing)
    assert 100 * score.score == pytest.approx(expected.score, abs=1e-9)
    assert (score.hypothesis_length, score.reference_length) == (expected.sys_len, expected.ref_len)
    assert score.brevity_penalty == pytest.approx(expected.bp)
    if score.score:
        assert [100 * p for p in score.precisions] == pytest.approx(expected.precisions)


def test_bleu_by_hand():
    the = sentence_bleu(["the"] * 7, [["the", "cat", "is", "on", "the", "mat"]], max_order=1)
    assert the.precisions == (pytest.approx(2 / 7),)  # Papineni et al. (2002), example 2: clipped to 2
    short = sentence_bleu(["a", "b", "c", "d"], [["a", "b", "c", "d", "e", "f"]])
    assert short.score == pytest.approx(math.exp(1 - 6 / 4)) and short.precisions == (1.0,) * 4
    assert sentence_bleu([], [["a"]], smoothing="exp").score == 0
    assert sentence_bleu(torch.tensor([1, 2]), [torch.tensor([1, 2])], max_order=2).score == 1
    assert sentence_bleu(["a"], [["a", "b", "c"], ["a"]], max_order=1).reference_length == 1


def test_a_corpus_is_no_mean_of_sentences():
    hypotheses, references = [list("ab"), list("abcdef")], [[list("xb")], [list("abcdef")]]
    whole = corpus_bleu(hypotheses, references, max_order=1).score
    parts = [sentence_bleu(h, r, max_order=1).score for h, r in zip(hypotheses, references, strict=True)]
    assert whole == pytest.approx(7 / 8) and np.mean(parts) == pytest.approx(0.75)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: perplexity(-0.1), "entropy must be at least 0, got -0.1"),
        (lambda: perplexity(math.nan), "entropy must be at least 0, got nan"),
        (lambda: perplexity(1.0, base=1), "base must be more than 1, got 1"),
        (lambda: change_base(1.0, to=0.5), "base must be more than 1, got 0.5"),
        (lambda: cross_entropy([0.5]), "log_probs must be at most 0, got 0.5"),
        (lambda: cross_entropy([-0.5], [0]), "mask must keep at least one token"),
        (lambda: cross_entropy([[-0.5]], [1]), r"mask must be \(1, 1\), got \(1,\)"),
        (lambda: token_accuracy([1, 2], [[1], [2]]), r"predicted must be \(2, 1\), got \(2,\)"),
        (lambda: token_accuracy([[1], [1, 2]], [1]), "predicted must have rows of one length"),
        (lambda: token_accuracy([1, 2], 1), r"predicted must be \(\), got \(2,\)"),
        (
            lambda: token_accuracy([1], [1], [2]),
            "mask must hold True and False or 1 and 0, got 2 at position 0",
        ),
        (lambda: token_accuracy([1], [1], [0]), "mask must keep at least one token"),
        (lambda: sequence_accuracy([1], [1]), r"predicted must be \(B, T\), got \(1,\)"),
        (lambda: sequence_accuracy([[1], [2]], [[1], [2]], [[1], [0]]), "each sequence, got none at row 1"),
        (lambda: exact_match(["a"], ["a", "b"]), "equally many, at least one, got 1 and 2"),
        (lambda: character_error_rate("ab", ["ab"]), "predicted must be a list of texts, got one text"),
        (lambda: word_error_rate(["a"], [" "]), "reference must hold at least one token"),
        (lambda: corpus_bleu([], []), "equally many, at least one, got 0 and 0"),
        (
            lambda: corpus_bleu(["a b"], [[["a"]]]),
            "hypotheses must hold lists of tokens, got a string at row 0",
        ),
        (lambda: sentence_bleu(["a"], ["a"]), "references must hold lists of references.*string at row 0"),
        (lambda: sentence_bleu([1], [1, 2]), "references must hold.*lists of tokens, got 1 at row 0"),
        (lambda: sentence_bleu(["a"], []), "at least one for each hypothesis, got none at row 0"),
        (lambda: sentence_bleu(["a"], [["a"]], max_order=0), "max_order must be at least 1, got 0"),
        (lambda: sentence_bleu(["a"], [["a"]], smoothing="add"), "smoothing must be in .*got 'add'"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
