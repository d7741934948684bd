"""BLEU (Papineni, Roukos, Ward & Zhu, 2002, "BLEU: a method for automatic evaluation of machine translation").

    BLEU = BP · exp( 1/N Σ_n log p_n )              section 2.3, with uniform weights and N = 4
    BP   = 1 where c ≥ r, else exp(1 - r/c)         c: length of the hypotheses, r: of the references
    p_n  = matched n-grams / n-grams, summed over the corpus before dividing (section 2.2)

An n-gram matches as often as it stands in that reference that holds it most often ("clipping"). r adds up, for
each sentence, the reference length nearest to the hypothesis, the shorter one of two.

A p_n of zero makes the score zero, which is common in single sentences. Smoothing (Chen & Cherry, 2014, "A
systematic comparison of smoothing techniques for sentence-level BLEU") names what is done about it:

    none   nothing
    floor  zero matches count as 0.1 of one                           their method 1
    add-k  one is added to matches and n-grams for n > 1              their method 2 (Lin & Och, 2004)
    exp    the first zero counts as 1/2 match, the next as 1/4, …     their method 3 (NIST)

A text that shares no word with its references has score 0 under each. Scores are 0..1; say which smoothing and which
tokens with every score you report (Post, 2018).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from course_utils.metrics.arrays import as_tokens

Tokens = Sequence[Hashable]
SMOOTHINGS = ("none", "floor", "add-k", "exp")


@dataclass(frozen=True)
class Bleu:
    """A score and what it is made of.

    Attributes:
        score: 0..1.
        precisions: p_1 … p_N after smoothing.
        brevity_penalty: BP, 0..1.
        hypothesis_length, reference_length: c and r, in tokens.
    """

    score: float
    precisions: tuple[float, ...]
    brevity_penalty: float
    hypothesis_length: int
    reference_length: int


def corpus_bleu(
    hypotheses: Sequence[Tokens],
    references: Sequence[Sequence[Tokens]],
    *,
    max_order: int = 4,
    smoothing: str = "none",
) -> Bleu:
    """Score a corpus: counts are summed over its sentences, so it is no mean of sentence scores.

    Args:
        hypotheses: lists of tokens.
        references: for each hypothesis, its references, at least one list of tokens.
        max_order: N, the longest n-gram, at least 1.
        smoothing: "none", "floor", "add-k" or "exp", see above.

    Raises:
        ValueError: no sentence, unequally many, a sentence without references, a string where tokens belong,
            or an option out of range.
    """
    if max_order < 1:
        raise ValueError(f"max_order must be at least 1, got {max_order}")
    if smoothing not in SMOOTHINGS:
        raise ValueError(f"smoothing must be in {list(SMOOTHINGS)}, got {smoothing!r}")
    if len(hypotheses) != len(references) or not len(hypotheses):
        got = f"{len(hypotheses)} and {len(references)}"
        raise ValueError(f"hypotheses and references must be equally many, at least one, got {got}")
    matches, totals = [0] * max_order, [0] * max_order
    c = r = 0
    for row, (hypothesis, choices) in enumerate(zip(hypotheses, references, strict=True)):
        _check_tokens(row, hypothesis, choices)
        hypothesis, choices = as_tokens(hypothesis), [as_tokens(choice) for choice in choices]
        c += len(hypothesis)
        r += min((abs(len(choice) - len(hypothesis)), len(choice)) for choice in choices)[1]
        for n in range(1, max_order + 1):
            ours = _ngrams(hypothesis, n)
            theirs: Counter = Counter()
            for choice in choices:
                theirs |= _ngrams(choice, n)  # | keeps the larger count of each n-gram
            matches[n - 1] += (ours & theirs).total()  # & keeps the smaller: clipping
            totals[n - 1] += ours.total()
    precisions = _precisions(matches, totals, smoothing)
    penalty = 1.0 if c >= r else math.exp(1 - r / c) if c else 0.0
    score = penalty * math.prod(precisions) ** (1 / max_order)
    return Bleu(score, precisions, penalty, c, r)


def sentence_bleu(
    hypothesis: Tokens, references: Sequence[Tokens], *, max_order: int = 4, smoothing: str = "none"
) -> Bleu:
    """Score one sentence: `corpus_bleu` of a corpus of one. A sentence shorter than N tokens has no N-gram and,
    but for "add-k", the score 0; lower max_order for such.
    """
    return corpus_bleu([hypothesis], [references], max_order=max_order, smoothing=smoothing)


def _precisions(matches: list[int], totals: list[int], smoothing: str) -> tuple[float, ...]:
    if not any(matches):
        return (0.0,) * len(matches)
    precisions, share = [], 1.0
    for n, (match, total) in enumerate(zip(matches, totals, strict=True), 1):
        found = float(match)
        if smoothing == "add-k" and n > 1:
            found, total = match + 1.0, total + 1
        elif smoothing == "floor" and match == 0:
            found = 0.1
        elif smoothing == "exp" and match == 0:
            share /= 2
            found = share
        precisions.append(found / total if total else 0.0)
    return tuple(precisions)


def _ngrams(tokens: Tokens, n: int) -> Counter:
    return Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))


def _check_tokens(row: int, hypothesis: Tokens, choices: Sequence[Tokens]) -> None:
    if isinstance(hypothesis, str):
        raise ValueError(f"hypotheses must hold lists of tokens, got a string at row {row}")
    if isinstance(choices, str) or any(isinstance(choice, str) for choice in choices):
        raise ValueError(
            f"references must hold lists of references, each of tokens, got a string at row {row}"
        )
    if not len(choices):
        raise ValueError(f"references must hold at least one for each hypothesis, got none at row {row}")
    bare = [choice for choice in choices if not hasattr(choice, "__len__")]
    if bare:
        raise ValueError(
            f"references must hold, for each hypothesis, lists of tokens, got {bare[0]!r} at row {row}"
        )
