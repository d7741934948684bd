"""What every recurrent layer here shares: a cell, and the layer that repeats it through time.

A family (rnn, lstm, gru, peephole, mgu) writes its equations once, in its cell's `advance`, one step at a
time. `Recurrent.loop` repeats that step and leaves the gradients to automatic differentiation: this is
back-propagation through time (Werbos, 1990, "Backpropagation through time: what it does and how to do it",
Proceedings of the IEEE 78). `Recurrent.forward` gives the same numbers sooner, with the family's backward pass
written out; stepping.py says how. Tests hold the two equal.

Everything is batch first: B batch, T time, I input, H hidden, G blocks of H rows in a weight matrix (4 in an
LSTM). Time and memory are linear in T.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.models.checks import check_sizes, require
from course_utils.models.sequences import check_lengths, zero_padding
from course_utils.models.stepping import Kept, States, Steps, walk


class Cell(nn.Module):
    """One step of a recurrent network. A family derives from it and writes `advance`.

    Args:
        input_size: I, at least 1.
        hidden_size: H, at least 1.
        clamp: a constant for each gate named, which then is exactly that at every step.

    Parameters: `weight_ih` (G·H, I), `weight_hh` (G·H, H), `bias` (G·H,), one block of H rows for each entry
    of `blocks`. The blocks of weight_ih begin Xavier uniform (Glorot & Bengio, 2010, eq. 16), those of
    weight_hh orthogonal (Saxe, McClelland & Ganguli, 2014), and the bias zero.

    Raises:
        ValueError: a size below 1, or a clamped gate that the cell does not have.
    """

    blocks: ClassVar[tuple[str, ...]] = ("candidate",)  # what each block of H rows computes, in order
    gate_names: ClassVar[tuple[str, ...]] = ()  # those that a sigmoid holds between 0 and 1
    state_names: ClassVar[tuple[str, ...]] = ("h",)

    def __init__(self, input_size: int, hidden_size: int, clamp: Mapping[str, float] | None = None) -> None:
        super().__init__()
        check_sizes(input_size=input_size, hidden_size=hidden_size)
        self.clamp = {name: float(value) for name, value in (clamp or {}).items()}
        unknown = sorted(set(self.clamp) - set(self.gate_names))
        require(not unknown, f"clamp must name gates in {list(self.gate_names)}, got {unknown}")
        self.input_size, self.hidden_size = input_size, hidden_size
        rows = len(self.blocks) * hidden_size
        self.weight_ih = nn.Parameter(torch.empty(rows, input_size))
        self.weight_hh = nn.Parameter(torch.empty(rows, hidden_size))
        self.bias = nn.Parameter(torch.empty(rows))

    def reset_parameters(self) -> None:
        """Draw the weights anew from torch's global generator, as torch.nn does."""
        for block in self.weight_ih.chunk(len(self.blocks)):
            nn.init.xavier_uniform_(block)
        for block in self.weight_hh.chunk(len(self.blocks)):
            nn.init.orthogonal_(block)
        nn.init.zeros_(self.bias)

    def project(self, x: Tensor) -> Tensor:
        """Return W_ih x + b, (..., I) to (..., G·H): the part of a step that does not wait for the state."""
        return F.linear(x, self.weight_ih, self.bias)

    def recurrent_weights(self) -> tuple[Tensor, ...]:
        """Return the parameters that act on the state: weight_hh, and those that the family adds."""
        return (self.weight_hh,)

    def advance(self, projected: Tensor, state: Any) -> tuple[Any, dict[str, Tensor]]:
        """Return the next state and the value of every gate by name, from W_ih x_t + b (B, G·H)."""
        raise NotImplementedError

    def gate(self, name: str, total: Tensor) -> Tensor:
        """Return σ(total), or the constant that the gate is clamped to, (B, H)."""
        return torch.full_like(total, self.clamp[name]) if name in self.clamp else torch.sigmoid(total)

    def step(self, projected: Tensor, state: Any) -> Any:
        """Return the next state, from the projected input (B, G·H) and the state."""
        return self.advance(projected, state)[0]

    def forward(self, x: Tensor, state: Any = None) -> Any:
        """Advance one step.

        Args:
            x: (B, I).
            state: h (B, H), or a tuple of such where the family says so; None for zeros.

        Returns:
            The next state.

        Raises:
            ValueError: x or the state has another shape.
        """
        size = self.input_size
        require(x.dim() == 2 and x.shape[1] == size, f"x must be (B, I={size}), got {tuple(x.shape)}")
        return self.step(self.project(x), self.initial_state(x, state))

    def initial_state(self, x: Tensor, state: Any) -> Any:
        """Return the state after a check of its shape, or zeros (B, H) of x's dtype and device."""
        shape, names = (x.shape[0], self.hidden_size), self.state_names
        if state is None:
            return self.pack(tuple(x.new_zeros(shape) for _ in names))
        expected = "a tensor (B, H)" if len(names) == 1 else f"a tuple ({', '.join(names)})"
        found = isinstance(state, Tensor) if len(names) == 1 else isinstance(state, tuple | list)
        require(found, f"the state must be {expected}, got {type(state).__name__}")
        parts = self.unpack(state)
        require(len(parts) == len(names), f"the state must be {expected}, got {len(parts)} parts")
        for part in parts:
            require(tuple(part.shape) == shape, f"the state must be (B, H)={shape}, got {tuple(part.shape)}")
        return state

    def pack(self, parts: States) -> Any:
        """Return the state as callers see it: one tensor by itself, or a tuple of several."""
        return parts if len(self.state_names) > 1 else parts[0]

    def unpack(self, state: Any) -> States:
        """Return the state as a tuple of tensors (B, H)."""
        return tuple(state) if len(self.state_names) > 1 else (state,)


class Recurrent(nn.Module):
    """A cell applied to every step of a batch of sequences. A family adds `ahead`, and `back` or `back_by_parts`."""

    def __init__(self, cell: Cell) -> None:
        super().__init__()
        self.cell: Any = cell  # the family's own, with attributes that Cell does not have

    @property
    def input_size(self) -> int:
        """I."""
        return self.cell.input_size

    @property
    def hidden_size(self) -> int:
        """H."""
        return self.cell.hidden_size

    def forward(self, x: Tensor, state: Any = None, lengths: Tensor | None = None) -> tuple[Tensor, Any]:
        """Run over all steps.

        The backward pass is written out, so it cannot be differentiated once more; that of `loop` can.

        Args:
            x: (B, T, I), T at least 1.
            state: h_0 (B, H), or a tuple of such where the family says so; None for zeros.
            lengths: (B,) integers, the real steps of each sequence, 1..T; None when all have T. What stands
                after them in x, NaN included, changes nothing.

        Returns:
            output: h_1 … h_T, (B, T, H); zero after a sequence's last step.
            state: the state after each sequence's own last step, shaped like the argument.

        Raises:
            ValueError: x, state or lengths has another shape, or a length is outside 1..T.
        """
        x, state, lengths = self._checked(x, state, lengths)
        output, finals = walk(self, x, self.cell.unpack(state), lengths)
        return output, self.cell.pack(finals)

    def loop(self, x: Tensor, state: Any = None, lengths: Tensor | None = None) -> tuple[Tensor, Any]:
        """Do as `forward` does, one call of the cell after another: slower, and differentiable again and again."""
        output, state, _ = self._loop(x, state, lengths)
        return output, state

    def gates(self, x: Tensor, state: Any = None, lengths: Tensor | None = None) -> dict[str, Tensor]:
        """Return the value of every gate by name, each (B, T, H), zero in padding. Arguments as for `forward`."""
        return self._loop(x, state, lengths)[2]

    def _loop(self, x: Tensor, state: Any, lengths: Tensor | None) -> tuple[Tensor, Any, dict[str, Tensor]]:
        x, state, lengths = self._checked(x, state, lengths)
        cell, outputs, seen = self.cell, [], []
        # unbind keeps the backward pass linear in T: indexing [:, t] would add a zero-filled gradient of the
        # whole sequence at every step.
        for t, projected in enumerate(cell.project(x).unbind(1)):  # T times (B, G·H)
            new, gates = cell.advance(projected, state)
            if lengths is not None:  # a sequence that has ended keeps its state
                running = (t < lengths)[:, None]  # (B, 1)
                pairs = zip(cell.unpack(new), cell.unpack(state), strict=True)
                new = cell.pack(tuple(torch.where(running, after, before) for after, before in pairs))
            state = new
            outputs.append(cell.unpack(state)[0])
            seen.append(gates)
        stacked = {name: torch.stack([gates[name] for gates in seen], 1) for name in seen[0]}  # (B, T, H)
        output = torch.stack(outputs, 1)  # (B, T, H)
        if lengths is not None:
            output = zero_padding(output, lengths)
            stacked = {name: zero_padding(gate, lengths) for name, gate in stacked.items()}
        return output, state, stacked

    def _checked(self, x: Tensor, state: Any, lengths: Tensor | None) -> tuple[Tensor, Any, Tensor | None]:
        """Return x without what stands in its padding, the initial state, and lengths unless all are T."""
        size = self.input_size
        fits = x.dim() == 3 and x.shape[1] >= 1 and x.shape[2] == size
        require(fits, f"x must be (B, T>=1, I={size}), got {tuple(x.shape)}")
        state = self.cell.initial_state(x, state)
        if lengths is not None:
            lengths = check_lengths(lengths, *x.shape[:2]).to(x.device)
            lengths = None if bool((lengths == x.shape[1]).all()) else lengths
        return (x if lengths is None else zero_padding(x, lengths)), state, lengths

    def scaled(self, weight: Tensor) -> Tensor:
        """Return weight_ih, weight_hh or bias, (G·H, …), in the scale in which `ahead` wants the totals: here their own."""
        return weight

    def ahead(
        self, steps: Steps, totals: Tensor, states: States, weights: tuple[Tensor, ...], keep: bool
    ) -> tuple[Tensor, States, Kept]:
        """Run forward, in place on buffers.

        Args:
            steps: which rows take which step.
            totals: W_ih x_t + b for all steps, (T, B, G·H), both `scaled`; may be written over.
            states: each (B, H); never written to.
            weights: the cell's `recurrent_weights`.
            keep: whether `back` will follow; if not, buffers that only it needs may be shared by all steps.

        Returns:
            hidden (T, B, H) with zeros in padding, the final states, and the tensors that `back` needs.
        """
        raise NotImplementedError

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
        """Run back, in place on buffers.

        Args:
            steps, states, weights: as `ahead` had them.
            d_hidden: gradient of hidden, (T, B, H), that of the final h added; may be written over.
            d_states: gradients of the final states, each (B, H), that of h zero; may be written over.
            hidden, kept: what `ahead` returned; never written to.

        Returns:
            The gradients of the totals (T, B, G·H), zero in padding, of each state, and of each weight.
        """
        raise NotImplementedError

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
        """Run back and hand the gradients of the totals to `give`, with the steps that they are of.

        Here all at once, from `back`. A family that needs them only a few steps at a time writes this in its
        place: no step may come twice, and one whose gradients are all zero may be left out. If weight_hh is in
        the totals as it stands, a third argument, h one step earlier, has `give` find its gradient too.

        Returns:
            The gradients of each state and of each weight, but that of weight_hh if `give` finds it.
        """
        d_totals, d_states, d_weights = self.back(steps, d_hidden, d_states, states, weights, hidden, kept)
        give(slice(0, len(d_totals)), d_totals)
        return d_states, d_weights
