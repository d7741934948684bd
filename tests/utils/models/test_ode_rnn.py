"""The solvers against closed forms and torchdiffeq; the layer against its algorithm."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchdiffeq import odeint

from course_utils.models.ode_rnn import ODERNN, TABLEAUS, runge_kutta_step, solve

B, T, I, H = 3, 6, 2, 4  # noqa: E741
sizes = st.integers(1, 5)


def logistic(t, h):
    return h * (1 - h)


def logistic_solution(h, t):
    return 1 / (1 + (1 / h - 1) * torch.exp(-t)[:, None])


def driven(t, h):
    """Solved by sin(t) + (h_0 - sin t_0) exp(-(t - t_0)): a field that depends on time."""
    return torch.cos(t)[:, None] + torch.sin(t)[:, None] - h


def nonlinear(t, h):
    return torch.tanh(h.roll(1, dims=-1)) - 0.3 * h * h + torch.sin(t)[:, None]


def rows(count=B, size=H, seed=0):
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.uniform(0.1, 0.9, (count, size)))


@pytest.mark.parametrize("method, order", [("euler", 1), ("midpoint", 2), ("rk4", 4), ("rk4_38", 4)])
@pytest.mark.parametrize("problem", ["logistic", "driven"])
def test_halving_the_step_shows_the_order(method, order, problem):
    h, start = rows(), torch.tensor([0.0, 0.5, -1.0], dtype=torch.float64)
    gap = torch.tensor([2.0, 1.0, 1.5], dtype=torch.float64)
    end = start + gap
    if problem == "logistic":
        field, truth = logistic, logistic_solution(h, gap)
    else:
        field = driven
        truth = end.sin()[:, None] + (h - start.sin()[:, None]) * torch.exp(-gap)[:, None]
    steps = 64 if order < 4 else 16
    errors = [
        (solve(field, h, start, end, method=method, steps=n) - truth).norm() for n in (steps, 2 * steps)
    ]
    assert torch.log2(errors[0] / errors[1]).item() == pytest.approx(order, abs=0.15)


@pytest.mark.parametrize(
    "ours, theirs", [("euler", "euler"), ("midpoint", "midpoint"), ("rk4_38", "rk4"), ("rk4", None)]
)
def test_fixed_steps_agree_with_torchdiffeq(ours, theirs):
    h, n = rows(), 7
    start, end = torch.full((B,), 0.3, dtype=torch.float64), torch.full((B,), 2.1, dtype=torch.float64)
    ours_end = solve(nonlinear, h, start, end, method=ours, steps=n)
    if (
        theirs is None
    ):  # the classical method is not in the library: on a linear field both order-4 methods agree
        matrix = torch.randn(H, H, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        linear = lambda t, h: h @ matrix
        ours_end = solve(linear, h, start, end, method=ours, steps=n)
        field, theirs = linear, "rk4"
    else:
        field = lambda t, h: nonlinear(t.expand(B), h)
    grid = torch.linspace(0.3, 2.1, n + 1, dtype=torch.float64)
    torch.testing.assert_close(ours_end, odeint(field, h, grid, method=theirs)[-1], rtol=0, atol=1e-10)


def test_a_step_of_the_classical_method_by_its_formula():
    h, t, dt = rows(), torch.tensor([0.0, 1.0, 2.0]).double(), torch.tensor([0.1, 0.2, -0.3]).double()
    d = dt[:, None]
    k1 = nonlinear(t, h)
    k2 = nonlinear(t + dt / 2, h + d / 2 * k1)
    k3 = nonlinear(t + dt / 2, h + d / 2 * k2)
    k4 = nonlinear(t + dt, h + d * k3)
    expected = h + d / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    torch.testing.assert_close(runge_kutta_step(nonlinear, t, h, dt), expected, rtol=0, atol=1e-15)


def test_adaptive_solver_is_within_its_tolerance_and_rows_keep_their_intervals():
    h = rows()
    start = torch.zeros(B, dtype=torch.float64)
    end = torch.tensor([0.0, 0.7, 4.0], dtype=torch.float64)
    truth = logistic_solution(h, end)
    loose, tight = (
        (
            solve(logistic, h, start, end, method="torchdiffeq:dopri5", rtol=tol, atol=tol) - truth
        ).abs().max().item()
        for tol in (1e-4, 1e-9)
    )  # fmt: skip
    assert tight < 1e-8 and tight < loose < 1e-3
    start = torch.tensor([0.0, 0.5, -1.0], dtype=torch.float64)  # rows begin at times of their own
    result = solve(driven, h, start, start + end, method="torchdiffeq:dopri5", rtol=1e-9, atol=1e-9)
    truth = (start + end).sin()[:, None] + (h - start.sin()[:, None]) * torch.exp(-end)[:, None]
    torch.testing.assert_close(result, truth, rtol=0, atol=1e-7)


@pytest.mark.parametrize("method", ["rk4_38", "torchdiffeq:rk4", "torchdiffeq:dopri5"])
def test_gradients_agree_with_the_closed_form(method):
    h = rows().requires_grad_()
    end = torch.tensor([0.3, 0.7, 2.0], dtype=torch.float64, requires_grad=True)
    weigh = rows(seed=1)
    truth = torch.autograd.grad((logistic_solution(h, end) * weigh).sum(), (h, end))
    result = solve(logistic, h, torch.zeros_like(end), end, method=method, steps=200, rtol=1e-10, atol=1e-10)
    for mine, expected in zip(torch.autograd.grad((result * weigh).sum(), (h, end)), truth, strict=True):
        torch.testing.assert_close(mine, expected, rtol=0, atol=1e-7)


def test_fixed_step_gradients_agree_with_torchdiffeq():
    field = torch.nn.Sequential(torch.nn.Linear(H, 8), torch.nn.Tanh(), torch.nn.Linear(8, H)).double()
    h, n = rows(), 5
    zero, end = torch.zeros(B).double(), torch.tensor([0.0, 0.5, 3.0]).double()
    results = []
    for method in ("rk4_38", "torchdiffeq:rk4"):
        y = solve(lambda t, h: field(h), h, zero, end, method=method, steps=n)
        results.append([y, *torch.autograd.grad((y**2).sum(), list(field.parameters()))])
    for mine, theirs in zip(*results, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-10)


def batch(dtype=torch.float64, seed=0):
    rng = np.random.default_rng(seed)
    x = torch.from_numpy(rng.standard_normal((B, T, I))).to(dtype)
    gaps = torch.from_numpy(rng.uniform(0, 2, (B, T))).to(dtype)
    observed = torch.from_numpy(rng.random((B, T)) < 0.6)
    return x, gaps, observed


@pytest.mark.parametrize("cell", ["gru", "rnn"])
@pytest.mark.parametrize("method", ["euler", "rk4"])
def test_the_layer_is_its_algorithm_row_by_row(cell, method):
    torch.manual_seed(0)
    layer = ODERNN(I, H, cell=cell, width=5, method=method, steps=3).double()
    x, gaps, observed = batch()
    output, state = layer(x, gaps=gaps, observed=observed)
    for b in range(B):
        h = torch.zeros(1, H, dtype=torch.float64)
        for t in range(T):
            dt = gaps[b, t] / 3
            for _ in range(3):
                step = dt.view(1)
                h = runge_kutta_step(lambda _, h: layer.field(h), torch.zeros(1).double(), h, step, method)
            if observed[b, t]:
                h = layer.cell(x[b, t][None], h)
            torch.testing.assert_close(output[b, t], h[0], rtol=0, atol=1e-12)
        torch.testing.assert_close(state[b], h[0], rtol=0, atol=1e-12)


def test_gradcheck_with_gaps_lengths_and_questions():
    torch.manual_seed(1)
    layer = ODERNN(I, 3, steps=2).double()
    x, gaps, observed = batch()
    h0 = torch.randn(B, 3, dtype=torch.float64, requires_grad=True)
    lengths = torch.tensor([T, 1, 3])
    call = lambda x, h0, gaps: layer(x, h0, lengths, gaps=gaps, observed=observed)
    assert torch.autograd.gradcheck(call, (x.requires_grad_(), h0, (gaps + 0.1).requires_grad_()))


@pytest.mark.parametrize("method", [*TABLEAUS, "torchdiffeq:dopri5"])
def test_no_time_and_no_observation_leave_the_state_bit_for_bit(method):
    layer = ODERNN(I, H, method=method)
    h0 = torch.randn(B, H)
    nothing = torch.zeros(B, T, dtype=torch.bool)
    output, state = layer(torch.full((B, T, I), float("nan")), h0, gaps=torch.zeros(B, T), observed=nothing)
    assert torch.equal(state, h0) and torch.equal(output, h0[:, None].expand(B, T, H))


def test_without_time_the_layer_is_its_cell():
    layer = ODERNN(I, H).double()
    x, gaps, _ = batch()
    gru = torch.nn.GRU(I, H, batch_first=True).double()
    gru.load_state_dict({f"{name}_l0": weight for name, weight in layer.cell.state_dict().items()})
    torch.testing.assert_close(layer(x, gaps=gaps * 0)[0], gru(x)[0], rtol=0, atol=1e-12)


def test_two_unobserved_gaps_are_one_long_gap():
    layer = ODERNN(I, H, method="torchdiffeq:dopri5", rtol=1e-9, atol=1e-9).double()
    h = rows()
    split = layer.evolve(layer.evolve(h, torch.full((B,), 0.4).double()), torch.full((B,), 0.9).double())
    torch.testing.assert_close(split, layer.evolve(h, torch.full((B,), 1.3).double()), rtol=0, atol=1e-7)


@pytest.mark.parametrize("method", ["rk4", "torchdiffeq:dopri5"])
@pytest.mark.parametrize("junk", [float("nan"), float("inf"), -1e9])
def test_padding_and_what_was_not_observed_never_change_a_bit(method, junk):
    torch.manual_seed(2)
    layer = ODERNN(I, H, method=method)
    x, gaps, observed = batch(torch.float32)
    lengths = torch.tensor([T, 2, 4])
    padding = torch.arange(T) >= lengths[:, None]
    results = []
    for fill in (0.0, junk):
        x_ = torch.where((padding | ~observed)[..., None], fill, x).requires_grad_()
        gaps_ = torch.where(padding, fill, gaps).requires_grad_()
        layer.zero_grad()
        output, state = layer(x_, None, lengths, gaps=gaps_, observed=observed)
        (output.square().sum() + state.sum()).backward()
        results.append([output, state, x_.grad, gaps_.grad, *(p.grad.clone() for p in layer.parameters())])
    for clean, dirty in zip(*results, strict=True):
        assert torch.equal(clean, dirty) and clean.isfinite().all()
    output, state = results[0][:2]
    assert not output[padding].any()
    assert torch.equal(state, output[torch.arange(B), lengths - 1])


@settings(deadline=None, max_examples=30)
@given(
    B=sizes, T=sizes, I=sizes, H=sizes, data=st.data(), dtype=st.sampled_from([torch.float32, torch.float64])
)
def test_shapes_and_each_row_alone(B, T, I, H, data, dtype):  # noqa: E741
    layer = ODERNN(I, H, steps=2).to(dtype)
    lengths = torch.tensor(data.draw(st.lists(st.integers(1, T), min_size=B, max_size=B)))
    x, gaps = torch.randn(B, T, I, dtype=dtype), torch.rand(B, T, dtype=dtype)
    output, state = layer(x, None, lengths, gaps=gaps)
    assert output.shape == (B, T, H) and state.shape == (B, H) and output.dtype == dtype
    for b, n in enumerate(lengths.tolist()):
        alone, last = layer(x[b : b + 1, :n], gaps=gaps[b : b + 1, :n])
        torch.testing.assert_close(output[b : b + 1, :n], alone, rtol=0, atol=1e-5)
        torch.testing.assert_close(state[b : b + 1], last, rtol=0, atol=1e-5)


def test_a_sequence_cut_in_two_gives_the_same_states():
    layer = ODERNN(I, H).double()
    x, gaps, observed = batch()
    whole, _ = layer(x, gaps=gaps, observed=observed)
    first, state = layer(x[:, :2], gaps=gaps[:, :2], observed=observed[:, :2])
    second, _ = layer(x[:, 2:], state, gaps=gaps[:, 2:], observed=observed[:, 2:])
    torch.testing.assert_close(torch.cat((first, second), 1), whole, rtol=0, atol=1e-12)
    torch.testing.assert_close(layer(x)[0], layer(x, gaps=torch.ones(B, T).double())[0], rtol=0, atol=0)


def test_torchdiffeq_is_imported_only_when_asked_for():
    code = (
        "import sys, torch; from course_utils.models.ode_rnn import ODERNN; ODERNN(1, 2)(torch.ones(1, 2, 1));"
        "assert 'torchdiffeq' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


x, gaps, observed = batch(torch.float32)
zeros = torch.zeros(B)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: ODERNN(0, H), "input_size must be at least 1, got 0"),
        (lambda: ODERNN(I, H, width=0), "width must be at least 1, got 0"),
        (lambda: ODERNN(I, H, cell="lstm"), "cell must be in .*got 'lstm'"),
        (lambda: ODERNN(I, H, method="dopri5"), "method must be in .*got 'dopri5'"),
        (lambda: ODERNN(I, H, method="torchdiffeq:magic")(x), "magic"),
        (lambda: ODERNN(I, H, steps=0)(x), "steps must be at least 1, got 0"),
        (lambda: ODERNN(I, H)(x[0]), r"x must be \(B, T>=1, I=2\), got \(6, 2\)"),
        (lambda: ODERNN(I, H)(x, torch.zeros(1, H)), r"state must be \(B, H\)=\(3, 4\), got \(1, 4\)"),
        (lambda: ODERNN(I, H)(x, gaps=gaps[:, 1:]), r"gaps must be \(B, T\)=\(3, 6\), got \(3, 5\)"),
        (lambda: ODERNN(I, H)(x, observed=observed[:1]), r"observed must be \(B, T\)=\(3, 6\), got \(1, 6\)"),
        (lambda: ODERNN(I, H)(x, gaps=gaps - 5), "gaps must be .* at least 0, got -.* at row 0, step 0"),
        (lambda: ODERNN(I, H)(x, gaps=gaps * float("nan")), "gaps must be finite .* got nan"),
        (lambda: ODERNN(I, H)(x, None, torch.tensor([1, 0, 2])), "lengths must be in 1..T=6, got 0 at row 1"),
        (lambda: solve(logistic, x[:, 0], zeros, zeros[:1]), r"end must be \(B,\)=\(3,\), got \(1,\)"),
        (lambda: runge_kutta_step(logistic, zeros, x[:, 0], zeros, "heun"), "method must be in .*got 'heun'"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
