"""The long short-term memory network (Hochreiter & Schmidhuber, 1997, "Long short-term memory", Neural
Computation 9), with the forget gate of Gers, Schmidhuber & Cummins (2000, "Learning to forget", Neural Computation 12).

    i, f, o = σ(W_i x_t + U_i h_{t-1} + b_i), the same with f, the same with o     input, forget, output gate
    g_t = tanh(W_g x_t + U_g h_{t-1} + b_g)                                        candidate
    c_t = f_t ∘ c_{t-1} + i_t ∘ g_t
    h_t = o_t ∘ tanh(c_t)

The blocks of a weight matrix stand in PyTorch's order: i, f, g, o. One bias (4H,) where `torch.nn.LSTM` keeps
two that are only ever added.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from course_utils.models.checks import require
from course_utils.models.exchange import copy_out, load_into
from course_utils.models.recurrence import Cell, Recurrent
from course_utils.models.stepping import Kept, States, Steps, before, product_adder

sigmoid_backward, tanh_backward = torch.ops.aten.sigmoid_backward, torch.ops.aten.tanh_backward
ROWS_AT_ONCE = 1024  # B times the steps that go back together: their slopes fit a cache of a few megabytes


class LSTMCell(Cell):
    """One step: (h, c) to the next (h, c), each (B, H).

    Args:
        input_size: I, at least 1.
        hidden_size: H, at least 1.
        forget_bias: what the forget gate's bias begins with; 1 keeps memories at first (Jozefowicz, Zaremba &
            Sutskever, 2015).
        clamp: constants for gates, such as {"forget": 1.0}; names: "input", "forget", "output". A clamped
            gate is exactly that at every step, and its weights get zero gradients.

    Parameters: `weight_ih` (4H, I), `weight_hh` (4H, H), `bias` (4H,); see `Cell` for how they begin.

    Raises:
        ValueError: a size below 1, or clamp names another gate.
    """

    blocks = ("input", "forget", "candidate", "output")
    gate_names = ("input", "forget", "output")
    state_names = ("h", "c")

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        forget_bias: float = 1.0,
        clamp: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, clamp)
        self.forget_bias = forget_bias
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights anew from torch's global generator; see `Cell`."""
        super().reset_parameters()
        nn.init.constant_(self.bias.chunk(4)[1], self.forget_bias)

    def advance(self, projected: Tensor, state: States) -> tuple[States, dict[str, Tensor]]:
        """Return (h_t, c_t) and the gates, from W_ih x_t + b (B, 4H) and (h_{t-1}, c_{t-1})."""
        h, c = state
        i, f, g, o = torch.addmm(projected, h, self.weight_hh.T).chunk(4, dim=1)  # each (B, H)
        i, f, g, o = self.gate("input", i), self.gate("forget", f), torch.tanh(g), self.gate("output", o)
        c = f * c + i * g
        h = o * torch.tanh(c)
        return (h, c), {"input": i, "forget": f, "candidate": g, "output": o}


class LSTM(Recurrent):
    """The cell applied to every step of a batch of sequences. Arguments as for `LSTMCell`; state is (h, c)."""

    cell: LSTMCell

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        forget_bias: float = 1.0,
        clamp: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(LSTMCell(input_size, hidden_size, forget_bias=forget_bias, clamp=clamp))

    @torch.no_grad()
    def load_library(self, layer: nn.LSTM) -> LSTM:
        """Copy the weights of a one-layer, one-direction `torch.nn.LSTM`, adding its two biases; return self.

        Raises:
            ValueError: another kind of layer, more layers or directions, a projection, or other sizes.
        """
        biases = load_into(self.cell, layer, nn.LSTM)
        self.cell.bias.copy_(biases["bias_ih"] + biases["bias_hh"])
        return self

    def to_library(self) -> nn.LSTM:
        """Return a `torch.nn.LSTM` (batch first) that computes the same.

        Raises:
            ValueError: a gate is clamped, which the library cannot do.
        """
        require(not self.cell.clamp, f"torch.nn.LSTM has no clamped gates; here {list(self.cell.clamp)} are")
        return copy_out(self.cell, nn.LSTM(self.input_size, self.hidden_size, batch_first=True))

    def scaled(self, weight: Tensor) -> Tensor:
        """See `Recurrent.scaled`: the candidate's block times -2."""
        return scale_candidate(weight)

    def ahead(
        self, steps: Steps, totals: Tensor, states: States, weights: tuple[Tensor, ...], keep: bool
    ) -> tuple[Tensor, States, Kept]:
        """See `Recurrent.ahead`. Kept for the way back: i, f, (1 - g) / 2, o (T, B, 4H) and cells (T, B, H)."""
        hidden = steps.blank(totals[..., : self.hidden_size])  # (T, B, H)
        cells = steps.blank(hidden) if keep else totals.new_empty(hidden.shape[1:]).expand_as(hidden)
        add_product_ = product_adder(self.scaled(weights[0]).T, totals.shape[1])
        minus_two = totals.new_tensor(-2)  # a plain number would be made a tensor at every step
        h_rows, c_rows = steps.rows(hidden), steps.rows(cells)
        blocks = [steps.rows(block) for block in totals.chunk(4, dim=2)]
        clamped = [(blocks[self.cell.blocks.index(name)], value) for name, value in self.cell.clamp.items()]
        for t, (total, i, f, g, o, h_before, c_before, h, c, s) in enumerate(
            zip(
                steps.rows(totals),
                *blocks,
                steps.earlier(states[0], h_rows),
                steps.earlier(states[1], c_rows),
                h_rows,
                c_rows,
                steps.rows_of_one(torch.empty_like(hidden[0])),
                strict=True,
            )
        ):
            add_product_(total, h_before).sigmoid_()
            for gate, value in clamped:
                gate[t].fill_(value)
            # c = i (1 - 2g) + f c, then h = o (1 - 2s) with s = σ(-2c)
            torch.addcmul(torch.addcmul(i, i, g, value=-2, out=s), f, c_before, out=c)
            torch.mul(c, minus_two, out=s).sigmoid_()
            torch.addcmul(o, o, s, value=-2, out=h)
        return hidden, (steps.final(hidden), steps.final(cells)), (totals, cells)

    def back_by_parts(
        self,
        steps: Steps,
        d_hidden: Tensor,
        d_states: list[Tensor],
        states: States,
        weights: tuple[Tensor, ...],
        hidden: Tensor,
        kept: Kept,
        give: Callable[..., None],
    ) -> tuple[list[Tensor], list[Tensor]]:
        """See `Recurrent.back_by_parts`."""
        gates, cells = kept

        def prepare(part: slice, slopes: Tensor, through: Tensor) -> Tensor:
            fill_slopes(self.cell, gates[part], cells[part], before(states[1], cells, part), slopes, through)
            return gates[part].chunk(4, dim=2)[1]

        def take(part: slice, d_totals: Tensor) -> None:
            give(part, d_totals, before(states[0], hidden, part))

        loop_back(steps, weights[0], d_hidden, d_states, prepare, take)
        return d_states, []


def fill_slopes(
    cell: Cell, gates: Tensor, cells: Tensor, c_before: Tensor, slopes: Tensor, through: Tensor
) -> None:
    """Write how h_t and c_t answer to the totals of their own step, for t of some steps.

    Args:
        cell: says which gates are clamped: those answer to nothing.
        gates: i, f, (1 - g) / 2 and o, (steps, B, 4H).
        cells, c_before: c_t and c_{t-1}, (steps, B, H).
        slopes: (steps, B, 4H), gets ∂c_t/∂ the totals of i, f and g, and ∂h_t/∂ the total of o.
        through: (steps, B, H), gets ∂h_t/∂c_t with o held fixed.
    """
    one, minus_two, four = gates.new_tensor([1, -2, 4]).unbind()
    i, _, half, o = gates.chunk(4, dim=2)
    d_i, d_f, d_g, d_o = slopes.chunk(4, dim=2)
    # First what each sigmoid's own slope is multiplied by: g, c_{t-1}, 4i (for g = 1 - 2σ(-2a)) and tanh(c).
    torch.sub(one, half, alpha=2, out=d_i)
    d_f.copy_(c_before)
    torch.mul(i, four, out=d_g)
    torch.mul(cells, minus_two, out=through).sigmoid_()
    torch.sub(one, through, alpha=2, out=d_o)
    tanh_backward(o, d_o, grad_input=through)
    sigmoid_backward(slopes, gates, grad_input=slopes)
    for name in cell.clamp:
        slopes.chunk(4, dim=2)[cell.blocks.index(name)].zero_()


def loop_back(
    steps: Steps,
    weight_hh: Tensor,
    d_hidden: Tensor,
    d_states: list[Tensor],
    prepare: Callable[[slice, Tensor, Tensor], Tensor],
    take: Callable[[slice, Tensor], None],
) -> None:
    """Run back some steps at a time, about `ROWS_AT_ONCE` rows, and turn d_states into the gradients of h_0 and c_0, in place.

    The few steps share their buffers with those before them, which so stay in the processor's cache.

    Args:
        weight_hh: (4H, H).
        d_hidden: gradient of each h_t from outside, (T, B, H); those from later steps are added here.
        prepare: fills slopes and ∂h_t/∂c_t for a slice of steps, as `fill_slopes`; returns ∂c_t/∂c_{t-1}.
        take: gets the gradients of the totals of such a slice, (steps, B, 4H), zero in padding.
    """
    d_h_0, d_c = d_states
    count, batch = len(steps.running), d_hidden.shape[1]
    add_product_ = product_adder(weight_hh, batch)
    at_once = math.ceil(count / math.ceil(count * batch / ROWS_AT_ONCE))  # parts of equal length
    all_slopes = d_hidden.new_empty(at_once, batch, len(weight_hh))
    all_through = torch.empty_like(d_hidden[:at_once])
    d_h_rows = steps.rows(d_hidden)
    outside = list(zip(d_h_rows, steps.earlier(d_h_0, d_h_rows), strict=True))
    for start in reversed(range(0, count, at_once)):
        part = slice(start, min(start + at_once, count))
        slopes, through = (buffer[: part.stop - start] for buffer in (all_slopes, all_through))
        carried = prepare(part, slopes, through)
        here, blocks = steps.part(part), slopes.unflatten(2, (4, -1))
        inside = (slopes, blocks[:, :, :3], blocks[:, :, 3], through, carried)
        views = zip(
            *(here.rows(buffer) for buffer in inside),
            here.rows_of_one(d_c),
            here.rows_of_one(d_c[:, None]),
            outside[part],
            strict=True,
        )
        for d_total, d_write, d_o, to_c, keep, d_c_t, d_c_wide, (d_h, d_h_before) in reversed(list(views)):
            d_c_t.addcmul_(d_h, to_c)
            d_o.mul_(d_h)
            d_write.mul_(d_c_wide)  # the totals of i, f and g, which write c: (running, 3, H)
            d_c_t.mul_(keep)
            add_product_(d_h_before, d_total)
        take(part, here.clear_padding_(slopes))


def scale_candidate(weight: Tensor) -> Tensor:
    """Return a copy of weight_ih, weight_hh or bias, (4H, …), with the candidate's block times -2.

    One sigmoid can then squash all four blocks of a step, since tanh a = 1 - 2σ(-2a), and costs several times
    less than a tanh. With the minus sign, i ∘ tanh a = i - 2 i ∘ σ(-2a) is a single `addcmul`.
    """
    scaled = weight.clone()
    scaled.chunk(4)[2].mul_(-2)
    return scaled
