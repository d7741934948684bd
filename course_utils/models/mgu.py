"""The minimal gated unit (Zhou, Wu, Zhang & Zhou, 2016, "Minimal gated unit for recurrent neural networks",
International Journal of Automation and Computing 13): a GRU whose one gate both resets and updates.

    f_t = σ(W_f x_t + U_f h_{t-1} + b_f)                      forget
    n_t = tanh(W_n x_t + U_n (f_t ∘ h_{t-1}) + b_n)           candidate
    h_t = (1 - f_t) ∘ h_{t-1} + f_t ∘ n_t

Two blocks, f and n, where the GRU has three: two thirds of its parameters.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from course_utils.models.recurrence import Cell, Recurrent
from course_utils.models.stepping import Kept, States, Steps, add_product_, before, product, weight_gradient

sigmoid_backward, tanh_backward = torch.ops.aten.sigmoid_backward, torch.ops.aten.tanh_backward


class MGUCell(Cell):
    """One step: h to the next h, each (B, H).

    Args:
        input_size: I, at least 1.
        hidden_size: H, at least 1.
        clamp: {"forget": value} holds the gate at exactly that at every step; its weights get zero gradients.

    Parameters: `weight_ih` (2H, I), `weight_hh` (2H, H), `bias` (2H,); see `Cell` for how they begin.

    Raises:
        ValueError: a size below 1, or clamp names another gate.
    """

    blocks = ("forget", "candidate")
    gate_names = ("forget",)

    def __init__(
        self, input_size: int, hidden_size: int, *, clamp: Mapping[str, float] | None = None
    ) -> None:
        super().__init__(input_size, hidden_size, clamp)
        self.reset_parameters()

    def advance(self, projected: Tensor, state: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return h_t (B, H) and the gate, from W_ih x_t + b (B, 2H) and h_{t-1} (B, H)."""
        h, (x_f, x_n) = state, projected.chunk(2, dim=1)  # each (B, H)
        u_f, u_n = self.weight_hh.chunk(2)  # each (H, H)
        f = self.gate("forget", torch.addmm(x_f, h, u_f.T))
        n = torch.tanh(torch.addmm(x_n, f * h, u_n.T))
        h = (1 - f) * h + f * n
        return h, {"forget": f, "candidate": n}


class MGU(Recurrent):
    """The cell applied to every step of a batch of sequences. Arguments as for `MGUCell`; state is h."""

    cell: MGUCell

    def __init__(
        self, input_size: int, hidden_size: int, *, clamp: Mapping[str, float] | None = None
    ) -> None:
        super().__init__(MGUCell(input_size, hidden_size, clamp=clamp))

    def ahead(
        self, steps: Steps, totals: Tensor, states: States, weights: tuple[Tensor, ...], keep: bool
    ) -> tuple[Tensor, States, Kept]:
        """See `Recurrent.ahead`. Kept for the way back: the gate and the candidate, (T, B, 2H)."""
        u_f, u_n = (block.T for block in weights[0].chunk(2))
        hidden = totals.new_zeros(*totals.shape[:2], self.hidden_size)  # (T, B, H)
        for f, n, h_before, h, open_part in zip(
            *(steps.rows(block) for block in totals.chunk(2, dim=2)),
            steps.rows_before(states[0], hidden),
            steps.rows(hidden),
            steps.rows_of_one(torch.empty_like(hidden[0])),
            strict=True,
        ):
            add_product_(f, h_before, u_f).sigmoid_()
            if self.cell.clamp:
                f.fill_(self.cell.clamp["forget"])
            add_product_(n, torch.mul(f, h_before, out=open_part), u_n).tanh_()
            torch.lerp(h_before, n, f, out=h)
        return hidden, (steps.final(hidden),), (totals,)

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
        """See `Recurrent.back`. The gate acts twice: on h_t, and on what the candidate sees."""
        h_before, (u_f, u_n) = before(states[0], hidden), weights[0].chunk(2)
        f, n = kept[0].chunk(2, dim=2)
        slopes = kept[0].new_empty(*hidden.shape[:2], 2, self.hidden_size)
        d_f, d_n = slopes.unbind(2)
        sigmoid_backward(n - h_before, f, grad_input=d_f)  # ∂h_t/∂ its total, through the last equation
        tanh_backward(f, n, grad_input=d_n)
        opened = sigmoid_backward(h_before, f)  # ∂(f ∘ h)/∂ its total, through the candidate
        if self.cell.clamp:
            d_f.zero_(), opened.zero_()
        for d_both, d_gate, d_total_n, slope, gate, keep, d_h, d_h_before in zip(
            *(reversed(steps.rows(part)) for part in (slopes, d_f, d_n, opened, f, 1 - f, d_hidden)),
            reversed(steps.rows_before(d_states[0], d_hidden)),
            strict=True,
        ):
            d_both.mul_(d_h[:, None])  # (running, 2, H)
            d_open = product(d_total_n, u_n)  # gradient of f ∘ h
            d_gate.addcmul_(d_open, slope)
            d_h_before.addcmul_(d_h, keep).addcmul_(d_open, gate)
            add_product_(d_h_before, d_gate, u_f)
        d_totals = steps.clear_padding_(slopes.flatten(2))  # (T, B, 2H)
        d_hh = [weight_gradient(d_f, h_before), weight_gradient(d_n, f * h_before)]
        return d_totals, d_states, [torch.cat(d_hh)]
