"""The reservoir against a loop of NumPy, the readout against scikit-learn, the network on series it can solve."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from course_utils.models.echo_state import EchoStateNetwork, Reservoir, ridge_regression, spectral_radius

B, T, I, H = 3, 12, 2, 20  # noqa: E741
sizes = st.integers(1, 6)


def inputs(batch=B, steps=T, size=I, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal((batch, steps, size)))


@pytest.mark.parametrize("leak", [1.0, 0.3])
def test_states_agree_with_a_loop(leak):
    reservoir = Reservoir(I, H, leak=leak, seed=3)
    w_ih, w_hh, bias = (getattr(reservoir, name).numpy() for name in ("weight_ih", "weight_hh", "bias"))
    x, h0 = inputs(), inputs(size=H)[:, 0]
    output, state = reservoir(x, h0)
    for b in range(B):
        h = h0[b].numpy()
        for t in range(T):
            h = (1 - leak) * h + leak * np.tanh(w_ih @ x[b, t].numpy() + w_hh @ h + bias)
            np.testing.assert_allclose(output[b, t].numpy(), h, rtol=0, atol=1e-12)
        np.testing.assert_allclose(state[b].numpy(), h, rtol=0, atol=1e-12)
    assert torch.equal(reservoir(x)[0], reservoir(x, torch.zeros(B, H).double())[0])


@settings(deadline=None, max_examples=40)
@given(
    H=st.integers(1, 40),
    radius=st.floats(0.0, 2.0),
    density=st.floats(0.01, 1.0),
    seed=st.integers(0, 1000),
)
def test_spectral_radius_is_exact_and_every_unit_has_its_share(H, radius, density, seed):
    weight = Reservoir(1, H, spectral_radius=radius, density=density, seed=seed).weight_hh
    largest = np.abs(np.linalg.eigvals(weight.numpy())).max()
    assert largest == pytest.approx(radius, abs=1e-10)
    assert spectral_radius(weight) == pytest.approx(radius, abs=1e-10)
    if radius > 1e-3:
        assert (weight != 0).sum(1).eq(max(1, round(density * H))).all()


def test_scales_seeds_and_that_nothing_is_trained():
    reservoir = Reservoir(I, H, input_scale=0.5, bias_scale=0.1, seed=1)
    assert 0.4 < reservoir.weight_ih.abs().max() <= 0.5 and 0.08 < reservoir.bias.abs().max() <= 0.1
    assert not list(reservoir.parameters()) and reservoir.weight_hh.dtype == torch.float64
    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()
    again, other = (Reservoir(I, H, input_scale=0.5, bias_scale=0.1, seed=seed) for seed in (1, 2))
    assert torch.equal(torch.get_rng_state(), before) and (np.random.get_state()[1] == numpy_before).all()
    for mine, same, different in zip(reservoir.buffers(), again.buffers(), other.buffers(), strict=True):
        assert torch.equal(mine, same) and not torch.equal(mine, different)


def test_echo_state_property():
    """Below radius 1 two states come together under one input; far above it, without input, they do not."""
    x = inputs(1, 300, 1)
    starts = inputs(2, 1, 100, seed=1)[:, 0]
    for radius, silent, together in ((0.9, False, True), (0.9, True, True), (3.0, True, False)):
        reservoir = Reservoir(1, 100, spectral_radius=radius, seed=0)
        a, b = (reservoir((0.0 if silent else 1.0) * x, start[None])[1] for start in starts)
        distance = (a - b).norm().item()
        assert (distance < 1e-9) if together else (distance > 1e-1), (radius, silent, distance)


@settings(deadline=None, max_examples=50)
@given(N=st.integers(1, 30), F=sizes, O=sizes, log_penalty=st.integers(-8, 3), seed=st.integers(0, 999))
def test_ridge_agrees_with_scikit_learn_and_the_normal_equations(N, F, O, log_penalty, seed):  # noqa: E741
    rng = np.random.default_rng(seed)
    features, targets, penalty = rng.standard_normal((N, F)), rng.standard_normal((N, O)), 10.0**log_penalty
    weight, bias = (a.numpy() for a in ridge_regression(*map(torch.from_numpy, (features, targets)), penalty))
    assert weight.shape == (O, F) and bias.shape == (O,)
    centered = features - features.mean(0)
    gram = centered.T @ centered + penalty * np.eye(F)
    expected = np.linalg.solve(gram, centered.T @ (targets - targets.mean(0))).T
    scale = 1 + np.abs(expected).max()
    rounding = 1e-13 * np.linalg.cond(gram) + 1e-12
    np.testing.assert_allclose(weight, expected, rtol=0, atol=scale * rounding)
    library = Ridge(alpha=penalty, solver="svd").fit(features, targets)
    np.testing.assert_allclose(weight, library.coef_.reshape(O, F), rtol=0, atol=scale * rounding)
    np.testing.assert_allclose(bias, library.intercept_, rtol=0, atol=4 * scale * rounding)


def test_without_penalty_it_is_least_squares_of_least_norm():
    rng = np.random.default_rng(0)
    wide = rng.standard_normal((4, 9))  # fewer rows than columns: many solutions
    targets = rng.standard_normal((4, 2))
    weight, bias = ridge_regression(torch.from_numpy(wide), torch.from_numpy(targets), 0.0)
    centered = wide - wide.mean(0)
    expected = np.linalg.lstsq(centered, targets - targets.mean(0), rcond=None)[0].T
    np.testing.assert_allclose(weight.numpy(), expected, rtol=0, atol=1e-10)
    np.testing.assert_allclose(wide @ weight.numpy().T + bias.numpy(), targets, rtol=0, atol=1e-10)


def network(size=1, units=80, **settings):
    return EchoStateNetwork(Reservoir(size, units, **settings), size)


def test_fit_is_ridge_on_the_steps_after_the_washout():
    esn, x = network(I, H, seed=4), inputs(B, 40)
    y = inputs(B, 40, seed=5)
    lengths = torch.tensor([40, 25, 11])
    esn.fit(x, y, washout=10, penalty=1e-2, lengths=lengths)
    states = esn.reservoir(x)[0]
    features, targets = [], []
    for b, n in enumerate(lengths.tolist()):
        for t in range(10, n):
            features.append(torch.cat((x[b, t], states[b, t])).numpy())
            targets.append(y[b, t].numpy())
    assert len(features) == 30 + 15 + 1
    library = Ridge(alpha=1e-2, solver="svd").fit(features, targets)
    np.testing.assert_allclose(esn.weight_ho.numpy(), library.coef_, rtol=0, atol=1e-9)
    np.testing.assert_allclose(esn.bias_o.numpy(), library.intercept_, rtol=0, atol=1e-9)
    output, state = esn(x)
    expected = library.predict(torch.cat((x, states), -1).reshape(-1, I + H).numpy()).reshape(B, 40, I)
    np.testing.assert_allclose(output.numpy(), expected, rtol=0, atol=1e-9)
    assert torch.equal(state, states[:, -1])


def test_it_learns_a_sum_of_sines_and_runs_freely():
    t = torch.arange(1000, dtype=torch.float64)
    wave = (torch.sin(t / 5) + 0.5 * torch.sin(t / 3.1))[None, :, None]
    esn = network(units=200, spectral_radius=0.9, input_scale=0.5, seed=0)
    esn.fit(wave[:, :699], wave[:, 1:700], washout=100, penalty=1e-8)
    free = esn.generate(wave[:, :800], 60)
    assert free.shape == (1, 60, 1)
    assert (free - wave[:, 800:860]).abs().max() < 2e-2


def test_generating_is_feeding_outputs_back_by_hand():
    esn, x = network(I, H, seed=1), inputs(B, 30)
    esn.fit(x[:, :-1], x[:, 1:], washout=5, penalty=1.0)
    generated = esn.generate(x, 4)
    for k in range(4):
        heard = torch.cat((x, generated[:, :k]), dim=1)
        torch.testing.assert_close(generated[:, k], esn(heard)[0][:, -1], rtol=0, atol=1e-12)
    _, state = esn(x[:, :10])
    torch.testing.assert_close(esn.generate(x[:, 10:], 4, state), generated, rtol=0, atol=1e-12)


@settings(deadline=None, max_examples=30)
@given(
    B=sizes, T=sizes, I=sizes, H=sizes, data=st.data(), dtype=st.sampled_from([torch.float32, torch.float64])
)
def test_shapes_lengths_and_dtypes(B, T, I, H, data, dtype):  # noqa: E741
    reservoir = Reservoir(I, H).to(dtype)
    lengths = torch.tensor(data.draw(st.lists(st.integers(1, T), min_size=B, max_size=B)))
    x = inputs(B, T, I).to(dtype)
    output, state = reservoir(x, None, lengths)
    assert output.shape == (B, T, H) and state.shape == (B, H) and output.dtype == dtype
    for b, n in enumerate(lengths.tolist()):
        alone, last = reservoir(x[b : b + 1, :n])
        torch.testing.assert_close(output[b, :n], alone[0], rtol=0, atol=1e-5)
        torch.testing.assert_close(state[b], last[0], rtol=0, atol=1e-5)


@pytest.mark.parametrize("junk", [float("nan"), float("inf"), 7.0])
def test_padding_never_changes_a_bit(junk):
    lengths = torch.tensor([T, 1, 7])
    padding = torch.arange(T) >= lengths[:, None]
    results = []
    for fill in (0.0, junk):
        x, y = (torch.where(padding[..., None], fill, inputs(seed=s)) for s in (0, 1))
        esn = network(I, H).fit(x, y, washout=0, lengths=lengths)
        states, state = esn.reservoir(x, None, lengths)
        x.requires_grad_()
        output = esn(x, None, lengths)[0]
        output.square().sum().backward()
        results.append([esn.weight_ho, esn.bias_o, output, states, state, x.grad])
    for clean, dirty in zip(*results, strict=True):
        assert torch.equal(clean, dirty) and clean.isfinite().all()
    assert not results[0][2][padding].any() and not results[0][3][padding].any()


x = inputs()


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: Reservoir(0, H), "input_size must be at least 1, got 0"),
        (lambda: Reservoir(I, H, leak=0.0), r"leak must be in \(0, 1\], got 0.0"),
        (lambda: Reservoir(I, H, density=1.5), r"density must be in \(0, 1\], got 1.5"),
        (lambda: Reservoir(I, H, spectral_radius=-1.0), "spectral_radius must be at least 0, got -1.0"),
        (lambda: Reservoir(I, H)(x[0]), r"x must be \(B, T>=1, I=2\), got \(12, 2\)"),
        (lambda: Reservoir(I, H)(x, torch.zeros(1, H)), r"state must be \(B, H\)=\(3, 20\), got \(1, 20\)"),
        (lambda: Reservoir(I, H)(x, None, torch.tensor([1, 2, 99])), "lengths must be in 1..T=12, got 99"),
        (lambda: EchoStateNetwork(Reservoir(I, H), 0), "output_size must be at least 1, got 0"),
        (lambda: network(I, H).fit(x, x[:, 1:]), r"y must be \(3, 12, 2\), got \(3, 11, 2\)"),
        (lambda: network(I, H).fit(x, x, washout=12), "washout must .* leave a step .* got 12"),
        (lambda: network(I, H).fit(x, x, washout=-1), "washout must be at least 0 .* got -1"),
        (lambda: EchoStateNetwork(Reservoir(I, H), 1).generate(x, 5), "as many outputs as inputs.*O=1, I=2"),
        (lambda: network(I, H).generate(x, 0), "steps must be at least 1, got 0"),
        (lambda: ridge_regression(x[0], x[0, 1:], 1.0), r"got \(12, 2\) and \(11, 2\)"),
        (lambda: ridge_regression(x[0], x[0], -1.0), "penalty must be at least 0, got -1.0"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
