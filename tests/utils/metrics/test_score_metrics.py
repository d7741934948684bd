"""Classification, regression and anomaly scores against scikit-learn and against hand-worked cases."""

import itertools
import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn

from course_utils.metrics import (
    accuracy,
    binary_scores,
    class_scores,
    confidences,
    confusion_counts,
    mae,
    mape,
    mase,
    point_scores,
    reliability,
    rmse,
    spans,
    window_scores,
)

numbers = st.floats(-1e3, 1e3)


def pairs(element, least=1):
    return st.lists(st.tuples(element, element), min_size=least, max_size=12).map(
        lambda rows: tuple(np.array(column) for column in zip(*rows, strict=True))
    )


@settings(deadline=None, max_examples=60)
@given(data=pairs(st.integers(0, 3)))
def test_classification_is_that_of_scikit_learn(data):
    predicted, target = data
    labels = range(4)
    counts = confusion_counts(predicted, target, classes=4)
    assert np.array_equal(counts, sklearn.confusion_matrix(target, predicted, labels=labels))
    assert accuracy(predicted, target) == pytest.approx(sklearn.accuracy_score(target, predicted))
    ours = class_scores(torch.tensor(predicted), target.tolist(), classes=4)
    for average, scores in ((None, ours), ("macro", ours.macro()), ("micro", ours.micro())):
        *theirs, support = sklearn.precision_recall_fscore_support(
            target, predicted, labels=labels, average=average, zero_division=0
        )
        for name, values in zip(("precision", "recall", "f1"), theirs, strict=True):
            assert getattr(scores, name) == pytest.approx(values), (average, name)
    assert ours.support.sum() == len(target) and support is None


def test_nothing_found_and_nothing_to_find_give_zero_without_a_warning():
    with warnings.catch_warnings(action="error"):
        scores = class_scores([0, 0], [1, 1], classes=3)
        assert not scores.f1.any() and scores.micro().f1 == 0
        assert binary_scores([False], [False]).precision == 0


@settings(deadline=None)
@given(data=pairs(st.integers(0, 1)))
def test_binary_scores_are_those_of_scikit_learn(data):
    predicted, target = data
    theirs = sklearn.precision_recall_fscore_support(target, predicted, average="binary", zero_division=0)
    scores = binary_scores(predicted[:, None], target[:, None].astype(bool))
    assert (scores.precision, scores.recall, scores.f1) == pytest.approx(theirs[:3])


@settings(deadline=None)
@given(data=pairs(numbers))
def test_errors_of_forecasts_are_those_of_scikit_learn(data):
    predicted, target = data
    assert mae(predicted, target) == pytest.approx(sklearn.mean_absolute_error(target, predicted))
    assert rmse(torch.tensor(predicted), target.tolist()) == pytest.approx(
        sklearn.root_mean_squared_error(target, predicted)
    )
    target = np.where(np.abs(target) < 1e-3, 1.0, target)
    theirs = 100 * sklearn.mean_absolute_percentage_error(target, predicted)
    assert mape(predicted, target) == pytest.approx(theirs)


def test_forecasts_by_hand():
    target, predicted = [2.0, 4.0, 5.0], [3.0, 4.0, 1.0]
    assert mae(predicted, target) == pytest.approx(5 / 3)
    assert rmse(predicted, target) == pytest.approx(math.sqrt(17 / 3))
    assert mape(predicted, target) == pytest.approx((50 + 0 + 80) / 3)
    assert mape([-1.0], [-2.0]) == 50
    assert mase(predicted, target, [0.0, 1.0, 3.0, 0.0]) == pytest.approx((5 / 3) / 2)
    assert mase(predicted, target, [0.0, 1.0, 3.0, 0.0], period=2) == pytest.approx((5 / 3) / 2)  # |3|, |-1|
    repeat = np.array([1.0, 2.0, 4.0, 4.0, 9.0])
    assert mase(repeat[:-1], repeat[1:], repeat) == pytest.approx(1)


def test_calibration_by_hand():
    confidence = [0.0, 0.25, 0.25, 0.5, 0.9, 1.0]
    correct = [0, 1, 0, 1, 1, 0]
    result = reliability(confidence, torch.tensor(correct).bool(), bins=4)
    assert result.counts.tolist() == [
        3,
        1,
        0,
        2,
    ]  # a bin holds its right edge: 0.25 in the first, 0.5 in the next
    np.testing.assert_allclose(result.confidence, [0.5 / 3, 0.5, math.nan, 0.95])
    np.testing.assert_allclose(result.accuracy, [1 / 3, 1, math.nan, 0.5])
    assert result.ece == pytest.approx((3 * (0.5 / 3) + 1 * 0.5 + 2 * 0.45) / 6)


def test_a_model_that_says_its_true_chance_has_no_calibration_error():
    rng = np.random.default_rng(0)
    sure = rng.random(200_000)
    honest = rng.random(200_000) < sure
    assert reliability(sure, honest).ece < 0.01
    assert reliability(np.sqrt(sure), honest).ece == pytest.approx(1 / 6, abs=0.01)  # mean of √u - u


def test_confidences_take_the_largest_probability():
    sure, right = confidences(torch.tensor([[0.7, 0.3], [0.4, 0.6]]), [0, 0])
    np.testing.assert_allclose(sure, [0.7, 0.6], rtol=1e-6)
    assert right.tolist() == [True, False]


@settings(deadline=None)
@given(flags=st.lists(st.booleans(), min_size=1, max_size=20))
def test_spans_are_the_runs_of_true(flags):
    found = spans(flags)
    rebuilt = np.zeros(len(flags), dtype=bool)
    for start, stop in found:
        assert start < stop
        rebuilt[start:stop] = True
    assert rebuilt.tolist() == flags
    assert all(stop < start for (_, stop), (start, _) in itertools.pairwise(found))


def test_anomalies_by_hand():
    #        0  1  2  3  4  5  6  7  8  9
    flags = [0, 1, 0, 1, 1, 0, 0, 0, 1, 0]
    label = [0, 0, 1, 1, 1, 0, 1, 1, 0, 0]
    points = point_scores(flags, label)
    assert (points.precision, points.recall) == (0.5, 0.4) and points.f1 == pytest.approx(2 * 0.2 / 0.9)
    windows = window_scores(flags, spans(label))  # one of two windows found; alarms at 1 and at 8 are false
    assert (windows.precision, windows.recall, windows.f1) == pytest.approx((1 / 3, 1 / 2, 2 / 5))
    assert window_scores([0, 0], []).f1 == 0 and window_scores([1, 0], []).precision == 0
    assert window_scores([1, 1, 0, 1], [(0, 2), (2, 4)]).f1 == 1  # windows may touch


def test_one_long_alarm_over_two_windows_is_no_false_one():
    scores = window_scores([1] * 6, [(0, 1), (4, 5)])
    assert (scores.precision, scores.recall) == (1, 1)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: accuracy([1, 2], [[1], [2]]), r"predicted must be \(2, 1\), got \(2,\)"),
        (lambda: accuracy([], []), r"target must be \(N>=1,\), got \(0,\)"),
        (
            lambda: confusion_counts([0, 3], [0, 1], classes=3),
            r"predicted must be in 0..C-1=2, got 3 at position 1",
        ),
        (lambda: confusion_counts([0], [-1]), "target must be in .* got -1 at position 0"),
        (lambda: confusion_counts([0.5], [1]), "predicted must hold integers, got float64"),
        (lambda: binary_scores([2], [1]), "predicted must hold True and False or 1 and 0, got 2"),
        (lambda: mae([1.0, 2.0], [[1.0], [2.0]]), r"predicted must be \(2, 1\), got \(2,\)"),
        (lambda: rmse([1.0], [math.nan]), "target must be finite, got nan at position 0"),
        (lambda: mae(["a"], [1.0]), "predicted must hold real numbers"),
        (lambda: mape([1, 1, 1], [1, 0, 0]), "target must not be 0 .*got 2 zeros, the first at position 1"),
        (lambda: mase([1], [1], [1, 2], period=2), r"period must be in 1..N-1=1, got 2"),
        (lambda: mase([1], [1], [1, 1]), "the scale would be 0"),
        (lambda: reliability([1.5], [True]), "confidence must be in 0..1, got 1.5 at position 0"),
        (lambda: reliability([0.5], [0.5]), "correct must hold True and False"),
        (lambda: reliability([0.5], [1], bins=0), "bins must be at least 1, got 0"),
        (lambda: confidences([[2.0, -1.0]], [0]), "probabilities must sum to 1"),
        (lambda: confidences([[0.5, 0.5]], [0, 1]), r"target must be \(1,\), got \(2,\)"),
        (lambda: point_scores([1, 0], [1]), r"flags must be \(1,\), got \(2,\)"),
        (
            lambda: window_scores([1, 0], [(1, 3)]),
            r"windows must be in 0..T=2, start before stop, got \(1, 3\)",
        ),
        (lambda: window_scores([1, 0], [(0, 2), (1, 2)]), "windows must not overlap"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
