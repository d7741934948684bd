"""What holds for every recurrent layer: the fast form equals the loop, padding is never seen, gradients are right."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck, gradgradcheck

from course_utils.models import stepping
from course_utils.models.gru import GRU
from course_utils.models.lstm import LSTM
from course_utils.models.mgu import MGU
from course_utils.models.peephole import PeepholeLSTM
from course_utils.models.rnn import RNN

LAYERS = {
    "rnn": lambda i, h: RNN(i, h),
    "rnn relu": lambda i, h: RNN(i, h, "relu"),
    "rnn sigmoid": lambda i, h: RNN(i, h, "sigmoid"),
    "rnn layer norm": lambda i, h: RNN(i, h, layer_norm=True),
    "lstm": lambda i, h: LSTM(i, h),
    "lstm clamped": lambda i, h: LSTM(i, h, clamp={"input": 0.3, "forget": 1.0, "output": 1}),
    "peephole": lambda i, h: PeepholeLSTM(i, h),
    "peephole clamped": lambda i, h: PeepholeLSTM(i, h, clamp={"input": 1.0, "output": 0.4}),
    "gru": lambda i, h: GRU(i, h),
    "gru clamped": lambda i, h: GRU(i, h, clamp={"reset": 1.0}),
    "gru before": lambda i, h: GRU(i, h, reset="before"),
    "gru before clamped": lambda i, h: GRU(i, h, reset="before", clamp={"reset": 0.2, "update": 0.6}),
    "mgu": lambda i, h: MGU(i, h),
    "mgu clamped": lambda i, h: MGU(i, h, clamp={"forget": 0.4}),
}
every_layer = pytest.mark.parametrize("name", LAYERS)
LENGTHS = torch.tensor([2, 4, 1])


def drawn(name, seed, batch, steps, inputs, hidden, dtype=torch.float64):
    """A layer, an input and an initial state, all standard normal / 2, from a generator of their own."""
    generator = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.randn(*shape, generator=generator, dtype=dtype) / 2
    layer = LAYERS[name](inputs, hidden).to(dtype)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(draw(*parameter.shape))
    state = layer.cell.pack(tuple(draw(batch, hidden) for _ in layer.cell.state_names))
    return layer, draw(batch, steps, inputs), state


def everything(layer, run, x, state, lengths):
    """Output, final state and all gradients of a weighted sum of both."""
    parts = [part.clone().requires_grad_() for part in layer.cell.unpack(state)]
    x = x.clone().requires_grad_()
    output, finals = run(x, layer.cell.pack(tuple(parts)), lengths)
    results = [output, *layer.cell.unpack(finals)]
    weigh = [torch.linspace(-1, 2, part.numel(), dtype=x.dtype).view_as(part) for part in results]
    loss = sum((part * weight).sum() for part, weight in zip(results, weigh, strict=True))
    wanted = [x, *parts, *layer.parameters()]
    grads = torch.autograd.grad(loss, wanted, materialize_grads=True)
    return [result.detach() for result in results] + list(grads)


@every_layer
@settings(deadline=None, max_examples=12)
@given(
    seed=st.integers(0, 99),
    sizes=st.tuples(*[st.integers(1, 5)] * 4),
    data=st.data(),
)
def test_the_fast_form_equals_the_loop(name, seed, sizes, data):
    batch, steps = sizes[:2]
    layer, x, state = drawn(name, seed, *sizes)
    draw_lengths = st.lists(st.integers(1, steps), min_size=batch, max_size=batch).map(torch.tensor)
    lengths = data.draw(st.none() | draw_lengths)
    fast = everything(layer, layer.forward, x, state, lengths)
    slow = everything(layer, layer.loop, x, state, lengths)
    for mine, other in zip(fast, slow, strict=True):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-12)
    with torch.no_grad():  # buffers are shared here
        output, finals = layer(x, state, lengths)
    for mine, other in zip([output, *layer.cell.unpack(finals)], fast, strict=False):
        assert torch.equal(mine, other)


@every_layer
@pytest.mark.parametrize("lengths", [None, LENGTHS])
@pytest.mark.parametrize("start", [True, False])
def test_gradcheck(name, lengths, start):
    layer, x, state = drawn(name, 1, 3, 4, 2, 2)
    parts = layer.cell.unpack(state)

    def run(x, *tensors):
        given_state, weights = tensors[: len(parts)], tensors[len(parts) :]
        named = dict(zip(dict(layer.named_parameters()), weights, strict=True))
        begin = layer.cell.pack(given_state) if start else None
        output, finals = torch.func.functional_call(layer, named, (x, begin, lengths))
        return output, *layer.cell.unpack(finals)

    tensors = [tensor.detach().clone().requires_grad_() for tensor in (x, *parts, *layer.parameters())]
    assert gradcheck(run, tensors)


@every_layer
def test_the_loop_can_be_differentiated_twice_and_the_fast_form_says_that_it_cannot(name):
    layer, x, state = drawn(name, 2, 2, 3, 2, 2)
    x.requires_grad_()
    assert gradgradcheck(lambda x: layer.loop(x, state)[0], (x,))
    (grad,) = torch.autograd.grad(layer(x, state)[0].square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        grad.sum().backward()


@every_layer
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("junk", [float("nan"), float("inf"), 1e30])
def test_padding_changes_nothing_bit_for_bit(name, dtype, junk):
    layer, x, state = drawn(name, 3, 3, 5, 3, 4, dtype)
    padded = x.clone()
    for row, length in enumerate(LENGTHS):
        padded[row, length:] = junk
    for run in (layer.forward, layer.loop):
        clean, dirty = (everything(layer, run, values, state, LENGTHS) for values in (x, padded))
        for mine, other in zip(clean, dirty, strict=True):
            assert torch.equal(mine, other) and torch.isfinite(mine).all()
        output, grad_x = dirty[0], dirty[1 + len(layer.cell.state_names)]
        for row, length in enumerate(LENGTHS):
            assert not output[row, length:].any() and not grad_x[row, length:].any()


@every_layer
def test_each_row_of_a_padded_batch_is_what_it_is_alone(name):
    layer, x, state = drawn(name, 4, 3, 5, 3, 4)
    output, finals = layer(x, state, LENGTHS)
    for row, length in enumerate(LENGTHS):
        alone_state = layer.cell.pack(tuple(part[row : row + 1] for part in layer.cell.unpack(state)))
        alone, last = layer(x[row : row + 1, :length], alone_state)
        torch.testing.assert_close(output[row, :length], alone[0], rtol=0, atol=1e-12)
        for part, final in zip(layer.cell.unpack(last), layer.cell.unpack(finals), strict=True):
            torch.testing.assert_close(final[row], part[0], rtol=0, atol=1e-12)


@every_layer
def test_a_cell_repeated_is_the_layer_and_a_sequence_may_be_cut(name):
    layer, x, state = drawn(name, 5, 3, 6, 3, 4)
    output, finals = layer(x, state)
    h = state
    for t in range(6):
        h = layer.cell(x[:, t], h)
        torch.testing.assert_close(output[:, t], layer.cell.unpack(h)[0], rtol=0, atol=1e-12)
    second, again = layer(x[:, 4:], layer(x[:, :4], state)[1])
    torch.testing.assert_close(second, output[:, 4:], rtol=0, atol=1e-12)
    for mine, other in zip(layer.cell.unpack(again), layer.cell.unpack(finals), strict=True):
        torch.testing.assert_close(mine, other, rtol=0, atol=1e-12)


@every_layer
def test_gates_are_reported_by_name_and_clamped_ones_are_exact(name):
    layer, x, state = drawn(name, 6, 3, 5, 3, 4)
    gates = layer.gates(x, state, LENGTHS)
    assert set(layer.cell.gate_names) <= set(gates)
    for gate, values in gates.items():
        assert values.shape == (3, 5, 4)
        for row, length in enumerate(LENGTHS):
            assert not values[row, length:].any()
            if gate in layer.cell.clamp:
                assert values[row, :length].eq(layer.cell.clamp[gate]).all()
            elif gate in layer.cell.gate_names:
                assert ((values[row, :length] > 0) & (values[row, :length] < 1)).all()


@every_layer
def test_nothing_given_is_written_to_and_backward_may_come_twice(name):
    layer, x, state = drawn(name, 7, 3, 5, 3, 4)
    x.requires_grad_()
    kept = [tensor.detach().clone() for tensor in (x, *layer.cell.unpack(state), *layer.parameters())]
    output, _ = layer(x, state, LENGTHS)
    seen = output.detach().clone()
    weigh = torch.ones_like(output)
    grads = [torch.autograd.grad(output, x, weigh, retain_graph=True)[0] for _ in range(2)]
    assert torch.equal(*grads) and torch.equal(output, seen) and weigh.eq(1).all()
    for before, after in zip(kept, (x, *layer.cell.unpack(state), *layer.parameters()), strict=True):
        assert torch.equal(before, after)
    with torch.no_grad():
        next(layer.parameters()).add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        output.sum().backward()


@every_layer
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_dtype_follows_the_weights(name, dtype):
    layer, x, _ = drawn(name, 8, 3, 4, 3, 4, dtype)
    x.requires_grad_()
    output, state = layer(x, None, LENGTHS)
    output.sum().backward()
    assert {t.dtype for t in (output, *layer.cell.unpack(state), x.grad)} == {dtype}


@every_layer
def test_the_large_products_of_one_dnn_change_nothing(name, monkeypatch):
    layer, x, state = drawn(name, 9, 3, 5, 3, 4, torch.float32)
    plain = everything(layer, layer.forward, x, state, LENGTHS)
    monkeypatch.setattr(stepping, "_LARGE", 0)
    for mine, other in zip(everything(layer, layer.forward, x, state, LENGTHS), plain, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-5)
    monkeypatch.setattr(stepping, "_ONEDNN", False)
    for mine, other in zip(everything(layer, layer.forward, x, state, LENGTHS), plain, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-5)


@every_layer
def test_the_graph_of_the_loop_is_linear_in_time(name):
    """A select node for each step would add a zero-filled gradient of the whole sequence: O(T²)."""
    layer, x, _ = drawn(name, 10, 2, 3, 2, 2)
    names, todo = set(), [layer.loop(x.requires_grad_())[0].grad_fn]
    while todo:
        node = todo.pop()
        names.add(node.name())
        todo += [parent for parent, _ in node.next_functions if parent is not None]
    assert "UnbindBackward0" in names and "SelectBackward0" not in names


@every_layer
@pytest.mark.parametrize(
    "lengths, message",
    [
        (torch.tensor([2, 0, 1]), r"lengths must be in 1..T=4, got 0 at row 1"),
        (torch.tensor([2, 1, 5]), r"lengths must be in 1..T=4, got 5 at row 2"),
        (torch.tensor([2, 1]), r"lengths must be integers of shape \(B,\)=\(3,\)"),
        (torch.tensor([2.0, 1.0, 1.0]), r"lengths must be integers"),
    ],
)
def test_errors_of_lengths(name, lengths, message):
    with pytest.raises(ValueError, match=message):
        LAYERS[name](2, 3)(torch.zeros(3, 4, 2), None, lengths)


@every_layer
@pytest.mark.parametrize("shape", [(3, 4, 5), (3, 0, 2), (4, 2)])
def test_errors_of_x_and_state(name, shape):
    layer = LAYERS[name](2, 3)
    with pytest.raises(ValueError, match=r"x must be \(B, T>=1, I=2\), got"):
        layer(torch.zeros(shape))
    wrong = layer.cell.pack(tuple(torch.zeros(1, 3) for _ in layer.cell.state_names))
    with pytest.raises(ValueError, match=r"the state must be \(B, H\)=\(3, 3\), got \(1, 3\)"):
        layer(torch.zeros(3, 4, 2), wrong)
    other = torch.zeros(3, 3) if len(layer.cell.state_names) == 2 else (torch.zeros(3, 3),) * 2
    with pytest.raises(ValueError, match="the state must be a t"):
        layer(torch.zeros(3, 4, 2), other)
    with pytest.raises(ValueError, match=r"x must be \(B, I=2\)"):
        layer.cell(torch.zeros(3, 4, 2))


@pytest.mark.parametrize("kind", [LSTM, PeepholeLSTM, GRU, MGU])
def test_errors_of_clamp_and_sizes(kind):
    with pytest.raises(ValueError, match=r"clamp must name gates in \[.*\], got \['candidate'\]"):
        kind(2, 3, clamp={"candidate": 1.0})
    with pytest.raises(ValueError, match="input_size must be at least 1, got 0"):
        kind(0, 3)
    with pytest.raises(ValueError, match="hidden_size must be at least 1, got 0"):
        kind(2, 0)


@pytest.mark.parametrize("name", LAYERS)
def test_weights_have_the_agreed_names_and_begin_as_said(name):
    layer = LAYERS[name](3, 4)
    cell, blocks = layer.cell, len(layer.cell.blocks)
    assert (layer.input_size, layer.hidden_size) == (3, 4)
    assert cell.weight_ih.shape == (4 * blocks, 3) and cell.weight_hh.shape == (4 * blocks, 4)
    assert cell.bias.shape == (4 * blocks,)
    if not name.startswith("rnn"):
        for block in cell.weight_hh.chunk(blocks):
            torch.testing.assert_close(block @ block.T, torch.eye(4), rtol=0, atol=1e-5)
