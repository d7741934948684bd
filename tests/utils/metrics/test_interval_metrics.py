"""Bootstrap intervals: how often they hold the truth, and what the seed, pairs and blocks do."""

import numpy as np
import pytest
import torch

from course_utils.metrics import bootstrap, paired_bootstrap


def test_about_nineteen_in_twenty_intervals_hold_the_true_mean():
    rng = np.random.default_rng(0)
    intervals = [bootstrap(rng.normal(2.0, 1.0, 60), resamples=400, seed=i) for i in range(300)]
    share = np.mean([2.0 in interval for interval in intervals])
    assert 0.90 <= share <= 0.98
    halves = np.mean([i.high - i.low for i in intervals]) / 2
    assert halves == pytest.approx(1.96 / np.sqrt(60), rel=0.06)


def test_equal_seeds_give_equal_intervals_and_no_global_state_is_touched():
    values = np.arange(30.0) % 7
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    first = bootstrap(values, seed=1, resamples=200)
    assert first == bootstrap(torch.tensor(values), seed=1, resamples=200)
    assert first == bootstrap(values.tolist(), seed=1, resamples=200)
    assert first != bootstrap(values, seed=2, resamples=200)
    assert np.array_equal(before, np.random.get_state()[1])
    assert first.estimate == values.mean() and first.low < first.estimate < first.high


def test_a_statistic_of_rows_and_its_level():
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(80, 2))

    def correlation(r):
        return np.corrcoef(r.T)[0, 1]

    wide, narrow = (bootstrap(rows, correlation, level=level, resamples=500, seed=0) for level in (0.99, 0.5))
    assert wide.estimate == pytest.approx(correlation(rows))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_pairs_cancel_what_is_hard_for_both():
    rng = np.random.default_rng(1)
    difficulty = rng.normal(0, 10, 100)
    a, b = difficulty + 0.5 + rng.normal(0, 0.5, 100), difficulty + rng.normal(0, 0.5, 100)
    paired = paired_bootstrap(a, b, resamples=500, seed=0)
    assert paired.low > 0 and paired.high - paired.low < 0.5
    assert paired.estimate == pytest.approx((a - b).mean())
    same = bootstrap(
        a - b, resamples=500, seed=0
    )  # of a mean, the difference may as well be resampled itself
    assert (paired.low, paired.high) == pytest.approx((same.low, same.high))
    assert 0.0 in paired_bootstrap(a, a[::-1], resamples=500, seed=0)


def test_blocks_widen_the_interval_of_a_series_that_remembers():
    rng = np.random.default_rng(2)
    covered = {1: 0, 20: 0}
    for trial in range(100):
        x = np.zeros(400)
        for t in range(1, 400):
            x[t] = 0.8 * x[t - 1] + rng.normal()
        for block in covered:
            covered[block] += 0.0 in bootstrap(x, block=block, resamples=200, seed=trial)
    assert covered[1] < 70 and covered[20] > 80  # of 100; 95 asked for


def test_blocks_keep_neighbors_together():
    seen = []
    bootstrap(np.arange(10.0), lambda rows: seen.append(rows) or 0.0, block=3, resamples=20, seed=0)
    for rows in seen[:-1]:
        assert len(rows) == 10
        steps = np.diff(rows).reshape(-1)
        assert all(steps[i] == 1 for i in range(9) if i % 3 != 2)
    assert {start for rows in seen[:-1] for start in rows[::3]} == set(range(8))  # each block that fits


def test_interval_is_written_with_its_ends():
    interval = bootstrap([1.0, 1.0], seed=0, resamples=5)
    assert f"{interval:.2f}" == "1.00 [1.00, 1.00]"


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: bootstrap([], seed=0), r"values must be \(N>=1,\), got \(0,\)"),
        (lambda: bootstrap(1.0, seed=0), "values must be .*single number"),
        (lambda: bootstrap([1.0, np.nan], seed=0), "values must be finite, got nan at position 1"),
        (lambda: bootstrap([1.0], level=1.0, seed=0), "level must be more than 0 and less than 1, got 1.0"),
        (lambda: bootstrap([1.0], resamples=0, seed=0), "resamples must be at least 1, got 0"),
        (lambda: bootstrap([1.0], block=2, seed=0), r"block must be in 1\.\.N=1, got 2"),
        (lambda: paired_bootstrap([1.0], [1.0, 2.0], seed=0), r"b must be \(1,\), got \(2,\)"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
