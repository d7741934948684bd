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

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from course_utils.models.recurrence import Cell, Recurrent, copy_out, load_into, require
from course_utils.models.stepping import Kept, States, Steps, add_product_, before, recurrent_gradient

sigmoid_backward, tanh_backward = torch.ops.aten.sigmoid_backward, torch.ops.aten.tanh_backward
AT_ONCE = 8  # steps whose slopes are prepared together on the way back


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

    def ahead(
        self, steps: Steps, totals: Tensor, states: States, weights: tuple[Tensor, ...], keep: bool
    ) -> tuple[Tensor, States, Kept]:
        """See `Recurrent.ahead`. Kept for the way back: gates (T, B, 4H), cells and tanh(cells) (T, B, H)."""
        hidden = totals.new_zeros(*totals.shape[:2], self.hidden_size)  # (T, B, H)
        cells, squashed = (per_step(hidden, keep) for _ in range(2))
        weight_hh = double_candidate_(weights[0].clone(), totals).T
        i, f, g, o = (steps.rows(block) for block in totals.chunk(4, dim=2))
        clamped = [
            ((i, f, g, o)[self.cell.blocks.index(name)], value) for name, value in self.cell.clamp.items()
        ]
        for t, (total, h_before, c_before, h, c, s) in enumerate(
            zip(
                steps.rows(totals),
                steps.rows_before(states[0], hidden),
                steps.rows_before(states[1], cells),
                *(steps.rows(buffer) for buffer in (hidden, cells, squashed)),
                strict=True,
            )
        ):
            add_product_(total, h_before, weight_hh).sigmoid_()
            for gate, value in clamped:
                gate[t].fill_(value)
            # c = f c + i g, with g = 2σ - 1
            torch.mul(f[t], c_before, out=c).sub_(i[t]).addcmul_(i[t], g[t], value=2)
            torch.mul(torch.tanh(c, out=s), o[t], out=h)
        totals.chunk(4, dim=2)[2].mul_(2).sub_(1)  # now g itself
        return hidden, (steps.final(hidden), steps.final(cells)), (totals, cells, squashed)

    def back(
        self,
        steps: Steps,
        d_hidden: Tensor,
        d_states: list[Tensor],
        states: States,
        weights: tuple[Tensor, ...],
        hidden: Tensor,
        kept: Kept,
    ) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """See `Recurrent.back`."""
        gates, cells, squashed = kept
        slopes, through = torch.empty_like(gates), torch.empty_like(cells)
        forget = gates.chunk(4, dim=2)[1]

        def prepare(part: slice) -> None:
            fill_slopes(self.cell, gates, cells, squashed, states[1], slopes, through, part)

        loop_back(steps, slopes, through, forget, weights[0], d_hidden, d_states, prepare)
        return slopes, d_states, [recurrent_gradient(slopes, states[0], hidden)]


def fill_slopes(
    cell: Cell,
    gates: Tensor,
    cells: Tensor,
    squashed: Tensor,
    c_0: Tensor,
    slopes: Tensor,
    through: Tensor,
    part: slice,
) -> None:
    """Write how h_t and c_t answer to the totals of their own step, for the steps of `part`.

    Args:
        cell: says which gates are clamped: those answer to nothing.
        gates: i, f, g, o, (T, B, 4H).
        cells, squashed: c_t and tanh(c_t), (T, B, H).
        c_0: (B, H).
        slopes: (T, B, 4H), gets ∂c_t/∂ the totals of i, f and g, and ∂h_t/∂ the total of o.
        through: (T, B, H), gets ∂h_t/∂c_t with o held fixed.
        part: slice(first, last).
    """
    i, f, g, o = gates[part].chunk(4, dim=2)
    d_i, d_f, d_g, d_o = slopes[part].chunk(4, dim=2)
    sigmoid_backward(g, i, grad_input=d_i)  # g · i (1 - i)
    sigmoid_backward(cells_before(c_0, cells, part), f, grad_input=d_f)
    tanh_backward(i, g, grad_input=d_g)  # i · (1 - g²)
    sigmoid_backward(squashed[part], o, grad_input=d_o)
    for name in cell.clamp:
        slopes[part].chunk(4, dim=2)[cell.blocks.index(name)].zero_()
    tanh_backward(o, squashed[part], grad_input=through[part])


def cells_before(c_0: Tensor, cells: Tensor, part: slice) -> Tensor:
    """Return c_{t-1} for the steps of `part`, (steps, B, H)."""
    if part.start > 0:
        return cells[part.start - 1 : part.stop - 1]
    return before(c_0, cells[part])


def loop_back(
    steps: Steps,
    slopes: Tensor,
    through: Tensor,
    carried: Tensor,
    weight_hh: Tensor,
    d_hidden: Tensor,
    d_states: list[Tensor],
    prepare: Callable[[slice], None],
) -> None:
    """Turn slopes (T, B, 4H) into the gradients of the totals and d_states into those of h_0 and c_0, in place.

    Args:
        through: ∂h_t/∂c_t, (T, B, H).
        carried: ∂c_t/∂c_{t-1}, (T, B, H).
        d_hidden: gradient of each h_t from outside, (T, B, H); those from later steps are added here.
        prepare: fills slopes, through and carried for a slice of steps, just before the loop comes there:
            a few steps at a time stay in the processor's cache.
    """
    d_h_0, d_c = d_states
    writers = slopes.view(*slopes.shape[:2], 4, -1)[:, :, :3]  # the totals of i, f and g, which write c
    parts = (slopes, writers, slopes.chunk(4, dim=2)[3], through, carried, d_hidden)
    for t, d_total, d_write, d_o, to_c, keep, d_h, d_h_before, d_c_t in zip(
        reversed(range(len(steps.running))),
        *(reversed(steps.rows(part)) for part in parts),
        reversed(steps.rows_before(d_h_0, d_hidden)),
        reversed(steps.rows_of_one(d_c)),
        strict=True,
    ):
        if t == len(steps.running) - 1 or t % AT_ONCE == AT_ONCE - 1:
            prepare(slice(t - t % AT_ONCE, t + 1))
        d_c_t.addcmul_(d_h, to_c)
        d_o.mul_(d_h)
        d_write.mul_(d_c_t[:, None])  # (running, 3, H)
        d_c_t.mul_(keep)
        add_product_(d_h_before, d_total, weight_hh)
    steps.clear_padding_(slopes)


def per_step(like: Tensor, keep: bool) -> Tensor:
    """Return a buffer of zeros (T, B, H), or one step's that all T share when nothing is kept."""
    return torch.zeros_like(like) if keep else torch.zeros_like(like[:1]).expand_as(like)


def double_candidate_(weight_hh: Tensor, totals: Tensor) -> Tensor:
    """Double the candidate's block in both, in place, and return weight_hh (4H, H).

    One sigmoid can then squash all four blocks of a step, since tanh a = 2σ(2a) - 1, and costs several times
    less than a tanh.
    """
    totals.chunk(4, dim=2)[2].mul_(2)
    weight_hh.chunk(4)[2].mul_(2)
    return weight_hh
