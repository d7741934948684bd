"""Measures of what a network got right, each with the paper that defined it.

text            perplexity in any base, token and sequence accuracy, edit distance, error rates
bleu            BLEU of a corpus and of one sentence, with the smoothing named
classification  accuracy, confusion counts, precision, recall, F1, calibration (ECE)
regression      MAE, RMSE, MAPE, MASE
music           key finding, key consistency, rhythmic regularity
anomaly         precision and recall by point and by window
intervals       bootstrap intervals: plain, paired, in blocks

Inputs may be lists, NumPy arrays or torch tensors of any device; results are Python numbers or NumPy arrays.
Shapes must agree exactly: nothing is broadcast, since a (N,) beside an (N, 1) gives a number that looks right.
"""

from course_utils.metrics.anomaly import point_scores, spans, window_scores
from course_utils.metrics.bleu import Bleu, corpus_bleu, sentence_bleu
from course_utils.metrics.classification import (
    ClassScores,
    Reliability,
    Scores,
    accuracy,
    binary_scores,
    class_scores,
    confidences,
    confusion_counts,
    reliability,
)
from course_utils.metrics.intervals import Interval, bootstrap, paired_bootstrap
from course_utils.metrics.music import Key, find_key, key_consistency, npvi, rhythmic_regularity
from course_utils.metrics.regression import mae, mape, mase, rmse
from course_utils.metrics.text import (
    change_base,
    character_error_rate,
    cross_entropy,
    edit_distance,
    exact_match,
    perplexity,
    sequence_accuracy,
    token_accuracy,
    word_error_rate,
)

__all__ = [
    "Bleu",
    "ClassScores",
    "Interval",
    "Key",
    "Reliability",
    "Scores",
    "accuracy",
    "binary_scores",
    "bootstrap",
    "change_base",
    "character_error_rate",
    "class_scores",
    "confidences",
    "confusion_counts",
    "corpus_bleu",
    "cross_entropy",
    "edit_distance",
    "exact_match",
    "find_key",
    "key_consistency",
    "mae",
    "mape",
    "mase",
    "npvi",
    "paired_bootstrap",
    "perplexity",
    "point_scores",
    "reliability",
    "rhythmic_regularity",
    "rmse",
    "sentence_bleu",
    "sequence_accuracy",
    "spans",
    "token_accuracy",
    "window_scores",
    "word_error_rate",
]
