"""Stacks and directions of our layers against torch.nn's, which has both built in; states of every form."""

import math
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from course_utils.models.gru import GRU
from course_utils.models.lstm import LSTM
from course_utils.models.packed import Packed
from course_utils.models.rnn import RNN
from course_utils.models.sequences import length_mask
from course_utils.models.stacked import Bidirectional, ResidualStack, Stacked
from course_utils.models.states import Directions, final_hidden, map_state, output_size

B, T, I, H = 4, 6, 3, 5  # noqa: E741
LENGTHS = torch.tensor([2, 6, 1, 4])
FAMILIES = [(nn.LSTM, LSTM), (nn.GRU, GRU), (nn.RNN, RNN)]
OURS = [ours for _, ours in FAMILIES]
families = pytest.mark.parametrize("library, ours", FAMILIES, ids=lambda kind: kind.__name__)


def normal(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def close(ours, theirs, atol=1e-10):
    torch.testing.assert_close(ours, theirs, rtol=0, atol=atol)


def tensors(state):
    """Return the tensors in a state of any form, in order."""
    return [state] if isinstance(state, torch.Tensor) else [t for part in state for t in tensors(part)]


def library_state(state, kind):
    """Return our state in torch's form: (layers · directions, B, H), one tensor or (h, c)."""
    flat = tensors(state)
    if kind is nn.LSTM:
        return torch.stack(flat[::2]), torch.stack(flat[1::2])
    return torch.stack(flat)


def fresh_state(kind, layers, bidirectional):
    seeds = iter(range(100, 200))
    one = lambda: (normal(B, H, seed=next(seeds)), normal(B, H, seed=next(seeds)))
    part = one if kind is nn.LSTM else lambda: normal(B, H, seed=next(seeds))
    return [Directions(part(), part()) if bidirectional else part() for _ in range(layers)]


def run_library(library, x, state, lengths):
    if lengths is None:
        return library(x, state)
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    output, state = library(packed, state)
    return pad_packed_sequence(output, batch_first=True, total_length=x.shape[1])[0], state


def weigh(*results):
    return sum((result * normal(*result.shape, seed=9 + i)).sum() for i, result in enumerate(results))


def check_parameters(layer, library, suffix):
    """Compare the gradients of one of our layers with those of the weights that end so."""
    for name, parameter in layer.cell.named_parameters():
        if name in ("weight_ih", "weight_hh"):
            theirs = getattr(library, f"{name}_{suffix}").grad
        elif name == "bias":  # each of the library's two biases has the gradient of their sum
            theirs = getattr(library, f"bias_ih_{suffix}").grad
        else:  # a GRU's candidate has a bias within the reset gate's reach
            theirs = getattr(library, f"bias_hh_{suffix}").grad[-H:]
        close(parameter.grad, theirs)


@pytest.mark.parametrize("begin", [False, True])
@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["full", "lengths"])
@pytest.mark.parametrize("bidirectional", [False, True])
@families
def test_a_stack_agrees_with_the_library(library, ours, bidirectional, lengths, begin):
    torch.manual_seed(0)
    theirs = library(I, H, num_layers=2, bidirectional=bidirectional, batch_first=True, dtype=torch.float64)
    make = partial(Bidirectional, ours) if bidirectional else ours
    mine = Stacked(make, I, H, 2).double().load_library(theirs)
    x, start = normal(B, T, I), fresh_state(library, 2, bidirectional) if begin else None
    compare = []
    for run in ("mine", "theirs"):
        x_ = x.clone().requires_grad_()
        start_ = None if start is None else map_state(lambda s: s.clone().requires_grad_(), start)
        if run == "mine":
            output, state = mine(x_, start_, lengths)
            state = library_state(state, library)
        else:
            output, state = run_library(
                theirs, x_, None if start_ is None else library_state(start_, library), lengths
            )
        results = [output, *tensors(state)]
        weigh(*results).backward()
        compare.append(results + [x_.grad] + ([] if start_ is None else [s.grad for s in tensors(start_)]))
    for a, b in zip(*compare, strict=True):
        close(a, b)
    for k, layer in enumerate(mine.layers):
        if bidirectional:
            check_parameters(layer.ahead, theirs, f"l{k}")
            check_parameters(layer.back, theirs, f"l{k}_reverse")
        else:
            check_parameters(layer, theirs, f"l{k}")


@pytest.mark.parametrize("bidirectional", [False, True])
@families
def test_the_way_back_to_the_library(library, ours, bidirectional):
    torch.manual_seed(1)
    mine = Stacked(partial(Bidirectional, ours) if bidirectional else ours, I, H, 3).double()
    theirs = mine.to_library()
    if bidirectional:
        single = mine.layers[0].to_library()
        close(mine.layers[0](normal(B, T, I))[0], single(normal(B, T, I))[0])
    assert type(theirs) is library and theirs.weight_hh_l2.dtype == torch.float64
    assert (theirs.num_layers, theirs.bidirectional) == (3, bidirectional)
    x = normal(B, T, I)
    close(mine(x, None, LENGTHS)[0], run_library(theirs, x, None, LENGTHS)[0])


@families
def test_packed_library_layers_do_as_ours(library, ours):
    torch.manual_seed(2)
    theirs = Packed(library, I, H).double()
    mine = ours(I, H).double().load_library(theirs.to_library())
    x, start = normal(B, T, I), fresh_state(library, 1, False)[0]
    for lengths in (None, LENGTHS):
        for a, b in zip(*(tensors(layer(x, start, lengths)) for layer in (mine, theirs)), strict=True):
            close(a, b)
    again = Packed(library, I, H).double().load_library(theirs.to_library())
    assert torch.equal(again(x)[0], theirs(x)[0])
    copy = theirs.to_library()
    with torch.no_grad():
        copy.weight_hh_l0.zero_()
    assert theirs.layer.weight_hh_l0.any()  # a copy, not the layer itself


@pytest.mark.parametrize("make", [*OURS, partial(Packed, nn.LSTM)])
def test_residual_layers_add_to_what_they_read(make):
    torch.manual_seed(3)
    net = ResidualStack(partial(Bidirectional, make), I, H, 3).double()
    x = normal(B, T, I)
    output, state = net(x, None, LENGTHS)
    low, end0 = net.layers[0](x, None, LENGTHS)
    middle, end1 = net.layers[1](low, None, LENGTHS)
    high, end2 = net.layers[2](low + middle, None, LENGTHS)
    close(output, low + middle + high)
    for a, b in zip(tensors(state), tensors([end0, end1, end2]), strict=True):
        assert torch.equal(a, b)
    assert not output[~length_mask(LENGTHS, T)].any()


def test_a_residual_stack_can_begin_from_a_plain_stacks_weights():
    plain = Stacked(LSTM, I, H, 4).double()
    residual = ResidualStack(LSTM, I, H, 4).double().load_library(plain.to_library())
    weights = residual.state_dict()
    assert all(torch.equal(value, weights[name]) for name, value in plain.state_dict().items())
    with pytest.raises(ValueError, match="no recurrent stack with residual connections"):
        residual.to_library()


def test_residual_connections_carry_gradients_down_a_deep_stack():
    """What exercise 15.20 shows: with them the lowest layer's share of the gradient is far larger."""
    norms = {}
    for kind in (Stacked, ResidualStack):
        torch.manual_seed(4)
        net = kind(LSTM, I, 16, 6).double()
        net(normal(B, T, I))[0].square().sum().backward()
        norm = lambda layer: math.hypot(*(p.grad.norm().item() for p in layer.parameters()))
        norms[kind] = norm(net.layers[0]) / norm(net.layers[-1])
    assert norms[ResidualStack] > 10 * norms[Stacked]


def test_between_acts_between_layers_only():
    class Count(nn.Module):
        seen = 0

        def forward(self, x):
            self.seen += 1
            return 2 * x

    count = Count()
    net = Stacked(LSTM, I, H, 3, between=count).double()
    x = normal(B, T, I)
    expected, _ = net.layers[0](x)
    for layer in net.layers[1:]:
        expected, _ = layer(2 * expected)
    close(net(x)[0], expected)
    assert count.seen == 2
    residual = ResidualStack(LSTM, I, H, 2, between=nn.Dropout(1.0))  # all that the branch reads is dropped,
    low, _ = residual.layers[0](x.float())
    bare, _ = residual.layers[1](torch.zeros_like(low))
    close(residual(x.float())[0], low + bare)  # the sum is not


@pytest.mark.parametrize("filler", [math.nan, math.inf, -math.inf, 1e300])
@pytest.mark.parametrize("kind", [Stacked, ResidualStack])
@pytest.mark.parametrize("make", [*OURS, partial(Packed, nn.GRU)])
def test_padding_changes_no_bit(make, kind, filler):
    torch.manual_seed(5)
    net = kind(partial(Bidirectional, make), I, H, 2).double()
    real, results = length_mask(LENGTHS, T)[:, :, None], []
    for value in (0.0, filler):
        x = torch.where(real, normal(B, T, I), value).requires_grad_()
        net.zero_grad()
        output, state = net(x, None, LENGTHS)
        weigh(output, *tensors(state)).backward()
        results.append([output, *tensors(state), x.grad, *(p.grad.clone() for p in net.parameters())])
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))
    assert not results[0][0][~real.expand_as(results[0][0])].any()


@settings(deadline=None, max_examples=25)
@given(
    lengths=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    more=st.integers(0, 2),
    layers=st.integers(1, 3),
    make=st.sampled_from([*OURS, partial(Packed, nn.LSTM)]),
    both=st.booleans(),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_each_sequence_alone_gives_the_same(lengths, more, layers, make, both, dtype):
    net = Stacked(partial(Bidirectional, make) if both else make, 2, 3, layers).to(dtype)
    x = normal(len(lengths), max(lengths) + more, 2).to(dtype)
    output, state = net(x, None, torch.tensor(lengths))
    width = 6 if both else 3
    assert output.shape == (*x.shape[:2], width) and output.dtype == dtype and output_size(net) == width
    assert net.bidirectional == both and len(state) == layers
    assert final_hidden(state).shape == (len(lengths), width)
    tolerance = 1e-5 if dtype == torch.float32 else 1e-12
    for b, n in enumerate(lengths):
        alone, end = net(x[b : b + 1, :n])
        close(output[b, :n], alone[0], tolerance)
        close(final_hidden(state)[b], final_hidden(end)[0], tolerance)


def test_gradcheck():
    torch.manual_seed(6)
    lengths = torch.tensor([3, 1])
    for kind in (Stacked, ResidualStack):
        net = kind(partial(Bidirectional, GRU), 2, 2, 2).double()
        x = normal(2, 3, 2).requires_grad_()
        assert torch.autograd.gradcheck(lambda x, net=net: (net(x, None, lengths)[0],), (x,))


def test_final_hidden_is_where_each_direction_ends():
    net = Bidirectional(LSTM, I, H).double()
    output, state = net(normal(B, T, I), None, LENGTHS)
    for b, n in enumerate(LENGTHS.tolist()):
        expected = torch.cat([output[b, n - 1, :H], output[b, 0, H:]])  # back ends at the first step
        assert torch.equal(final_hidden(state)[b], expected)


def test_final_hidden_of_a_stack_is_that_of_its_highest_layer():
    net = Stacked(GRU, I, H, 3).double()
    output, state = net(normal(B, T, I))
    assert torch.equal(final_hidden(state), output[:, -1])


def test_states_keep_their_form():
    net = Stacked(partial(Bidirectional, LSTM), I, H, 2).double()
    x = normal(B, T, I)
    _, state = net(x)
    cut = map_state(torch.Tensor.detach, state)
    assert type(cut) is list and all(isinstance(part, Directions) for part in cut)
    assert type(cut[0].ahead) is tuple and len(tensors(cut)) == 8
    assert not any(t.requires_grad for t in tensors(cut)) and all(t.requires_grad for t in tensors(state))
    assert all(torch.equal(a, b) for a, b in zip(tensors(cut), tensors(state), strict=True))
    assert map_state(torch.neg, (None, None)) == (None, None)
    rows = torch.tensor([2, 0])
    some = map_state(lambda h: h[rows], cut)
    close(net(x[rows], some)[0], net(x, cut)[0][rows], 1e-12)
    total = map_state(lambda a, b: a + b, cut, cut)
    assert all(torch.equal(a, 2 * b) for a, b in zip(tensors(total), tensors(cut), strict=True))
    with pytest.raises(ValueError):
        map_state(lambda a, b: a, cut, cut[:1])


def test_a_stack_reads_on_from_its_state():
    net = Stacked(LSTM, I, H, 2).double()
    x = normal(B, T, I)
    first, state = net(x[:, :2])
    second, _ = net(x[:, 2:], state)
    close(torch.cat([first, second], 1), net(x)[0], 1e-12)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: Stacked(LSTM, I, H, 0), "num_layers must be at least 1, got 0"),
        (lambda: Stacked(LSTM, 0, H, 1), "input_size must be at least 1, got 0"),
        (lambda: Stacked(LSTM, I, H, 2)(torch.zeros(B, T, I), [None]), "state must hold .* 2 layers, got 1"),
        (lambda: Stacked(LSTM, I, H, 2)(torch.zeros(B, T, I + 1)), "x must be"),
        (lambda: Bidirectional(LSTM, I, H)(torch.zeros(B, T, I), None, LENGTHS - 1), "got 0 at row 2"),
        (lambda: Bidirectional(LSTM, I, H)(torch.zeros(B, T, I), None, LENGTHS + 1), "got 7 at row 1"),
        (lambda: Packed(nn.LSTM, I, H)(torch.zeros(B, T, I), None, LENGTHS - 1), "got 0 at row 2"),
        (lambda: Packed(nn.LSTM, I, H, num_layers=2), r"one plain layer, got \['num_layers'\]"),
        (lambda: Packed(nn.LSTM, I, H, bidirectional=True), r"one plain layer, got \['bidirectional'\]"),
        (
            lambda: Stacked(LSTM, I, H, 2).load_library(nn.LSTM(I, H)),
            r"layer must have \(num_layers, bidirectional\) = \(2, False\).*got \(1, False\)",
        ),
        (
            lambda: Bidirectional(LSTM, I, H).load_library(nn.LSTM(I, H)),
            r"= \(1, True\) and no projection, got \(1, False\), proj_size 0",
        ),
        (lambda: Stacked(LSTM, I, H, 1).load_library(nn.LSTM(I, H, proj_size=2)), "proj_size 2"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
