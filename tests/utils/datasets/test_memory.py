"""The copy task and what can be had without memory; reversal whose splits share nothing; spikes on time."""

import math
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.datasets.memory import (
    COPY_BLANK,
    COPY_MARK,
    copy_baseline,
    copy_memory,
    digit_reversal,
    generate_delays,
    measure_delays,
)

small = st.integers(1, 8)


def untouched(call):
    """Return call() after a check that no global generator moved and that a second call gives the same."""
    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()
    result = call()
    assert torch.equal(torch.get_rng_state(), before) and (np.random.get_state()[1] == numpy_before).all()
    return result


@settings(deadline=None, max_examples=40)
@given(B=small, delay=st.integers(1, 30), length=small, seed=st.integers(0, 999))
def test_copy_by_its_rule(B, delay, length, seed):
    x, y = untouched(lambda: copy_memory(B, delay, length=length, seed=seed))
    assert x.shape == y.shape == (B, delay + 2 * length) and x.dtype == y.dtype == torch.int64
    for heard, said in zip(x.tolist(), y.tolist(), strict=True):
        symbols = heard[:length]
        assert all(0 <= s < 8 for s in symbols)
        assert heard[length:] == [COPY_BLANK] * (delay - 1) + [COPY_MARK] + [COPY_BLANK] * length
        assert said == [COPY_BLANK] * (delay + length) + symbols
    assert torch.equal(x, copy_memory(B, delay, length=length, seed=seed)[0])


def test_the_memoryless_loss_is_what_the_best_predictor_without_memory_gets():
    """Fitted as it must be: the frequency of each answer, step by step, from other sequences."""
    delay, length, classes = 30, 10, 9
    steps = delay + 2 * length
    _, seen = copy_memory(20_000, delay, seed=0)
    _, y = copy_memory(4000, delay, seed=1)
    counts = torch.nn.functional.one_hot(seen, classes).sum(0).double()  # (T, classes)
    log_p = (counts / counts.sum(1, keepdim=True)).log()
    loss = -log_p.expand(len(y), steps, classes).gather(2, y[..., None]).mean()
    assert loss.item() == pytest.approx(copy_baseline(delay), rel=1e-3)
    assert copy_baseline(100) == pytest.approx(10 * math.log(8) / 120)
    uniform = counts[-length:, :8] / counts[-length:].sum(1, keepdim=True)
    assert (uniform - 1 / 8).abs().max() < 0.01


@settings(deadline=None, max_examples=20)
@given(
    count=st.integers(10, 500),
    shortest=st.integers(1, 4),
    more=st.integers(0, 5),
    seed=st.integers(0, 999),
)
def test_reversal_splits_share_no_string(count, shortest, more, seed):
    longest = max(3, shortest + more)
    settings_ = {"shortest": shortest, "longest": longest, "seed": seed, "valid": 0.2, "test": 0.2}
    splits = untouched(lambda: digit_reversal(count, **settings_))
    sources = [source for part in splits for source, _ in part]
    assert len(sources) == len(set(sources)) == count
    for part in splits:
        for source, target in part:
            assert source.isdigit() and shortest <= len(source) <= longest and target == source[::-1]
    assert splits == digit_reversal(count, **settings_)


def test_reversal_has_all_digits_and_lengths_in_equal_parts():
    splits = digit_reversal(seed=0)
    assert [len(part) for part in splits] == [9600, 1200, 1200]
    sources = [source for part in splits for source, _ in part]
    lengths = Counter(map(len, sources))
    assert lengths[1] == 10 and lengths[2] == 100  # all there are
    assert max(lengths[n] for n in range(5, 11)) < 1.2 * min(lengths[n] for n in range(5, 11))
    digits = Counter("".join(s for s in sources if len(s) > 4))
    assert max(digits.values()) < 1.05 * min(digits.values())
    assert splits != digit_reversal(seed=1)


@settings(deadline=None, max_examples=40)
@given(B=small, spikes=small, shortest=small, spread=small, seed=st.integers(0, 999))
def test_delays_are_measured_and_generated_from_the_same_times(B, spikes, shortest, spread, seed):
    sizes = {"spikes": spikes, "shortest": shortest, "spread": spread, "seed": seed}
    measure = untouched(lambda: measure_delays(B, **sizes))
    generate = generate_delays(B, **sizes)
    T = spikes * (shortest + spread) + 1
    for data in (measure, generate):
        assert data.x.shape == data.y.shape == (B, T, 1) and data.scored.shape == (B, T)
        assert data.x.dtype == data.y.dtype == torch.float32 and data.scored.dtype == torch.bool
    for b in range(B):
        (times,) = np.nonzero(measure.x[b, :, 0].numpy())
        assert len(times) == spikes + 1 and times[0] == 0
        delays = np.diff(times)
        assert delays.min() >= shortest and delays.max() <= shortest + spread
        assert np.flatnonzero(measure.scored[b].numpy()).tolist() == times[1:].tolist()
        share = ((delays - shortest) / spread).astype(np.float32)
        np.testing.assert_allclose(measure.y[b, times[1:], 0].numpy(), share, atol=1e-7)
        np.testing.assert_allclose(generate.x[b, times[:-1], 0].numpy(), (1 + share) / 2, atol=1e-7)
        assert np.flatnonzero(generate.x[b, :, 0].numpy()).tolist() == times[:-1].tolist()
        assert np.flatnonzero(generate.y[b, :, 0].numpy()).tolist() == times[1:].tolist()
        assert np.flatnonzero(generate.scored[b].numpy()).tolist() == list(range(1, times[-1] + 1))
        assert not measure.y[b, :, 0][~measure.scored[b]].any()


def test_the_best_constant_has_the_error_on_the_card():
    data = measure_delays(5000, spread=10, seed=0)
    answers = data.y[data.scored]
    assert (answers - 0.5).square().mean() == pytest.approx((1 + 2 / 10) / 12, rel=0.02)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: copy_memory(0, 5, seed=0), "count must be at least 1, got 0"),
        (lambda: copy_memory(1, 0, seed=0), "delay must be at least 1, got 0"),
        (lambda: copy_memory(1, 5, length=0, seed=0), "length must be at least 1, got 0"),
        (lambda: copy_baseline(0), "delay must be at least 1, got 0"),
        (lambda: digit_reversal(shortest=0), "lengths must be 1 <= shortest <= longest, got 0 and 10"),
        (lambda: digit_reversal(shortest=4, longest=3), "got 4 and 3"),
        (lambda: digit_reversal(60, longest=2), r"count must be in 3..55, half of all strings, got 60"),
        (lambda: digit_reversal(valid=0.0), "valid and test must be more than 0"),
        (lambda: measure_delays(0, seed=0), "count must be at least 1, got 0"),
        (lambda: generate_delays(1, spread=0, seed=0), "spread must be at least 1, got 0"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
