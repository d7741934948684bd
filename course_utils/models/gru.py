"""The gated recurrent unit (Cho et al., 2014, "Learning phrase representations using RNN encoder-decoder for
statistical machine translation", EMNLP), with both published places of the reset gate.

    r_t = σ(W_r x_t + U_r h_{t-1} + b_r)                          reset
    z_t = σ(W_z x_t + U_z h_{t-1} + b_z)                          update
    n_t = tanh(W_n x_t + b_n + U_n (r_t ∘ h_{t-1}))               reset="before" the product, as in the paper
    n_t = tanh(W_n x_t + b_n + r_t ∘ (U_n h_{t-1} + b_hn))        reset="after" it, as in torch.nn.GRU and cuDNN
    h_t = (1 - z_t) ∘ n_t + z_t ∘ h_{t-1}

The blocks of a weight matrix stand in PyTorch's order: r, z, n. One bias (3H,) where `torch.nn.GRU` keeps two;
only b_hn, which the reset gate multiplies, says something of its own, so reset="after" has it.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from course_utils.models.checks import require
from course_utils.models.exchange import copy_out, load_into
from course_utils.models.recurrence import Cell, Recurrent
from course_utils.models.stepping import Kept, States, Steps, add_product_, before, product, weight_gradient

sigmoid_backward, tanh_backward = torch.ops.aten.sigmoid_backward, torch.ops.aten.tanh_backward


class GRUCell(Cell):
    """One step: h to the next h, each (B, H).

    Args:
        input_size: I, at least 1.
        hidden_size: H, at least 1.
        reset: "after" or "before": where the reset gate stands; see the equations above.
        clamp: constants for gates, such as {"reset": 1.0}; names: "reset", "update". A clamped gate is
            exactly that at every step, and its weights get zero gradients.

    Parameters: `weight_ih` (3H, I), `weight_hh` (3H, H), `bias` (3H,), and with reset="after" `bias_hn` (H,);
    see `Cell` for how they begin, and b_hn at zero.

    Raises:
        ValueError: a size below 1, another reset, or clamp names another gate.
    """

    blocks = ("reset", "update", "candidate")
    gate_names = ("reset", "update")

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        reset: str = "after",
        clamp: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, clamp)
        require(reset in ("before", "after"), f"reset must be 'before' or 'after', got {reset!r}")
        self.reset = reset
        self.bias_hn = nn.Parameter(torch.empty(hidden_size)) if reset == "after" else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights anew from torch's global generator; see `Cell`."""
        super().reset_parameters()
        if self.bias_hn is not None:
            nn.init.zeros_(self.bias_hn)

    def recurrent_weights(self) -> tuple[Tensor, ...]:
        """Return weight_hh, and bias_hn where there is one."""
        return (self.weight_hh,) if self.bias_hn is None else (self.weight_hh, self.bias_hn)

    def advance(self, projected: Tensor, state: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return h_t (B, H) and the gates, from W_ih x_t + b (B, 3H) and h_{t-1} (B, H)."""
        h, (x_r, x_z, x_n) = state, projected.chunk(3, dim=1)  # each (B, H)
        u_r, u_z, u_n = self.weight_hh.chunk(3)  # each (H, H)
        r = self.gate("reset", torch.addmm(x_r, h, u_r.T))
        z = self.gate("update", torch.addmm(x_z, h, u_z.T))
        if self.bias_hn is None:
            n = torch.tanh(torch.addmm(x_n, r * h, u_n.T))
        else:
            n = torch.tanh(x_n + r * torch.addmm(self.bias_hn, h, u_n.T))
        h = (1 - z) * n + z * h
        return h, {"reset": r, "update": z, "candidate": n}


class GRU(Recurrent):
    """The cell applied to every step of a batch of sequences. Arguments as for `GRUCell`; state is h."""

    cell: GRUCell

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        reset: str = "after",
        clamp: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(GRUCell(input_size, hidden_size, reset=reset, clamp=clamp))

    @torch.no_grad()
    def load_library(self, layer: nn.GRU) -> GRU:
        """Copy the weights of a one-layer, one-direction `torch.nn.GRU`; return self.

        Raises:
            ValueError: reset="before", or a layer of another kind, more layers or directions, or other sizes.
        """
        cell = self.cell
        require(
            cell.bias_hn is not None, "torch.nn.GRU resets after the product; this GRU has reset='before'"
        )
        biases = load_into(cell, layer, nn.GRU)
        assert cell.bias_hn is not None
        b_hr_and_hz, b_hn = biases["bias_hh"].split([2 * self.hidden_size, self.hidden_size])
        cell.bias.copy_(biases["bias_ih"])
        cell.bias[: 2 * self.hidden_size] += b_hr_and_hz
        cell.bias_hn.copy_(b_hn)
        return self

    @torch.no_grad()
    def to_library(self) -> nn.GRU:
        """Return a `torch.nn.GRU` (batch first) that computes the same.

        Raises:
            ValueError: reset="before" or a clamped gate, which the library does not have.
        """
        bias_hn, clamp = self.cell.bias_hn, self.cell.clamp
        require(not clamp, f"torch.nn.GRU has no clamped gates; here {list(clamp)} are")
        require(bias_hn is not None, "torch.nn.GRU resets after the product; this GRU has reset='before'")
        layer = copy_out(self.cell, nn.GRU(self.input_size, self.hidden_size, batch_first=True))
        layer.bias_hh_l0[-self.hidden_size :] = bias_hn
        return layer

    def ahead(
        self, steps: Steps, totals: Tensor, states: States, weights: tuple[Tensor, ...], keep: bool
    ) -> tuple[Tensor, States, Kept]:
        """See `Recurrent.ahead`. Kept: gates (T, B, 3H); with reset="after" also U_n h + b_hn (T, B, H)."""
        size, after = self.hidden_size, self.cell.reset == "after"
        u_gates, u_n = (block.T for block in weights[0].split([2 * size, size]))
        hidden = totals.new_zeros(*totals.shape[:2], size)  # (T, B, H)
        # After: U_n h + b_hn of every step, for the way back. Before: r ∘ h, one step at a time.
        inner = torch.empty_like(hidden).copy_(weights[1]) if after else torch.empty_like(hidden[0])
        clamped = [(self.cell.blocks.index(name), value) for name, value in self.cell.clamp.items()]
        blocks = [steps.rows(block) for block in totals.chunk(3, dim=2)]
        for t, (gates, h_before, h, s) in enumerate(
            zip(
                steps.rows(totals[..., : 2 * size]),
                steps.rows_before(states[0], hidden),
                steps.rows(hidden),
                steps.rows(inner) if after else steps.rows_of_one(inner),
                strict=True,
            )
        ):
            r, z, n = (block[t] for block in blocks)
            add_product_(gates, h_before, u_gates).sigmoid_()
            for block, value in clamped:
                blocks[block][t].fill_(value)
            if after:
                n.addcmul_(r, add_product_(s, h_before, u_n))
            else:
                add_product_(n, torch.mul(r, h_before, out=s), u_n)
            torch.lerp(n.tanh_(), h_before, z, out=h)
        return hidden, (steps.final(hidden),), (totals, inner) if after else (totals,)

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
        """See `Recurrent.back`. The slopes stand in the order of the blocks, a fourth for U_n h after n."""
        h_before, after = before(states[0], hidden), self.cell.reset == "after"
        r, z, n = kept[0].chunk(3, dim=2)
        slopes = kept[0].new_empty(*hidden.shape[:2], 4 if after else 3, self.hidden_size)
        d_r, d_z, d_n = slopes[:, :, :3].unbind(2)
        tanh_backward(1 - z, n, grad_input=d_n)  # (1 - z)(1 - n²)
        sigmoid_backward(h_before - n, z, grad_input=d_z)  # (h - n) z (1 - z)
        if after:
            sigmoid_backward(d_n * kept[1], r, grad_input=d_r)
            torch.mul(d_n, r, out=slopes[:, :, 3])
        else:
            sigmoid_backward(h_before, r, grad_input=d_r)  # what d(r ∘ h) will multiply
        for name in self.cell.clamp:
            slopes[:, :, self.cell.blocks.index(name)] = 0
        loop = _loop_back_after if after else _loop_back_before
        loop(steps, slopes, r, z, weights[0], d_hidden, d_states[0])
        slopes = steps.clear_padding_(slopes.flatten(2))  # (T, B, 3H or 4H)
        d_totals, d_gates = slopes[..., : 3 * self.hidden_size], slopes[..., : 2 * self.hidden_size]
        d_inner = slopes[..., -self.hidden_size :]  # of what U_n's product gives
        d_hh = [
            weight_gradient(d_gates, h_before),
            weight_gradient(d_inner, h_before if after else r * h_before),
        ]
        return d_totals, d_states, [torch.cat(d_hh), *([d_inner.sum((0, 1))] if after else [])]


def _loop_back_after(
    steps: Steps, slopes: Tensor, r: Tensor, z: Tensor, weight_hh: Tensor, d_hidden: Tensor, d_h_0: Tensor
) -> None:
    """Turn slopes (T, B, 4, H) of r, z, n, U_n h into the gradients of the totals, and d_h_0 into that of h_0."""
    u_gates, u_n = weight_hh.split([2 * z.shape[2], z.shape[2]])
    for d_all, d_gates, d_inner, keep, d_h, d_h_before in zip(
        *(
            reversed(steps.rows(part))
            for part in (slopes, slopes[:, :, :2].flatten(2), slopes[:, :, 3], z, d_hidden)
        ),
        reversed(steps.rows_before(d_h_0, d_hidden)),
        strict=True,
    ):
        d_all.mul_(d_h[:, None])  # (running, 4, H)
        d_h_before.addcmul_(d_h, keep)
        add_product_(d_h_before, d_gates, u_gates)
        add_product_(d_h_before, d_inner, u_n)


def _loop_back_before(
    steps: Steps, slopes: Tensor, r: Tensor, z: Tensor, weight_hh: Tensor, d_hidden: Tensor, d_h_0: Tensor
) -> None:
    """Turn slopes (T, B, 3, H) of r, z, n into the gradients of the totals, and d_h_0 into that of h_0."""
    u_gates, u_n = weight_hh.split([2 * z.shape[2], z.shape[2]])
    for d_z_and_n, d_gates, d_r, d_n, reset, keep, d_h, d_h_before in zip(
        *(
            reversed(steps.rows(part))
            for part in (
                slopes[:, :, 1:],
                slopes[:, :, :2].flatten(2),
                *slopes.unbind(2)[::2],
                r,
                z,
                d_hidden,
            )
        ),
        reversed(steps.rows_before(d_h_0, d_hidden)),
        strict=True,
    ):
        d_z_and_n.mul_(d_h[:, None])  # (running, 2, H)
        d_inner = product(d_n, u_n)  # gradient of r ∘ h
        d_r.mul_(d_inner)
        d_h_before.addcmul_(d_h, keep).addcmul_(d_inner, reset)
        add_product_(d_h_before, d_gates, u_gates)
