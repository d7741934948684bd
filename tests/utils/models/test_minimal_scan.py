"""Every form of the scan against the gates' own equations, in a loop of NumPy; all in float64."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.models.minimal_scan import SCANS, MinGRU, MinLSTM, log_g

B, T, I, H = 3, 9, 4, 5  # noqa: E741
sizes = st.integers(1, 6)
LAYERS = [MinGRU, MinLSTM]


def sigmoid(v):
    return 1 / (1 + np.exp(-v))


def by_the_equations(layer, x, h):
    """h_1 … h_T, (B, T, H), without logarithms."""
    weights = np.split(layer.weight_ih.detach().numpy(), layer.GATES)
    biases = np.split(layer.bias.detach().numpy(), layer.GATES)
    states = []
    for t in range(x.shape[1]):
        *gates, v = (x[:, t] @ w.T + b for w, b in zip(weights, biases, strict=True))
        candidate = np.where(v >= 0, v + 0.5, sigmoid(v))
        if layer.GATES == 2:
            z = sigmoid(gates[0])
            h = (1 - z) * h + z * candidate
        else:
            f, i = sigmoid(gates[0]), sigmoid(gates[1])
            h = f / (f + i) * h + i / (f + i) * candidate
        states.append(h)
    return np.stack(states, axis=1)


def make(kind, scan="log", sizes=(I, H), seed=0):
    torch.manual_seed(seed)
    layer = kind(*sizes, scan=scan).double()
    with torch.no_grad():
        layer.bias.normal_()
    return layer


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("scan", list(SCANS))
@pytest.mark.parametrize("steps", [1, 2, 9, 64])
def test_each_form_agrees_with_the_equations(kind, scan, steps):
    layer = make(kind, scan)
    x, h0 = torch.randn(B, steps, I, dtype=torch.float64), torch.randn(B, H, dtype=torch.float64)
    for start in (h0, None):
        output, state = layer(x, start)
        h = np.zeros((B, H)) if start is None else start.numpy()
        expected = by_the_equations(layer, x.numpy(), h)
        np.testing.assert_allclose(output.detach().numpy(), expected, rtol=0, atol=1e-10)
        assert torch.equal(state, output[:, -1])


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("scan", ["log", "doubling"])
@pytest.mark.parametrize("lengths", [None, [T, 1, 4]])
def test_all_gradients_of_parallel_and_sequential_agree(kind, scan, lengths):
    x, h0 = torch.randn(B, T, I, dtype=torch.float64), torch.randn(B, H, dtype=torch.float64)
    weigh = torch.randn(B, T, H, dtype=torch.float64)
    results = []
    for form in (scan, "sequential"):
        layer = make(kind, form)
        x_, h_ = x.clone().requires_grad_(), h0.clone().requires_grad_()
        output, state = layer(x_, h_, None if lengths is None else torch.tensor(lengths))
        ((output * weigh).sum() + state.square().sum()).backward()
        results.append([output, state, x_.grad, h_.grad, layer.weight_ih.grad, layer.bias.grad])
    for parallel, sequential in zip(*results, strict=True):
        torch.testing.assert_close(parallel, sequential, rtol=0, atol=1e-10)


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("scan", list(SCANS))
def test_gradcheck(kind, scan):
    layer = make(kind, scan, (2, 3))
    x = torch.randn(2, 4, 2, dtype=torch.float64, requires_grad=True)
    h0 = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, h0: layer(x, h0, torch.tensor([4, 2])), (x, h0))


@pytest.mark.parametrize("scan", list(SCANS))
def test_a_zero_or_negative_start_has_finite_gradients(scan):
    h0 = torch.tensor([[0.0, -2.0, 0.0, 1.0, -1e-300]] * B, dtype=torch.float64, requires_grad=True)
    output, _ = make(MinGRU, scan)(torch.randn(B, T, I, dtype=torch.float64), h0)
    output.sum().backward()
    assert output.isfinite().all() and h0.grad.isfinite().all() and h0.grad.gt(0).all()


def test_large_preactivations_stay_finite():
    for kind in LAYERS:
        for scan in SCANS:
            layer = make(kind, scan)
            x = 200 * torch.randn(B, T, I, dtype=torch.float64)
            x.requires_grad_()
            output, _ = layer(x)
            output.sum().backward()
            assert output.isfinite().all() and x.grad.isfinite().all(), (kind, scan)


def test_g_is_positive_continuous_and_by_hand():
    v = torch.tensor([-800.0, -1.0, -0.5, -1e-12, 0.0, 3.0], dtype=torch.float64, requires_grad=True)
    expected = [
        -800.0,
        -math.log(1 + math.e),
        -math.log(1 + math.sqrt(math.e)),
        math.log(0.5),
        math.log(0.5),
        math.log(3.5),
    ]
    torch.testing.assert_close(log_g(v), torch.tensor(expected).double(), rtol=0, atol=1e-7)
    log_g(v).sum().backward()
    slope = [1.0, 1 - 1 / (1 + math.e), 1 - 1 / (1 + math.sqrt(math.e)), 0.5, 2.0, 1 / 3.5]
    torch.testing.assert_close(v.grad, torch.tensor(slope).double(), rtol=0, atol=1e-7)


def test_float32_drifts_less_than_stated():
    layer = make(MinGRU).float()
    x = torch.randn(B, 512, I)
    parallel, _ = layer(x)
    layer.scan = "sequential"
    assert (parallel - layer(x)[0]).abs().max() < 1e-3


@settings(deadline=None, max_examples=40)
@given(
    B=sizes,
    T=st.integers(1, 20),
    I=sizes,
    H=sizes,
    kind=st.sampled_from(LAYERS),
    scan=st.sampled_from(list(SCANS)),
    data=st.data(),
)
def test_shapes_lengths_and_each_row_alone(B, T, I, H, kind, scan, data):  # noqa: E741
    layer = make(kind, scan, (I, H))
    lengths = torch.tensor(data.draw(st.lists(st.integers(1, T), min_size=B, max_size=B)))
    x, h0 = torch.randn(B, T, I, dtype=torch.float64), torch.randn(B, H, dtype=torch.float64)
    output, state = layer(x, h0, lengths)
    assert output.shape == (B, T, H) and state.shape == (B, H)
    for b, n in enumerate(lengths.tolist()):
        alone, last = layer(x[b : b + 1, :n], h0[b : b + 1])
        torch.testing.assert_close(output[b, :n], alone[0], rtol=0, atol=1e-10)
        torch.testing.assert_close(state[b], last[0], rtol=0, atol=1e-10)
        assert not output[b, n:].any()


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("scan", list(SCANS))
@pytest.mark.parametrize("junk", [float("nan"), float("inf"), 1e30])
def test_padding_never_changes_a_bit(kind, scan, junk):
    layer = make(kind, scan).float()
    x, lengths = torch.randn(B, T, I), torch.tensor([T, 1, 5])
    padding = torch.arange(T) >= lengths[:, None]
    results = []
    for fill in (0.0, junk):
        x_ = torch.where(padding[..., None], fill, x).requires_grad_()
        layer.zero_grad()
        output, state = layer(x_, None, lengths)
        (output.square().sum() + state.sum()).backward()
        results.append([output, state, x_.grad, *(p.grad.clone() for p in layer.parameters())])
    for clean, dirty in zip(*results, strict=True):
        assert torch.equal(clean, dirty) and clean.isfinite().all()


def test_a_sequence_cut_in_two_and_the_number_of_parameters():
    for kind, gates in ((MinGRU, 2), (MinLSTM, 3)):
        layer = make(kind)
        assert sum(p.numel() for p in layer.parameters()) == gates * H * (I + 1)
        x = torch.randn(B, T, I, dtype=torch.float64)
        first, state = layer(x[:, :4])
        second, _ = layer(x[:, 4:], state)
        torch.testing.assert_close(torch.cat((first, second), 1), layer(x)[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: MinGRU(0, H), "input_size must be at least 1, got 0"),
        (lambda: MinLSTM(I, 0), "hidden_size must be at least 1, got 0"),
        (lambda: MinGRU(I, H, scan="fast"), "scan must be in .*got 'fast'"),
        (lambda: MinGRU(I, H)(torch.zeros(B, T, I + 1)), r"x must be \(B, T>=1, I=4\), got \(3, 9, 5\)"),
        (lambda: MinGRU(I, H)(torch.zeros(B, T, I), torch.zeros(1, H)), r"state must be .* got \(1, 5\)"),
        (
            lambda: MinLSTM(I, H)(torch.zeros(B, T, I), None, torch.tensor([1, 10, 2])),
            "lengths must be in 1..T=9, got 10 at row 1",
        ),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
