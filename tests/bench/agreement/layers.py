"""Recurrent layers and their wrappers beside torch.nn, NumPy, their own loop and their equations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from course_utils.models.dropout import RecurrentDropout
from course_utils.models.gru import GRU
from course_utils.models.lstm import LSTM
from course_utils.models.mgu import MGU
from course_utils.models.minimal_scan import MinGRU, MinLSTM
from course_utils.models.peephole import PeepholeLSTM
from course_utils.models.rnn import RNN, hidden_states
from course_utils.models.stacked import Bidirectional, ResidualStack, Stacked
from tests.bench.agreement.comparing import (
    SHAPES,
    Difference,
    compare,
    distance,
    drawn,
    padded,
    perturb,
    rows,
)
from tests.bench.agreement.equations import (
    Step,
    gru_step,
    mgu_step,
    peephole_step,
    rnn_step,
    written_out,
)

Make = Callable[[int, int], nn.Module]


def layer_cases(make: Make, parts: int = 1) -> Iterator[tuple[Any, Tensor, Tensor, tuple[Tensor, ...]]]:
    """Yield a layer with drawn weights, x, lengths and the parts of a first state."""
    for batch, steps, inputs, hidden in SHAPES:
        state = tuple(
            torch.randn(batch, hidden, dtype=torch.float64, requires_grad=True) for _ in range(parts)
        )
        yield perturb(make(inputs, hidden)), *drawn(batch, steps, inputs), state


def against_equations(make: Make, step: Step, parts: int = 1) -> Iterator[Difference]:
    """Compare a layer with its equations, step by step."""
    for layer, x, lengths, state in layer_cases(make, parts):
        ours = layer(x, state if parts > 1 else state[0], lengths)
        yield compare(
            ours, written_out(step, layer.cell, x, state, lengths), [x, *state, *layer.parameters()]
        )


def against_loop(make: Make, parts: int = 1) -> Iterator[Difference]:
    """Compare a layer's written-out backward pass with automatic differentiation of its own loop."""
    for layer, x, lengths, state in layer_cases(make, parts):
        first = state if parts > 1 else state[0]
        yield compare(
            layer(x, first, lengths), layer.loop(x, first, lengths), [x, *state, *layer.parameters()]
        )


def packed_run(library: nn.RNNBase, x: Tensor, state: Any, lengths: Tensor) -> tuple[Tensor, Any]:
    """Run a torch.nn layer (batch first) over packed sequences."""
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    output, state = library(packed, state)
    return pad_packed_sequence(output, batch_first=True, total_length=x.shape[1])[0], state


def of_library(layer: Any, library: nn.RNNBase, suffix: str) -> tuple[list[Tensor], list[Tensor]]:
    """Return pairs of parameters, ours and the library's, that do the same: with one bias of its two."""
    cell = layer.cell
    ours = [cell.weight_ih, cell.weight_hh, cell.bias]
    theirs = [getattr(library, f"{name}{suffix}") for name in ("weight_ih", "weight_hh", "bias_ih")]
    return ours, theirs


def against_library(make: Make, kind: Callable[..., nn.RNNBase], parts: int = 1) -> Iterator[Difference]:
    """Compare a layer with torch.nn's."""
    for layer, x, lengths, state in layer_cases(make, parts):
        library = layer.to_library()
        assert isinstance(library, kind)  # type: ignore[arg-type]
        first, theirs = (
            (state, tuple(part[None] for part in state)) if parts > 1 else (state[0], state[0][None])
        )
        output, final = packed_run(library, x, theirs, lengths)
        final = tuple(part[0] for part in final) if parts > 1 else final[0]
        mine, its = of_library(layer, library, "_l0")
        yield compare(layer(x, first, lengths), (output, final), [x, *state, *mine], [x, *state, *its])


def reset_bias() -> Iterator[Difference]:
    """Compare the gradient of b_hn, the one bias that the library's second one does not repeat."""
    for layer, x, lengths, (h,) in layer_cases(GRU):
        library = layer.to_library()
        ours, theirs = layer(x, h, lengths)[0], packed_run(library, x, h[None], lengths)[0]
        weighing = torch.randn_like(ours)
        mine = torch.autograd.grad((weighing * ours).sum(), layer.cell.bias_hn)[0]
        its = torch.autograd.grad((weighing * theirs).sum(), library.bias_hh_l0)[0][-len(mine) :]
        yield distance([ours], [theirs]), distance([mine], [its])


def wrapped(make: Make, layers: Callable[[Any], list[tuple[Any, str]]]) -> Iterator[Difference]:
    """Compare Bidirectional and Stacked with torch.nn's own; `layers` names the parts of both."""
    for network, x, lengths, _ in layer_cases(make):
        library = network.to_library()
        ours, theirs = network(x, None, lengths), packed_run(library, x, None, lengths)
        pairs = [of_library(layer, library, suffix) for layer, suffix in layers(network)]
        mine, its = ([x, *(p for pair in pairs for p in pair[side])] for side in (0, 1))
        finals = [state if isinstance(state, Tensor) else state[0] for _, state in walk(ours[1])]
        h_n = theirs[1] if isinstance(theirs[1], Tensor) else theirs[1][0]
        yield compare((ours[0], torch.stack(finals)), (theirs[0], h_n), mine, its)


def walk(state: Any) -> Iterator[tuple[int, Any]]:
    """Yield the states of single layers in the library's order: layer by layer, ahead before back."""
    if isinstance(state, list) or hasattr(state, "ahead"):
        for part in state:
            yield from walk(part)
    else:
        yield 0, state


def residual() -> Iterator[Difference]:
    """Compare the residual stack with torch.nn's layers, added by hand."""
    for stack, x, lengths, _ in layer_cases(partial(ResidualStack, GRU, num_layers=3)):
        libraries = [layer.to_library() for layer in stack.layers]
        pairs = [of_library(layer, lib, "_l0") for layer, lib in zip(stack.layers, libraries, strict=True)]
        now, finals = x, []
        for number, library in enumerate(libraries):
            output, final = packed_run(library, now, None, lengths)
            now = output if number == 0 else now + output
            finals.append(final[0])
        mine, its = ([x, *(p for pair in pairs for p in pair[side])] for side in (0, 1))
        yield compare(stack(x, None, lengths), (now, finals), mine, its)


def variational(kind: str) -> Iterator[Difference]:
    """Compare dropout in three places with the equations under the same masks."""
    for layer, x, lengths, (h,) in layer_cases(RNN):
        batch, steps, size = x.shape
        dropout = RecurrentDropout(layer, input=0.3, hidden=0.2, output=0.4, kind=kind)
        torch.manual_seed(steps)
        ours = dropout(x, h, lengths)
        torch.manual_seed(steps)
        masks = []
        for width, p in ((size, 0.3), (layer.hidden_size, 0.2), (layer.hidden_size, 0.4)):
            drawn_once = torch.empty(batch, 1 if kind == "variational" else steps, width, dtype=x.dtype)
            masks.append((drawn_once.bernoulli_(1 - p) / (1 - p)).expand(batch, steps, width))
        outputs, finals = [], []
        for number, row in enumerate(rows(x, lengths)):
            now, seen = h[number], []
            for t, x_t in enumerate(row):
                (now,) = rnn_step(layer.cell, x_t * masks[0][number, t], (now * masks[1][number, t],))
                seen.append(now * masks[2][number, t])
            outputs.append(torch.stack(seen))
            finals.append(now)
        yield compare(ours, (padded(outputs), torch.stack(finals)), [x, h, *layer.parameters()])


def numpy_rnn() -> Iterator[Difference]:
    """Compare the layer with the NumPy forward pass of the same module."""
    for layer, x, _, (h,) in layer_cases(RNN):
        x = torch.randn_like(x)
        weights = [p.detach().numpy() for p in (layer.cell.weight_ih, layer.cell.weight_hh, layer.cell.bias)]
        theirs = hidden_states(x.numpy(), *weights, h.detach().numpy())
        yield distance([layer(x, h)[0].detach()], [torch.from_numpy(theirs)]), None


def minimal(kind: type[MinGRU] | type[MinLSTM], scan: str) -> Iterator[Difference]:
    """Compare a scan over all steps with the gates themselves, one sequence and one step at a time."""
    for layer, x, lengths, (h,) in layer_cases(partial(kind, scan=scan)):
        outputs, finals = [], []
        for number, row in enumerate(rows(x, lengths)):
            now, seen = h[number], []
            for x_t in row:
                *gates, v = (layer.weight_ih @ x_t + layer.bias).chunk(2 if kind is MinGRU else 3)
                opened = torch.sigmoid(torch.stack(gates))
                keep = 1 - opened[0] if kind is MinGRU else opened[0] / opened.sum(0)
                now = keep * now + (1 - keep) * torch.where(v >= 0, v + 0.5, torch.sigmoid(v))
                seen.append(now)
            outputs.append(torch.stack(seen))
            finals.append(now)
        theirs = (padded(outputs), torch.stack(finals))
        yield compare(layer(x, h, lengths), theirs, [x, h, *layer.parameters()])


def families() -> dict[tuple[str, str], Callable[[], Iterator[Difference]]]:
    """Return the comparisons of this file by (family, reference)."""
    equations, loop = "its equations, step by step", "its own loop, autograd"
    ahead_and_back = lambda net: [(net.ahead, "_l0"), (net.back, "_l0_reverse")]
    floors = lambda net: [(layer, f"_l{k}") for k, layer in enumerate(net.layers)]
    both = lambda net: [
        pair
        for k, layer in enumerate(net.layers)
        for pair in ((layer.ahead, f"_l{k}"), (layer.back, f"_l{k}_reverse"))
    ]
    return {
        ("RNN, tanh", "nn.RNN, packed"): partial(against_library, RNN, nn.RNN),
        ("RNN, tanh", "NumPy loop"): numpy_rnn,
        ("RNN, relu", "nn.RNN, packed"): partial(against_library, partial(RNN, activation="relu"), nn.RNN),
        ("RNN, sigmoid", equations): partial(against_equations, partial(RNN, activation="sigmoid"), rnn_step),
        ("RNN, layer norm", equations): partial(against_equations, partial(RNN, layer_norm=True), rnn_step),
        ("LSTM", "nn.LSTM, packed"): partial(against_library, LSTM, nn.LSTM, 2),
        ("LSTM, forget clamped", loop): partial(against_loop, partial(LSTM, clamp={"forget": 0.7}), 2),
        ("GRU, reset after", "nn.GRU, packed"): partial(against_library, GRU, nn.GRU),
        ("GRU, reset after, b_hn", "nn.GRU, packed"): reset_bias,
        ("GRU, reset before", equations): partial(against_equations, partial(GRU, reset="before"), gru_step),
        ("GRU, reset clamped", loop): partial(against_loop, partial(GRU, clamp={"reset": 0.7})),
        ("peephole LSTM", equations): partial(against_equations, PeepholeLSTM, peephole_step, 2),
        ("peephole, output clamped", loop): partial(
            against_loop, partial(PeepholeLSTM, clamp={"output": 0.7}), 2
        ),
        ("MGU", equations): partial(against_equations, MGU, mgu_step),
        ("MGU, forget clamped", loop): partial(against_loop, partial(MGU, clamp={"forget": 0.7})),
        ("bidirectional LSTM", "nn.LSTM(bidirectional)"): partial(
            wrapped, partial(Bidirectional, LSTM), ahead_and_back
        ),
        ("stacked GRU, 3 layers", "nn.GRU(num_layers=3)"): partial(
            wrapped, partial(Stacked, GRU, num_layers=3), floors
        ),
        ("stacked bidirectional LSTM", "nn.LSTM, both options"): partial(
            wrapped, partial(Stacked, partial(Bidirectional, LSTM), num_layers=2), both
        ),
        ("residual stack, GRU", "nn.GRU layers, added"): residual,
        ("dropout, variational", "equations, same masks"): partial(variational, "variational"),
        ("dropout, standard", "equations, same masks"): partial(variational, "standard"),
        ("minGRU, log scan", equations): partial(minimal, MinGRU, "log"),
        ("minGRU, doubling scan", equations): partial(minimal, MinGRU, "doubling"),
        ("minGRU, sequential", equations): partial(minimal, MinGRU, "sequential"),
        ("minLSTM, log scan", equations): partial(minimal, MinLSTM, "log"),
        ("minLSTM, doubling scan", equations): partial(minimal, MinLSTM, "doubling"),
        ("minLSTM, sequential", equations): partial(minimal, MinLSTM, "sequential"),
    }
