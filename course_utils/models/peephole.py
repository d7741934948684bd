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

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from course_utils.models.lstm import LSTMCell, double_candidate_, fill_slopes, loop_back, per_step
from course_utils.models.recurrence import Recurrent
from course_utils.models.stepping import Kept, States, Steps, add_product_, before, recurrent_gradient


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

    def ahead(
        self, steps: Steps, totals: Tensor, states: States, weights: tuple[Tensor, ...], keep: bool
    ) -> tuple[Tensor, States, Kept]:
        """See `Recurrent.ahead`. Kept for the way back: gates (T, B, 4H), cells and tanh(cells) (T, B, H)."""
        hidden = totals.new_zeros(*totals.shape[:2], self.hidden_size)  # (T, B, H)
        cells, squashed = (per_step(hidden, keep) for _ in range(2))
        weight_hh, (p_i_and_f, p_o) = (
            double_candidate_(weights[0].clone(), totals).T,
            weights[1].split([2, 1]),
        )
        blocks = dict(zip(self.cell.blocks, (steps.rows(b) for b in totals.chunk(4, dim=2)), strict=True))
        i, f, g, o = blocks.values()
        i_and_f = steps.rows(totals.view(*totals.shape[:2], 4, -1)[:, :, :2])  # T times (running, 2, H)
        writers = steps.rows(totals[..., : 3 * self.hidden_size])  # i, f and g
        for t, (total, h_before, c_before, h, c, s) in enumerate(
            zip(
                steps.rows(totals),
                steps.rows_before(states[0], hidden),
                steps.rows_before(states[1], cells),
                *(steps.rows(buffer) for buffer in (hidden, cells, squashed)),
                strict=True,
            )
        ):
            add_product_(total, h_before, weight_hh)
            i_and_f[t].addcmul_(c_before[:, None], p_i_and_f)
            writers[t].sigmoid_()
            for name in self.cell.clamp.keys() - {"output"}:
                blocks[name][t].fill_(self.cell.clamp[name])
            # c = f c + i g, with g = 2σ - 1
            torch.mul(f[t], c_before, out=c).sub_(i[t]).addcmul_(i[t], g[t], value=2)
            o[t].addcmul_(c, p_o).sigmoid_()
            if "output" in self.cell.clamp:
                o[t].fill_(self.cell.clamp["output"])
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
        """See `Recurrent.back`. The peepholes are three more ways for a gradient to reach a cell."""
        gates, cells, squashed = kept
        p_i, p_f, p_o = weights[1]
        slopes, through, carried = torch.empty_like(gates), torch.empty_like(cells), torch.empty_like(cells)
        forget, (d_i, d_f, _, d_o) = gates.chunk(4, dim=2)[1], slopes.chunk(4, dim=2)

        def prepare(part: slice) -> None:
            fill_slopes(self.cell, gates, cells, squashed, states[1], slopes, through, part)
            through[part].addcmul_(d_o[part], p_o)
            torch.addcmul(forget[part], d_i[part], p_i, out=carried[part]).addcmul_(d_f[part], p_f)

        loop_back(steps, slopes, through, carried, weights[0], d_hidden, d_states, prepare)
        earlier = before(states[1], cells)
        seen = ((d_i, earlier), (d_f, earlier), (d_o, cells))
        d_peephole = torch.stack([(d_gate * c).sum((0, 1)) for d_gate, c in seen])  # (3, H)
        return slopes, d_states, [recurrent_gradient(slopes, states[0], hidden), d_peephole]
