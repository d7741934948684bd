"""Storage and recall against brute force, the energy's fall, and the load at which memory breaks down."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.models.hopfield import (
    energy,
    flip_units,
    hebbian,
    pseudo_inverse,
    random_patterns,
    recall_asynchronous,
    recall_synchronous,
    retrieval_overlap,
)

seeds = st.integers(0, 10_000)


def every_state(units):
    return torch.tensor(list(itertools.product((-1.0, 1.0), repeat=units)), dtype=torch.float64)


def symmetric(units, seed):
    weight = np.random.default_rng(seed).standard_normal((units, units))
    return torch.from_numpy(weight + weight.T).fill_diagonal_(0.0)


@settings(deadline=None, max_examples=40)
@given(P=st.integers(1, 8), N=st.integers(1, 12), seed=seeds)
def test_storage_agrees_with_the_sum_over_patterns(P, N, seed):
    patterns = random_patterns(P, N, seed=seed)
    expected = np.zeros((N, N))
    for i, j in itertools.product(range(N), repeat=2):
        if i != j:
            expected[i, j] = sum(float(p[i] * p[j]) for p in patterns) / N
    np.testing.assert_allclose(hebbian(patterns).numpy(), expected, rtol=0, atol=1e-14)
    projection = np.linalg.pinv(patterns.numpy()) @ patterns.numpy()
    np.fill_diagonal(projection, 0.0)
    np.testing.assert_allclose(pseudo_inverse(patterns).numpy(), projection, rtol=0, atol=1e-12)


@settings(deadline=None, max_examples=60)
@given(N=st.integers(1, 15), B=st.integers(1, 4), seed=seeds, stored=st.booleans())
def test_one_unit_at_a_time_never_raises_the_energy(N, B, seed, stored):
    weight = hebbian(random_patterns(4, N, seed=seed)) if stored else symmetric(N, seed)
    start = random_patterns(B, N, seed=seed + 1)
    before = start.clone()
    result = recall_asynchronous(weight, start, seed=seed)
    assert torch.equal(start, before)
    assert (result.energies.diff(dim=1) <= 0).all()
    tolerance = {"rtol": 0, "atol": 1e-10}
    torch.testing.assert_close(result.energies[:, 0], energy(weight, start), **tolerance)
    torch.testing.assert_close(result.energies[:, -1], energy(weight, result.state), **tolerance)
    assert result.settled.all() and result.state.abs().eq(1).all()
    drive = result.state @ weight
    assert (drive * result.state >= -1e-12).all()  # no unit wants to turn over: a local minimum
    assert torch.equal(recall_asynchronous(weight, result.state, seed=0).state, result.state)


def test_each_recorded_energy_is_that_of_the_state_then():
    weight, start = symmetric(7, 0), random_patterns(1, 7, seed=1)
    result = recall_asynchronous(weight, start, seed=5, max_sweeps=2)
    rng, s, energies = np.random.default_rng(5), start[0].numpy().copy(), []
    for _ in range(2):
        for i in rng.permutation(7):
            s[i] = np.sign(weight[i].numpy() @ s)
            energies.append(-0.5 * s @ weight.numpy() @ s)
    np.testing.assert_allclose(result.energies[0, 1:].numpy(), energies, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(result.state[0].numpy(), s)


@settings(deadline=None, max_examples=15)
@given(N=st.integers(2, 10), seed=seeds)
def test_brute_force_finds_no_lower_energy_than_the_best_recall(N, seed):
    weight, states = symmetric(N, seed), every_state(N)
    by_hand = torch.tensor([-0.5 * float(s @ weight @ s) for s in states], dtype=torch.float64)
    torch.testing.assert_close(energy(weight, states), by_hand, rtol=0, atol=1e-10)
    ends = recall_asynchronous(weight, states, seed=seed)
    ended = energy(weight, ends.state)
    assert (ended <= by_hand + 1e-10).all()
    assert ended.min().item() == pytest.approx(by_hand.min().item(), abs=1e-10)
    neighbors = torch.stack([energy(weight, ends.state * (1 - 2 * torch.eye(N)[i])) for i in range(N)])
    assert (neighbors >= ended - 1e-10).all()


def test_one_pattern_and_its_mirror_are_the_only_minima():
    for N in (2, 5, 10):
        pattern = random_patterns(1, N, seed=N)
        weight, states = hebbian(pattern), every_state(N)
        energies = energy(weight, states)
        lowest = states[energies <= energies.min() + 1e-12]
        assert sorted(lowest.tolist()) == sorted([pattern[0].tolist(), (-pattern[0]).tolist()])
        assert energies.min().item() == pytest.approx(-(N - 1) / 2)


@settings(deadline=None, max_examples=10)
@given(seed=seeds)
def test_at_low_load_stored_patterns_stay_and_come_back(seed):
    patterns = random_patterns(5, 300, seed=seed)
    weight = hebbian(patterns)
    for recall in (
        lambda s: recall_asynchronous(weight, s, seed=seed),
        lambda s: recall_synchronous(weight, s),
    ):
        exact = recall(patterns)
        assert torch.equal(exact.state, patterns) and exact.settled.all()
        assert torch.equal(recall(flip_units(patterns, 0.15, seed=seed)).state, patterns)
        assert torch.equal(recall(-patterns).state, -patterns)


@settings(deadline=None, max_examples=20)
@given(N=st.integers(20, 40), seed=seeds)
def test_the_projection_keeps_more_patterns_than_hebb_can(N, seed):
    patterns = random_patterns(N // 2, N, seed=seed)
    assert torch.equal(recall_asynchronous(pseudo_inverse(patterns), patterns, seed=0).state, patterns)


def test_hebb_breaks_down_where_the_projection_does_not():
    patterns = random_patterns(100, 200, seed=0)  # load 0.5
    overlap = lambda weight: (recall_synchronous(weight, patterns).state * patterns).mean()
    assert overlap(pseudo_inverse(patterns)) == 1 and overlap(hebbian(patterns)) < 0.8


def test_all_at_once_may_go_round_and_one_at_a_time_may_not():
    weight = torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64)
    start = torch.tensor([[1.0, -1.0], [1.0, 1.0]], dtype=torch.float64)
    result = recall_synchronous(weight, start, max_sweeps=7)
    assert result.settled.tolist() == [False, True]
    assert torch.equal(result.state[0], -start[0]) and result.energies.shape == (2, 8)
    assert recall_asynchronous(weight, start, seed=0).settled.all()


@settings(deadline=None, max_examples=25)
@given(N=st.integers(1, 12), seed=seeds)
def test_all_at_once_has_no_cycle_longer_than_two(N, seed):
    weight, start = symmetric(N, seed), random_patterns(3, N, seed=seed)
    late = [recall_synchronous(weight, start, max_sweeps=200 + k).state for k in (0, 2)]
    assert torch.equal(*late)


def test_a_sum_of_zero_leaves_the_unit():
    weight = torch.zeros(3, 3, dtype=torch.float64)
    start = random_patterns(4, 3, seed=0)
    assert torch.equal(recall_asynchronous(weight, start, seed=0).state, start)
    assert torch.equal(recall_synchronous(weight, start).state, start)


def test_memory_breaks_down_near_the_load_of_theory():
    """Amit et al. (1985): overlap ≥ 0.967 below a load of 0.138, about 0.35 above, for N → ∞."""
    below, above = (
        np.mean([retrieval_overlap(600, load, cues=20, seed=10 * s) for s in range(2)])
        for load in (0.11, 0.19)
    )
    assert below > 0.96 and above < 0.75
    assert retrieval_overlap(200, 0.02, flipped=0.1) == 1.0


def test_flips_and_patterns():
    s = random_patterns(6, 50, seed=0)
    flipped = flip_units(s, 0.3, seed=1)
    assert (s != flipped).sum(1).eq(15).all() and len({tuple(r) for r in (s != flipped).tolist()}) == 6
    assert abs(random_patterns(100, 100, seed=2).mean()) < 0.05
    assert torch.equal(s, random_patterns(6, 50, seed=0))
    assert random_patterns(1, 2, seed=0, dtype=torch.float32).dtype == torch.float32


ones = torch.ones(2, 3)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: hebbian(torch.zeros(2, 3)), r"patterns must hold -1 and \+1 only, got 0.0"),
        (lambda: hebbian(torch.ones(3)), r"patterns must be floating .*got \(3,\)"),
        (lambda: pseudo_inverse(torch.ones(2, 3, dtype=torch.int64)), "floating.*int64"),
        (lambda: recall_synchronous(torch.ones(3, 2), ones), r"weight must be \(N, N\), got \(3, 2\)"),
        (lambda: recall_asynchronous(torch.eye(3), ones, seed=0), "symmetric with a zero diagonal"),
        (lambda: recall_asynchronous(torch.ones(3, 3).triu(1), ones, seed=0), "symmetric with a zero diagonal"),
        (lambda: recall_synchronous(torch.zeros(4, 4), ones), r"s must be floating \(rows>=1, N=4\), got \(2, 3\)"),
        (lambda: recall_synchronous(torch.zeros(3, 3), ones, max_sweeps=0), "max_sweeps must be at least 1, got 0"),
        (lambda: random_patterns(0, 3, seed=0), "count must be at least 1, got 0"),
        (lambda: flip_units(ones, 1.5, seed=0), r"share must be in 0..1, got 1.5"),
        (lambda: retrieval_overlap(100, 0.0), "load > 0"),
    ],
)  # fmt: skip
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
