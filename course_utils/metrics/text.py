"""How well a model predicts tokens, and how far what it wrote is from what it should have written.

Perplexity: Jelinek, Mercer, Bahl & Baker (1977), "Perplexity: a measure of the difficulty of speech
recognition tasks", JASA 62. Edit distance: Levenshtein (1966), by the table of Wagner & Fischer (1974), "The
string-to-string correction problem", JACM 21. Error rates divide it by the length of the reference.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from course_utils.metrics.arrays import as_array, as_flags, as_tokens


def cross_entropy(log_probs: ArrayLike | Tensor, mask: ArrayLike | Tensor | None = None) -> float:
    """Return H = -mean(log p) over the tokens, in the unit of the logarithm: nats where it is the natural one.

    Args:
        log_probs: any shape, the log-probability that the model gave to each token that came.
        mask: the same shape, True at the tokens that count; None counts all. Where it is False, log_probs may
            hold anything.

    Raises:
        ValueError: unequal shapes, no token to count, or a log-probability above 0 or NaN.
    """
    logs = as_array("log_probs", log_probs).astype(np.float64)
    kept = logs[_mask(mask, logs.shape)]
    if kept.size == 0:
        raise ValueError("mask must keep at least one token, got none")
    if not (kept <= 0).all():  # NaN is refused too; -inf, a token held impossible, makes H infinite
        raise ValueError(f"log_probs must be at most 0, got {kept[~(kept <= 0)][0]}")
    return float(abs(kept.mean()))  # abs: no negative zero


def perplexity(entropy: float, *, base: float = math.e) -> float:
    """Return base ** H: how many equally likely tokens would be as hard to guess.

    The base is that of the logarithm in H. PyTorch's cross-entropy is in nats, so base e; 2 ** nats is a
    common mistake and too small.

    Args:
        entropy: H, the mean of -log_base p over the tokens, at least 0.
        base: more than 1.

    Raises:
        ValueError: an entropy below 0 or NaN, or a base of 1 or less.
    """
    _check_entropy(entropy, base)
    try:
        return float(base) ** float(entropy)
    except OverflowError:
        return math.inf


def change_base(entropy: float, *, base: float = math.e, to: float = 2) -> float:
    """Return the same entropy in another unit: from nats to bits unless told otherwise.

    Raises:
        ValueError: an entropy below 0 or NaN, or a base of 1 or less.
    """
    _check_entropy(entropy, base)
    _check_entropy(entropy, to)
    return float(entropy) * (math.log(base) / math.log(to))


def token_accuracy(
    predicted: ArrayLike | Tensor, target: ArrayLike | Tensor, mask: ArrayLike | Tensor | None = None
) -> float:
    """Return the share, 0..1, of tokens that are right.

    Args:
        predicted, target: (B, T), or any one shape: the chosen tokens, not logits.
        mask: the same shape, True at real tokens; None counts all.

    Raises:
        ValueError: unequal shapes, or a mask that keeps nothing.
    """
    right, kept = _right(predicted, target, mask)
    if not kept.any():
        raise ValueError("mask must keep at least one token, got none")
    return float(right[kept].mean())


def sequence_accuracy(
    predicted: ArrayLike | Tensor, target: ArrayLike | Tensor, mask: ArrayLike | Tensor | None = None
) -> float:
    """Return the share, 0..1, of sequences in which every real token is right. Arguments (B, T).

    Raises:
        ValueError: unequal shapes, not (B, T), or a sequence of which the mask keeps nothing.
    """
    right, kept = _right(predicted, target, mask)
    if right.ndim != 2:
        raise ValueError(f"predicted must be (B, T), got {right.shape}")
    if not kept.any(axis=1).all():
        row = int((~kept.any(axis=1)).argmax())
        raise ValueError(f"mask must keep at least one token of each sequence, got none at row {row}")
    return float((right | ~kept).all(axis=1).mean())


def exact_match(predicted: Sequence[Sequence[Hashable]], target: Sequence[Sequence[Hashable]]) -> float:
    """Return the share, 0..1, of sequences (lists of tokens, or strings) that equal their target in full.

    Raises:
        ValueError: none, or unequally many.
    """
    _check_count(predicted, target)
    return sum(
        list(as_tokens(p)) == list(as_tokens(t)) for p, t in zip(predicted, target, strict=True)
    ) / len(target)


def edit_distance(a: Sequence[Hashable], b: Sequence[Hashable]) -> int:
    """Return the least number of insertions, deletions and substitutions of one token that turn a into b.

    Strings are sequences of characters. Takes O(len(a) · len(b)) steps and keeps one row of the table.
    """
    a, b = as_tokens(a), as_tokens(b)
    row = list(range(len(b) + 1))  # row[j]: the distance from a[:0] to b[:j]
    for i, left in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, right in enumerate(b, 1):
            # diagonal, row[j] and row[j - 1] hold the table at (i-1, j-1), (i-1, j) and (i, j-1)
            diagonal, row[j] = row[j], min(diagonal + (left != right), row[j] + 1, row[j - 1] + 1)
    return row[-1]


def character_error_rate(predicted: Sequence[str], reference: Sequence[str]) -> float:
    """Return edits of characters over characters of the references, summed over all texts; may exceed 1.

    Raises:
        ValueError: none, unequally many, or no character in any reference.
    """
    return _error_rate(predicted, reference, list)


def word_error_rate(predicted: Sequence[str], reference: Sequence[str]) -> float:
    """As `character_error_rate`, of words, which white space separates."""
    return _error_rate(predicted, reference, str.split)


def _error_rate(predicted: Sequence[str], reference: Sequence[str], cut: Callable[[str], list[str]]) -> float:
    for name, texts in (("predicted", predicted), ("reference", reference)):
        if isinstance(texts, str):
            raise ValueError(f"{name} must be a list of texts, got one text")
    _check_count(predicted, reference)
    length = sum(len(cut(text)) for text in reference)
    if length == 0:
        raise ValueError("reference must hold at least one token, got none")
    edits = sum(edit_distance(cut(p), cut(r)) for p, r in zip(predicted, reference, strict=True))
    return edits / length


def _right(
    predicted: ArrayLike | Tensor, target: ArrayLike | Tensor, mask: ArrayLike | Tensor | None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    wanted = as_array("target", target)
    given = as_array("predicted", predicted, wanted.shape)
    return given == wanted, _mask(mask, wanted.shape)


def _mask(mask: ArrayLike | Tensor | None, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    return np.ones(shape, dtype=bool) if mask is None else as_flags("mask", mask, shape)


def _check_entropy(entropy: float, base: float) -> None:
    if not entropy >= 0:
        raise ValueError(f"entropy must be at least 0, got {entropy}")
    if not 1 < base < math.inf:
        raise ValueError(f"base must be more than 1, got {base}")


def _check_count(predicted: Sequence, reference: Sequence) -> None:
    if len(predicted) != len(reference) or not len(reference):
        got = f"{len(predicted)} and {len(reference)}"
        raise ValueError(f"predicted and reference must be equally many, at least one, got {got}")
