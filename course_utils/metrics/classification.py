"""Right and wrong among classes, and whether a model's confidence can be believed.

Calibration follows Guo, Pleiss, Sun & Weinberger (2017), "On calibration of modern neural networks": M bins of equal
width, and the expected calibration error of their eq. 3. Where a ratio is 0/0 (a class never predicted, or never
seen), it counts as 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from course_utils.metrics.arrays import as_array, as_flags, as_floats

Labels = ArrayLike | Tensor


@dataclass(frozen=True)
class Scores:
    """Precision, recall and F1, their harmonic mean, each 0..1."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class ClassScores:
    """Counts for each class against all others, and the ratios they give.

    Attributes:
        true_positives, false_positives, false_negatives: (C,) int64.
    """

    true_positives: NDArray[np.int64]
    false_positives: NDArray[np.int64]
    false_negatives: NDArray[np.int64]

    @property
    def support(self) -> NDArray[np.int64]:
        """How often each class is the target, (C,)."""
        return self.true_positives + self.false_negatives

    @property
    def precision(self) -> NDArray[np.float64]:
        """Of what was called this class, the share that is, (C,)."""
        return _ratio(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> NDArray[np.float64]:
        """Of what is this class, the share that was found, (C,)."""
        return _ratio(self.true_positives, self.support)

    @property
    def f1(self) -> NDArray[np.float64]:
        """2 P R / (P + R) = 2 TP / (2 TP + FP + FN), (C,)."""
        wrong = self.false_positives + self.false_negatives
        return _ratio(2 * self.true_positives, 2 * self.true_positives + wrong)

    def macro(self) -> Scores:
        """Mean over classes: a rare class weighs as much as a common one. Its F1 is the mean of the F1s."""
        return Scores(*(float(x.mean()) for x in (self.precision, self.recall, self.f1)))

    def micro(self) -> Scores:
        """From the summed counts: each item weighs the same. One label an item makes all three the accuracy."""
        counts = (self.true_positives, self.false_positives, self.false_negatives)
        total = ClassScores(*(x.sum(keepdims=True) for x in counts))
        return Scores(*(float(x[0]) for x in (total.precision, total.recall, total.f1)))


def accuracy(predicted: Labels, target: Labels) -> float:
    """Return the share, 0..1, of predicted classes (not logits) that equal their targets; any one shape.

    Raises:
        ValueError: unequal shapes, or nothing to count.
    """
    wanted = as_array("target", target)
    return float((as_array("predicted", predicted, wanted.shape) == wanted).mean())


def confusion_counts(predicted: Labels, target: Labels, *, classes: int | None = None) -> NDArray[np.int64]:
    """Count what each class was taken for.

    Args:
        predicted, target: (N,) integers in 0..classes - 1.
        classes: C; None takes the largest class that occurs, plus one.

    Returns:
        (C, C): row = target, column = predicted.

    Raises:
        ValueError: other shapes, or something that is no class.
    """
    wanted = as_array("target", target, ("N",))
    given = as_array("predicted", predicted, wanted.shape)
    for name, labels in (("target", wanted), ("predicted", given)):
        if labels.dtype.kind not in "iub":
            raise ValueError(f"{name} must hold integers, got {labels.dtype}")
    wanted, given = wanted.astype(np.int64), given.astype(np.int64)
    count = int(max(wanted.max(), given.max())) + 1 if classes is None else classes
    for name, labels in (("target", wanted), ("predicted", given)):
        wrong = np.flatnonzero((labels < 0) | (labels >= count))
        if len(wrong):
            place = int(wrong[0])
            raise ValueError(f"{name} must be in 0..C-1={count - 1}, got {labels[place]} at position {place}")
    return np.bincount(wanted * count + given, minlength=count * count).reshape(count, count)


def class_scores(predicted: Labels, target: Labels, *, classes: int | None = None) -> ClassScores:
    """Return precision, recall and F1 of each class. Arguments and errors as for `confusion_counts`."""
    counts = confusion_counts(predicted, target, classes=classes)
    hits = counts.diagonal()
    return ClassScores(hits, counts.sum(axis=0) - hits, counts.sum(axis=1) - hits)


def binary_scores(predicted: Labels, target: Labels) -> Scores:
    """Return precision, recall and F1 of the class 1 (True) among 0 and 1; any one shape.

    Raises:
        ValueError: unequal shapes, or a label other than 0 and 1.
    """
    wanted = as_flags("target", target)
    given = as_flags("predicted", predicted, wanted.shape)
    scores = class_scores(given.ravel(), wanted.ravel(), classes=2)
    return Scores(*(float(x[1]) for x in (scores.precision, scores.recall, scores.f1)))


@dataclass(frozen=True)
class Reliability:
    """A reliability diagram in numbers; empty bins hold NaN.

    Attributes:
        edges: (M + 1,), 0 … 1; bin m is (edges[m], edges[m + 1]], and the first holds 0 too.
        counts: (M,) int64, predictions in each bin.
        confidence, accuracy: (M,), their means.
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]

    @property
    def ece(self) -> float:
        """Expected calibration error, 0..1: the mean gap |accuracy - confidence|, bins weighed by counts."""
        gaps = np.nan_to_num(np.abs(self.accuracy - self.confidence))
        return float((self.counts * gaps).sum() / self.counts.sum())


def reliability(confidence: ArrayLike | Tensor, correct: Labels, *, bins: int = 15) -> Reliability:
    """Sort predictions into bins of confidence, and find how many of each were right.

    Args:
        confidence: (N,) in 0..1, the probability that the model gave to what it predicted; see `confidences`.
        correct: (N,), whether it was right.
        bins: M, at least 1.

    Raises:
        ValueError: unequal shapes, a confidence outside 0..1, or bins < 1.
    """
    sure = as_floats("confidence", confidence, ("N",))
    right = as_flags("correct", correct, sure.shape)
    if bins < 1:
        raise ValueError(f"bins must be at least 1, got {bins}")
    # A softmax in float32 may exceed 1 by a rounding error.
    wrong = np.flatnonzero((sure < 0) | (sure > 1 + 1e-6))
    if len(wrong):
        raise ValueError(f"confidence must be in 0..1, got {sure[wrong[0]]} at position {wrong[0]}")
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.searchsorted(edges, sure, side="left") - 1, 0, bins - 1)  # (N,)
    counts = np.bincount(place, minlength=bins)
    sums = (np.bincount(place, weights=w, minlength=bins) for w in (sure, right.astype(float)))
    means = [np.divide(s, counts, out=np.full(bins, np.nan), where=counts > 0) for s in sums]
    return Reliability(edges, counts, *means)


def confidences(
    probabilities: ArrayLike | Tensor, target: Labels
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the probability of each predicted class and whether it is the target, both (N,).

    Args:
        probabilities: (N, C), rows that sum to 1: a softmax's output, not logits.
        target: (N,), classes.

    Raises:
        ValueError: shapes that do not belong together, or rows that are no probabilities.
    """
    p = as_floats("probabilities", probabilities, ("N", "C"))
    wanted = as_array("target", target, (len(p),))
    wrong = np.flatnonzero((np.abs(p.sum(axis=1) - 1) > 1e-3) | (p < 0).any(axis=1))
    if len(wrong):
        row = int(wrong[0])
        raise ValueError(
            f"probabilities must sum to 1 in each row, got {p[row].sum():.4g} at row {row}; logits?"
        )
    return p.max(axis=1), p.argmax(axis=1) == wanted


def _ratio(part: NDArray, whole: NDArray) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole != 0)
