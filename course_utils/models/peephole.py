"""The LSTM whose gates see the cell (Gers & Schmidhuber, 2000, "Recurrent nets that time and count", IJCNN;
here as in Graves, 2013, "Generating sequences with recurrent neural networks", eqs. 7-11).

    i_t = σ(W_i x_t + U_i h_{t-1} + p_i ∘ c_{t-1} + b_i)          f_t the same, with p_f
    c_t = f_t ∘ c_{t-1} + i_t ∘ tanh(W_g x_t + U_g h_{t-1} + b_g)
    o_t = σ(W_o x_t + U_o h_{t-1} + p_o ∘ c_t + b_o)              sees the new cell
    h_t = o_t ∘ tanh(c_t)

A plain LSTM learns of its cell only through h, which a closed output gate hides; the peepholes p look inside,
one weight a unit. With p = 0 this is lstm.py, in the same order of blocks: i, f, g, o.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from course_utils.models.lstm import LSTMCell, fill_slopes, loop_back, scale_candidate
from course_utils.models.recurrence import Recurrent
from course_utils.models.stepping import Kept, States, Steps, before, product_adder


class PeepholeLSTMCell(LSTMCell):
    """One step: (h, c) to the next (h, c), each (B, H). Arguments as for `LSTMCell`.

    Parameters: those of `LSTMCell`, and `peephole` (3, H), the rows p_i, p_f and p_o, which begin at zero.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        forget_bias: float = 1.0,
        clamp: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, forget_bias=forget_bias, clamp=clamp)
        self.peephole = nn.Parameter(torch.zeros(3, hidden_size))

    def reset_parameters(self) -> None:
        """Draw the weights anew from torch's global generator, and close the peepholes."""
        super().reset_parameters()
        if hasattr(self, "peephole"):  # not yet, when LSTMCell's constructor calls
            nn.init.zeros_(self.peephole)

    def recurrent_weights(self) -> tuple[Tensor, ...]:
        """Return weight_hh and peephole."""
        return self.weight_hh, self.peephole

    def advance(self, projected: Tensor, state: States) -> tuple[States, dict[str, Tensor]]:
        """Return (h_t, c_t) and the gates, from W_ih x_t + b (B, 4H) and (h_{t-1}, c_{t-1})."""
        h, c = state
        p_i, p_f, p_o = self.peephole  # each (H,)
        i, f, g, o = torch.addmm(projected, h, self.weight_hh.T).chunk(4, dim=1)  # each (B, H)
        i, f, g = self.gate("input", i + p_i * c), self.gate("forget", f + p_f * c), torch.tanh(g)
        c = f * c + i * g
        o = self.gate("output", o + p_o * c)
        h = o * torch.tanh(c)
        return (h, c), {"input": i, "forget": f, "candidate": g, "output": o}


class PeepholeLSTM(Recurrent):
    """The cell applied to every step of a batch of sequences. Arguments as for `LSTMCell`; state is (h, c)."""

    cell: PeepholeLSTMCell

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        forget_bias: float = 1.0,
        clamp: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(PeepholeLSTMCell(input_size, hidden_size, forget_bias=forget_bias, clamp=clamp))

    def scaled(self, weight: Tensor) -> Tensor:
        """See `Recurrent.scaled`: the candidate's block times -2."""
        return scale_candidate(weight)

    def ahead(
        self, steps: Steps, totals: Tensor, states: States, weights: tuple[Tensor, ...], keep: bool
    ) -> tuple[Tensor, States, Kept]:
        """See `Recurrent.ahead`. Kept for the way back: as for the LSTM."""
        hidden = steps.blank(totals[..., : self.hidden_size])  # (T, B, H)
        cells = steps.blank(hidden) if keep else totals.new_empty(hidden.shape[1:]).expand_as(hidden)
        add_product_ = product_adder(self.scaled(weights[0]).T, totals.shape[1])
        minus_two = totals.new_tensor(-2)  # a plain number would be made a tensor at every step
        p_i, p_f, p_o = weights[1]
        h_rows, c_rows = steps.rows(hidden), steps.rows(cells)
        blocks = [steps.rows(block) for block in totals.chunk(4, dim=2)]
        clamp = {self.cell.blocks.index(name): value for name, value in self.cell.clamp.items()}
        output_clamp = clamp.pop(3, None)
        for t, (total, all_but_o, i, f, g, o, h_before, c_before, h, c, s) in enumerate(
            zip(
                steps.rows(totals),
                steps.rows(totals[..., : 3 * self.hidden_size]),
                *blocks,
                steps.earlier(states[0], h_rows),
                steps.earlier(states[1], c_rows),
                h_rows,
                c_rows,
                steps.rows_of_one(torch.empty_like(hidden[0])),
                strict=True,
            )
        ):
            add_product_(total, h_before)
            i.addcmul_(c_before, p_i)
            f.addcmul_(c_before, p_f)
            all_but_o.sigmoid_()
            for block, value in clamp.items():
                blocks[block][t].fill_(value)
            # c = i (1 - 2g) + f c, then h = o (1 - 2s) with s = σ(-2c)
            torch.addcmul(torch.addcmul(i, i, g, value=-2, out=s), f, c_before, out=c)
            o.addcmul_(c, p_o).sigmoid_()
            if output_clamp is not None:
                o.fill_(output_clamp)
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
        """See `Recurrent.back_by_parts`. The peepholes are three more ways for a gradient to reach a cell."""
        gates, cells = kept
        p_i, p_f, p_o = weights[1]
        d_peephole = torch.zeros_like(weights[1])

        def prepare(part: slice, slopes: Tensor, through: Tensor) -> Tensor:
            fill_slopes(self.cell, gates[part], cells[part], before(states[1], cells, part), slopes, through)
            d_i, d_f, _, d_o = slopes.chunk(4, dim=2)
            through.addcmul_(d_o, p_o)
            return torch.addcmul(gates[part].chunk(4, dim=2)[1], d_i, p_i).addcmul_(d_f, p_f)

        def take(part: slice, d_totals: Tensor) -> None:
            give(part, d_totals, before(states[0], hidden, part))
            d_i, d_f, _, d_o = d_totals.chunk(4, dim=2)
            c_before = before(states[1], cells, part)
            for d_p, d_gate, seen in zip(
                d_peephole, (d_i, d_f, d_o), (c_before, c_before, cells[part]), strict=True
            ):
                d_p += (d_gate * seen).sum((0, 1))

        loop_back(steps, weights[0], d_hidden, d_states, prepare, take)
        return d_states, [d_peephole]
