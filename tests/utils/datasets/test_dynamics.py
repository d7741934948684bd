"""Mackey–Glass against finer steps and SciPy; oscillators against their formula."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from course_utils.datasets.dynamics import integrate_mackey_glass, irregular_oscillators, mackey_glass


def untouched(call):
    """Return call() after a check that no global generator moved."""
    before, numpy_before = torch.get_rng_state(), np.random.get_state()
    result = call()
    assert torch.equal(torch.get_rng_state(), before)
    numpy_after = np.random.get_state()
    assert (numpy_after[1] == numpy_before[1]).all() and numpy_after[2] == numpy_before[2]
    return result


@pytest.mark.parametrize("tau", [17, 30])
def test_error_falls_with_the_fourth_power_of_the_step(tau):
    start = np.array([1.2, 0.6])
    paths = [integrate_mackey_glass(start, 100 * n, tau * n, 1 / n)[::n] for n in (2, 4, 32)]
    coarse, fine = (np.abs(path - paths[2]).max() for path in paths[:2])
    assert np.log2(coarse / fine) == pytest.approx(4, abs=0.15) and fine < 1e-6


@pytest.mark.parametrize("tau", [17, 30])
def test_agrees_with_scipy_by_the_method_of_steps(tau):
    """Over one delay at a time the past is known, and the equation an ordinary one."""
    past, x, expected = (lambda t: np.array([0.8])), np.array([0.8]), [0.8]
    for k in range(4):
        rate = lambda t, x, past=past: 0.2 * past(t - tau) / (1 + past(t - tau) ** 10) - 0.1 * x
        grid = np.arange(k * tau, (k + 1) * tau + 1)
        piece = solve_ivp(
            rate,
            (grid[0], grid[-1]),
            x,
            t_eval=grid,
            dense_output=True,
            method="DOP853",
            rtol=1e-12,
            atol=1e-13,
        )
        past, x = piece.sol, piece.y[:, -1]
        expected.extend(piece.y[0, 1:])
    ours = integrate_mackey_glass(np.array([0.8]), 40 * tau * 4, 40 * tau, 1 / 40)[::40, 0]
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-8)


def test_mackey_glass_is_the_path_after_what_is_discarded():
    series = untouched(lambda: mackey_glass(3, 50, seed=4, discard=20))
    assert series.shape == (3, 50) and series.dtype == torch.float64
    longer = mackey_glass(3, 70, seed=4, discard=0)
    assert torch.equal(series, longer[:, 20:])
    assert ((longer[:, 0] >= 0.5) & (longer[:, 0] <= 1.5)).all()
    assert not torch.equal(series, mackey_glass(3, 50, seed=5, discard=20))


def test_the_attractor_and_its_chaos():
    for tau, low, high in ((17, 0.35, 1.4), (30, 0.2, 1.5)):
        x = mackey_glass(2, 600, tau=tau, seed=0)
        assert low < x.min() and x.max() < high and 0.15 < x.std() < 0.35
    start = np.array([1.2, 1.2 + 1e-6])
    apart = np.abs(np.diff(integrate_mackey_glass(start, 4 * 1500, 4 * 30, 0.25)))[:, 0]
    assert apart[: 4 * 50].max() < 1e-4 and apart[-400:].max() > 1e-2  # tau = 30


def test_a_small_delay_settles_at_the_fixed_point():
    """0.2 x / (1 + x¹⁰) = 0.1 x has the solution x = 1."""
    assert (mackey_glass(2, 5, tau=2, seed=0) - 1).abs().max() < 1e-6


@settings(deadline=None, max_examples=25)
@given(
    B=st.integers(1, 5),
    T=st.integers(2, 30),
    shown=st.integers(1, 5),
    asked=st.floats(0.01, 1.0),
    seed=st.integers(0, 99),
)
def test_oscillators_fit_together(B, T, shown, asked, seed):
    shown = min(shown, T - 1)
    draw = lambda noise: irregular_oscillators(B, T, shown=shown, asked=asked, noise=noise, seed=seed)
    data, clean = untouched(lambda: draw(0.1)), draw(0.0)
    assert data.x.shape == data.y.shape == (B, T, 1) and data.gaps.shape == data.observed.shape == (B, T)
    assert data.x.dtype == data.gaps.dtype == torch.float32 and data.observed.dtype == torch.bool
    assert data.observed[:, :shown].all() and not data.x[~data.observed].any()
    assert torch.equal(clean.x[clean.observed], clean.y[clean.observed])
    assert not data.gaps[:, 0].any() and (data.gaps[:, 1:] >= 0.05).all() and (data.gaps <= 2.5).all()
    for mine, again in zip(data, draw(0.1), strict=True):
        assert torch.equal(mine, again)


def test_an_oscillator_obeys_its_equation():
    """Without noise, a fit of A exp(-γ t) cos(ω t + φ) leaves nothing."""
    data = irregular_oscillators(8, 60, noise=0.0, period=(3.5, 3.5), damping=0.0, seed=0)
    times = data.gaps.double().cumsum(1)
    for t, y in zip(times, data.y[..., 0].double(), strict=True):
        waves = torch.stack((torch.cos(2 * np.pi * t / 3.5), torch.sin(2 * np.pi * t / 3.5)), dim=1)
        fit = torch.linalg.lstsq(waves, y[:, None]).solution
        assert (waves @ fit - y[:, None]).abs().max() < 1e-4
        assert 0.5 <= fit.norm() <= 1
    faded = irregular_oscillators(200, 60, noise=0.0, damping=0.5, seed=0)
    assert faded.y[:, -5:].abs().mean() < 0.4 * faded.y[:, :5].abs().mean()


def test_shares_are_those_asked_for():
    data = irregular_oscillators(2000, 40, shown=10, asked=0.3, noise=0.05, seed=1)
    assert (~data.observed[:, 10:]).float().mean() == pytest.approx(0.3, abs=0.01)
    assert (data.gaps[:, 1:] >= 0.5).float().mean() == pytest.approx(0.2, abs=0.01)
    errors = (data.x - data.y)[data.observed]
    assert errors.std() == pytest.approx(0.05, abs=0.002) and abs(errors.mean()) < 0.001


def test_the_time_matters_more_than_the_number_of_steps():
    """The best linear answer from the last two values explains little; with the time known, sines explain all."""
    data = irregular_oscillators(4000, 12, shown=11, asked=1.0, noise=0.0, seed=2)
    target, last = data.y[:, -1], data.x[:, -6:-1, 0]
    fit = torch.linalg.lstsq(last, target).solution
    assert (last @ fit - target).square().mean() > 0.5 * target.square().mean()


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: mackey_glass(0, 5, seed=0), "count must be at least 1, got 0"),
        (lambda: mackey_glass(1, 0, seed=0), "steps must be at least 1, got 0"),
        (lambda: mackey_glass(1, 5, tau=0, seed=0), "tau must be at least 1, got 0"),
        (lambda: mackey_glass(1, 5, discard=-1, seed=0), "discard must be at least 0, got -1"),
        (lambda: irregular_oscillators(0, seed=0), "count must be at least 1, got 0"),
        (lambda: irregular_oscillators(1, 10, shown=10, seed=0), "steps must be at least 11, got 10"),
        (lambda: irregular_oscillators(1, asked=0.0, seed=0), r"asked must be in \(0, 1\], got 0.0"),
        (lambda: irregular_oscillators(1, period=(4.0, 3.0), seed=0), r"period must be .* got \(4.0, 3.0\)"),
        (lambda: irregular_oscillators(1, noise=-1.0, seed=0), "damping and noise .* got 0.05 and -1.0"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
