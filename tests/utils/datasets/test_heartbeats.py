"""Recordings against their labels: each fault is there, where it says, and nowhere else."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.datasets.heartbeats import BEAT, FAULTS, heartbeats

DATA = heartbeats(240, share=1.0, seed=0)
SIGNAL, FAULTY = DATA.x[..., 0].numpy(), DATA.faulty.numpy()


def rows_of(fault):
    return np.flatnonzero(DATA.kind.numpy() == FAULTS.index(fault))


@settings(deadline=None, max_examples=25)
@given(B=st.integers(1, 20), T=st.integers(120, 200), share=st.floats(0, 1), seed=st.integers(0, 999))
def test_labels_belong_together(B, T, share, seed):
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    data = heartbeats(B, T, share=share, seed=seed)
    assert torch.equal(torch.get_rng_state(), before[0]) and (np.random.get_state()[1] == before[1]).all()
    assert data.x.shape == (B, T, 1) and data.faulty.shape == (B, T) and data.kind.shape == (B,)
    assert data.x.dtype == torch.float32 and data.faulty.dtype == torch.bool
    assert data.x.isfinite().all()
    assert torch.equal(data.faulty.any(1), data.kind > 0)
    assert (data.kind > 0).sum() == round(share * B)
    for row in data.faulty:  # one stretch, whole inside the recording
        starts = row.int().diff(prepend=torch.tensor([0])).eq(1).sum()
        assert starts == row.any() and not row[0] and not row[-1]
    for mine, again in zip(data, heartbeats(B, T, share=share, seed=seed), strict=True):
        assert torch.equal(mine, again)


def test_kinds_are_equally_many():
    assert (DATA.kind.bincount() == torch.tensor([0] + [30] * 8)).all()


def test_normal_beats_come_at_their_pace_and_height():
    x = heartbeats(300, share=0.0, seed=1).x[..., 0].numpy()
    intervals, heights = [], []
    for row in x:
        peaks = [t for t in range(2, 126) if row[t] > 0.55 and row[t] == row[t - 2 : t + 3].max()]
        intervals.extend(np.diff(peaks))
        heights.extend(row[peaks])
    assert np.mean(intervals) == pytest.approx(BEAT, abs=0.1) and 22 <= min(intervals) <= max(intervals) <= 26
    assert 0.8 < np.mean(heights) < 1.05 and np.std(heights) < 0.1


def test_a_flat_line_is_flat_and_a_missing_beat_has_no_peak():
    for row in rows_of("flat line"):
        assert np.ptp(SIGNAL[row][FAULTY[row]]) == 0 and FAULTY[row].sum() == BEAT
    for row in rows_of("missing beat"):
        assert SIGNAL[row][FAULTY[row]].max() < 0.45 < 0.6 < SIGNAL[row].max()


def test_a_spike_is_one_step_and_a_step_apart_from_its_neighbors():
    for row in rows_of("spike"):
        (t,) = np.flatnonzero(FAULTY[row])
        assert abs(SIGNAL[row, t] - SIGNAL[row, [t - 1, t + 1]].mean()) > 0.3


def test_shift_drift_and_amplitude():
    quiet = lambda x: np.median(x)
    for row in rows_of("level shift"):
        inside, outside = SIGNAL[row][FAULTY[row]], SIGNAL[row][~FAULTY[row]]
        assert 0.15 < abs(quiet(inside) - quiet(outside)) < 0.65 and len(inside) == 36
    for row in rows_of("drift"):
        inside = SIGNAL[row][FAULTY[row]]
        assert abs(quiet(inside[-8:]) - quiet(inside[:8])) > 0.15 and len(inside) == 48
    for row in rows_of("amplitude change"):
        assert 0.3 < SIGNAL[row][FAULTY[row]].max() < 0.8 * SIGNAL[row].max()


def test_noise_bursts_are_rough_and_early_beats_early():
    rough = lambda x: np.abs(np.diff(x, 2)).mean()
    normal = [rough(row) for row in heartbeats(50, share=0.0, seed=3).x[..., 0].numpy()]
    bursts = [rough(SIGNAL[row][FAULTY[row]]) for row in rows_of("noise burst")]
    assert np.median(bursts) > 1.4 * np.median(normal)
    for row in rows_of("irregular rhythm"):
        t = np.flatnonzero(FAULTY[row])
        peak = t[0] + SIGNAL[row][t].argmax()
        first = max(0, peak - 22)
        before = first + SIGNAL[row][first : peak - 8].argmax()
        assert 14 <= peak - before <= 20


def test_the_range_of_values_gives_few_faults_away():
    """A threshold on the value, set where one normal recording in a hundred passes it, misses most faults."""
    normal = heartbeats(500, share=0.0, seed=4).x
    score = lambda x: ((x - normal.mean()) / normal.std()).abs().amax((1, 2))
    found = score(DATA.x) > score(normal).quantile(0.99)
    assert found.float().mean() < 0.35


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: heartbeats(0, seed=0), "count must be at least 1, got 0"),
        (lambda: heartbeats(1, 119, seed=0), "steps must be at least 120, got 119"),
        (lambda: heartbeats(1, share=1.1, seed=0), "share must be in 0..1, got 1.1"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
