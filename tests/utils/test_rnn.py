"""The vanilla network against torch.nn, against NumPy and against its equation."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from course_utils.models.rnn import ACTIVATIONS, RNN, RNNCell, hidden_states, many_to_many, many_to_one

B, T, I, H, O = 3, 7, 4, 5, 2  # noqa: E741
sizes = st.integers(1, 6)


def library_and_ours(activation, bias=True, seed=0):
    torch.manual_seed(seed)
    library = nn.RNN(I, H, nonlinearity=activation, batch_first=True, bias=bias, dtype=torch.float64)
    return library, RNN(I, H, activation).double().load_library(library)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_outputs_and_all_gradients_agree_with_the_library(activation, bias):
    library, ours = library_and_ours(activation, bias)
    x = torch.randn(B, T, I, dtype=torch.float64)
    h0 = torch.randn(B, H, dtype=torch.float64)
    weigh_output = torch.randn(B, T, H, dtype=torch.float64)
    weigh_state = torch.randn(B, H, dtype=torch.float64)
    results = []
    for layer in (library, ours):
        x_, h_ = x.clone().requires_grad_(), h0.clone().requires_grad_()
        output, state = layer(x_, h_[None] if layer is library else h_)
        state = state.reshape(B, H)
        ((output * weigh_output).sum() + (state * weigh_state).sum()).backward()
        results.append([output, state, x_.grad, h_.grad])
    cell = ours.cell
    results[0] += [library.weight_ih_l0.grad, library.weight_hh_l0.grad]
    results[1] += [cell.weight_ih.grad, cell.weight_hh.grad]
    if bias:
        results[0].append(library.bias_hh_l0.grad)  # each of the two biases has the gradient of their sum
        results[1].append(cell.bias.grad)
    for theirs, mine in zip(*results, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-10)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@settings(deadline=None, max_examples=15)
@given(lengths=st.lists(st.integers(1, T), min_size=B, max_size=B).map(torch.tensor), seed=st.integers(0, 99))
def test_lengths_do_as_packed_sequences_of_the_library(activation, lengths, seed):
    torch.manual_seed(seed)
    ours = RNN(I, H, activation).double()
    library = ours.to_library()
    x, h0 = torch.randn(B, T, I, dtype=torch.float64), torch.randn(B, H, dtype=torch.float64)
    results = []
    for layer in (library, ours):
        x_, h_ = x.clone().requires_grad_(), h0.clone().requires_grad_()
        if layer is ours:
            output, state = ours(x_, h_, lengths)
        else:
            packed, state = library(pack_padded_sequence(x_, lengths, True, enforce_sorted=False), h_[None])
            output, _ = pad_packed_sequence(packed, batch_first=True, total_length=T)
        ((output * torch.linspace(-1, 2, T)[:, None]).sum() + state.square().sum()).backward()
        first = list(layer.parameters())[:3]  # W_ih, W_hh and a bias
        results.append([output, state.view(B, H), x_.grad, h_.grad, *(p.grad for p in first)])
    for theirs, mine in zip(*results, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-10)


def test_layer_norm_agrees_with_a_loop_over_the_equation():
    torch.manual_seed(1)
    rnn = RNN(I, H, "tanh", layer_norm=True).double()
    with torch.no_grad():
        for parameter in rnn.cell.norm.parameters():
            parameter.normal_()
    x = torch.randn(B, T, I, dtype=torch.float64)
    weight_ih, weight_hh, bias, gain, shift = (p.detach().numpy() for p in rnn.parameters())
    h = np.zeros((B, H))
    for t in range(T):
        a = x[:, t].numpy() @ weight_ih.T + bias + h @ weight_hh.T
        mean, variance = a.mean(1, keepdims=True), a.var(1, keepdims=True)
        h = np.tanh((a - mean) / np.sqrt(variance + 1e-5) * gain + shift)
    np.testing.assert_allclose(rnn(x)[1].detach().numpy(), h, rtol=0, atol=1e-12)


def test_one_sigmoid_step_by_hand():
    cell = RNNCell(1, 1, "sigmoid").double()
    with torch.no_grad():
        cell.weight_ih.fill_(2.0), cell.weight_hh.fill_(-1.0), cell.bias.fill_(0.5)
    h = cell(torch.tensor([[0.25]], dtype=torch.float64), torch.tensor([[3.0]], dtype=torch.float64))
    assert h.item() == pytest.approx(1 / (1 + math.exp(2.0)))  # 2 · 0.25 + 0.5 - 3 = -2


@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_gradcheck(activation, layer_norm):
    torch.manual_seed(2)
    rnn = RNN(2, 3, activation, layer_norm=layer_norm).double()
    x = torch.randn(2, 3, 2, dtype=torch.float64, requires_grad=True)
    h0 = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(rnn, (x, h0))


@settings(deadline=None, max_examples=40)
@given(
    B=sizes,
    T=sizes,
    I=sizes,
    H=sizes,
    activation=st.sampled_from(list(ACTIVATIONS)),
    layer_norm=st.booleans(),
)
def test_shapes_and_one_step_at_a_time(B, T, I, H, activation, layer_norm):  # noqa: E741
    rnn = RNN(I, H, activation, layer_norm=layer_norm).double()
    x = torch.randn(B, T, I, dtype=torch.float64)
    output, state = rnn(x)
    assert output.shape == (B, T, H) and state.shape == (B, H)
    h = None
    for t in range(T):
        h = rnn.cell(x[:, t], h)
        torch.testing.assert_close(output[:, t], h, rtol=0, atol=1e-12)
    assert torch.equal(state, output[:, -1])


def test_a_sequence_cut_in_two_gives_the_same_states():
    rnn = RNN(I, H).double()
    x = torch.randn(B, T, I, dtype=torch.float64)
    whole, _ = rnn(x)
    first, state = rnn(x[:, :3])
    second, _ = rnn(x[:, 3:], state)
    torch.testing.assert_close(torch.cat([first, second], 1), whole, rtol=0, atol=1e-12)


@settings(deadline=None, max_examples=30)
@given(B=sizes, T=sizes, I=sizes, H=sizes, O=sizes, seed=st.integers(0, 99), start=st.booleans())
def test_numpy_agrees_with_the_library(B, T, I, H, O, seed, start):  # noqa: E741
    torch.manual_seed(seed)
    library = nn.RNN(I, H, batch_first=True, dtype=torch.float64)
    head = nn.Linear(H, O, dtype=torch.float64)
    x, h0 = torch.randn(B, T, I, dtype=torch.float64), torch.randn(B, H, dtype=torch.float64)
    with torch.no_grad():
        output, _ = library(x, h0[None] if start else None)
        y = head(output).numpy()
    w_ih, w_hh, b_ih, b_hh = (p.detach().numpy() for p in library.parameters())
    w_ho, b_o = (p.detach().numpy() for p in head.parameters())
    hidden = hidden_states(x.numpy(), w_ih, w_hh, b_ih + b_hh, h0.numpy() if start else None)
    np.testing.assert_allclose(hidden, output.numpy(), rtol=0, atol=1e-12)
    np.testing.assert_allclose(many_to_many(hidden, w_ho, b_o), y, rtol=0, atol=1e-12)
    np.testing.assert_allclose(many_to_one(hidden, w_ho, b_o), y[:, -1], rtol=0, atol=1e-12)


def test_the_backward_pass_is_linear_in_time():
    """A select node for each step would add a zero-filled gradient of the whole sequence: O(T²)."""
    output, _ = RNN(I, H).loop(torch.randn(B, T, I, requires_grad=True))
    names, todo = set(), [output.grad_fn]
    while todo:
        node = todo.pop()
        names.add(node.name())
        todo += [parent for parent, _ in node.next_functions if parent is not None]
    assert "UnbindBackward0" in names and "SelectBackward0" not in names


def test_initializations():
    torch.manual_seed(3)
    eye = torch.eye(40)
    orthogonal = RNNCell(3, 40, recurrent_init="orthogonal").weight_hh
    torch.testing.assert_close(orthogonal @ orthogonal.T, eye, rtol=0, atol=1e-5)
    assert torch.equal(RNNCell(3, 40, recurrent_init="identity").weight_hh, eye)
    xavier = RNNCell(3, 40, recurrent_init="xavier")
    for weight, fans in ((xavier.weight_hh, 80), (xavier.weight_ih, 43)):
        bound = math.sqrt(6 / fans)
        assert 0.8 * bound < weight.abs().max() <= bound
    assert not xavier.bias.any()


def test_reset_parameters_starts_the_norm_anew_too():
    cell = RNNCell(I, H, layer_norm=True)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.fill_(9.0)
    cell.reset_parameters()
    gain, shift = cell.norm.parameters()
    assert gain.eq(1).all() and not shift.any() and cell.weight_hh.ne(9).all()


def test_dtype_follows_the_weights_and_the_state_is_not_written_to():
    rnn = RNN(I, H).double()
    state = torch.ones(B, H, dtype=torch.float64)
    with torch.no_grad():  # where writing in place would pass unnoticed
        output, _ = rnn(torch.zeros(B, T, I, dtype=torch.float64), state)
    assert state.eq(1).all() and output.dtype == torch.float64
    assert rnn.cell(torch.zeros(B, I, dtype=torch.float64)).dtype == torch.float64


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: RNN(0, H), "input_size must be at least 1, got 0"),
        (lambda: RNN(I, 0), "hidden_size must be at least 1, got 0"),
        (lambda: RNN(I, H, "swish"), "activation must be in .*got 'swish'"),
        (lambda: RNN(I, H, recurrent_init="eye"), "recurrent_init must be in .*got 'eye'"),
        (lambda: RNN(I, H)(torch.zeros(B, T, I + 1)), r"x must be \(B, T>=1, I=4\), got \(3, 7, 5\)"),
        (lambda: RNN(I, H)(torch.zeros(B, 0, I)), r"x must be \(B, T>=1, I=4\), got \(3, 0, 4\)"),
        (lambda: RNNCell(I, H)(torch.zeros(B, I, T)), r"x must be \(B, I=4\), got \(3, 4, 7\)"),
        (lambda: RNN(I, H)(torch.zeros(B, T, I), torch.zeros(1, H)), r"state must be \(B, H\)=\(3, 5\), got"),
        (lambda: RNN(I, H, "relu").load_library(nn.RNN(I, H)), "layer must have .*'relu'.*got .*'tanh'"),
        (lambda: RNN(I, H).load_library(nn.RNN(I, H, num_layers=2)), "one layer and one direction"),
        (lambda: RNN(I, H).load_library(nn.GRU(I, H)), "layer must be a torch.nn.RNN, got GRU"),
        (lambda: RNN(I, H, layer_norm=True).load_library(nn.RNN(I, H)), "no layer norm"),
        (lambda: RNN(I, H, layer_norm=True).to_library(), "no layer norm"),
        (lambda: RNN(I, H, "sigmoid").to_library(), "this network has 'sigmoid'"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
