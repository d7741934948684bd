"""How the recurrent layers run through time fast, with a backward pass that is written out.

A loop over a cell pays for many small operations, and again for each of them on the way back. Four means make
it several times faster without changing a number beyond rounding:

- what does not wait for the state is done for many steps at once: the products W_ih x_t before the loop, the
  slopes of the gates before the loop back, and the gradients of weights after it. Most layers do it for all T
  steps; the LSTMs go back a few steps at a time, so that slopes stay in the processor's cache;
- buffers are time-major (T, B, ·), so that a step is one contiguous block, written in place;
- a batch of unequal lengths is sorted, longest first: the rows still running are always the first ones, so
  finished rows and padding cost nothing;
- large float32 products on a CPU go to oneDNN, which uses wider vector units than PyTorch's default library
  on some processors (up to twice as fast where this was written, and never needed for a result); a matrix that
  multiplies at every step is laid out for it once.

Kept for the backward pass: the inputs (T, B, I), the hidden states (T, B, H) and what each layer's `ahead`
says. The way back needs d_hidden besides, (T, B, H), and the slopes of the steps that it holds at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from course_utils.models.sequences import length_mask

States = tuple[Tensor, ...]
Kept = tuple[Tensor, ...]

_ONEDNN = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")
_LARGE = 1 << 21  # multiplications in a product from which oneDNN's preparation pays


def _suits_onednn(rows: int, b: Tensor) -> bool:
    """Return whether oneDNN should multiply (rows, K) by b (K, N)."""
    large = rows * b.shape[0] * b.shape[1] >= _LARGE
    return large and _ONEDNN and b.dtype == torch.float32 and b.device.type == "cpu"


def product(a: Tensor, b: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return a @ b (+ bias), (M, K) times (K, N) plus (N,), as a new tensor without a gradient."""
    if _suits_onednn(len(a), b):
        return torch.ops.mkldnn._linear_pointwise(a, b.T, bias, "none", [], "")
    return a @ b if bias is None else torch.addmm(bias, a, b)


def add_product_(total: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Add a @ b to total (M, N) in place."""
    if a.shape[0] * a.shape[1] * b.shape[1] >= _LARGE:
        return total.add_(product(a, b))
    return total.addmm_(a, b)


def product_adder(b: Tensor, rows: int) -> Callable[[Tensor, Tensor], Tensor]:
    """Return what `add_product_` does for one b (K, N) at every step: (total, a) to total, with a @ b added in place.

    Args:
        b: (K, N), not written to while the function is in use.
        rows: how many rows a has at most.
    """
    if not _suits_onednn(rows, b):
        return lambda total, a: total.addmm_(a, b)
    multiply = torch.ops.mkldnn._linear_pointwise.default
    with torch.no_grad():
        laid_out = torch.ops.mkldnn._reorder_linear_weight(b.T.contiguous(), rows)
    return lambda total, a: total.add_(multiply(a, laid_out, None, "none", [], ""))


def weight_gradient(d_totals: Tensor, inputs: Tensor) -> Tensor:
    """Return the sum over all steps and rows of d_totals (T, B, N) by inputs (T, B, K), (N, K)."""
    # oneDNN has no fast way to read a slice of wider rows, so these are copied.
    return product(inputs.flatten(0, 1).T, d_totals.flatten(0, 1).contiguous()).T


def before(first: Tensor, buffer: Tensor, part: slice | None = None) -> Tensor:
    """Return what stood one step earlier, (T, B, H), beginning with first (B, H); with `part`, for its steps alone."""
    if part is not None and part.start > 0:
        return buffer[part.start - 1 : part.stop - 1]
    stop = len(buffer) if part is None else part.stop
    return torch.cat([first[None], buffer[: stop - 1]])


@dataclass(frozen=True)
class Steps:
    """Which rows of a batch, sorted with the longest first, take which step.

    Attributes:
        running: how many rows, from the first, take step 0, 1, …; as many entries as the longest row has steps.
        last: (B,) the last step of each row; None when all take every step.
    """

    running: list[int]
    last: Tensor | None = None

    def part(self, part: slice) -> Steps:
        """Return the same for the steps of slice(start, stop) alone, of which `start` becomes step 0."""
        return Steps(self.running[part], None if self.last is None else self.last - part.start)

    def rows(self, buffer: Tensor) -> list[Tensor]:
        """Return a view of the running rows at each step: (T, B, …) to T times (running, …)."""
        if self.last is None:
            return list(buffer.unbind(0))
        return [step[:n] for step, n in zip(buffer.unbind(0), self.running, strict=False)]

    def rows_before(self, first: Tensor, buffer: Tensor) -> list[Tensor]:
        """Return a view of what the running rows held one step earlier, beginning with first (B, …)."""
        return self.earlier(first, list(buffer.unbind(0)))

    def earlier(self, first: Tensor, rows: list[Tensor]) -> list[Tensor]:
        """Return the same as `rows_before` from what `rows` returned, where both are needed."""
        earlier = [first, *rows[:-1]]
        return earlier if self.last is None else [s[:n] for s, n in zip(earlier, self.running, strict=False)]

    def rows_of_one(self, buffer: Tensor) -> list[Tensor]:
        """Return a view of the running rows of one (B, …), again and again: T times (running, …)."""
        return [buffer] * len(self.running) if self.last is None else [buffer[:n] for n in self.running]

    def blank(self, like: Tensor) -> Tensor:
        """Return a buffer like another, (T, B, …), to be written at the running rows; zeros elsewhere."""
        return like.new_empty(like.shape) if self.last is None else like.new_zeros(like.shape)

    def final(self, buffer: Tensor) -> Tensor:
        """Return each row's last step, (T, B, H) to a new (B, H)."""
        return buffer[-1].clone() if self.last is None else buffer[self.last, self._batch()]

    def add_final_(self, buffer: Tensor, values: Tensor) -> None:
        """Add values (B, H) to each row's last step, in place."""
        if self.last is None:
            buffer[-1] += values
        else:
            buffer[self.last, self._batch()] += values

    def clear_padding_(self, buffer: Tensor) -> Tensor:
        """Put zeros after each row's last step, (T, B, N), in place."""
        if self.last is not None:
            buffer.masked_fill_(~length_mask(self.last + 1, len(buffer)).T[..., None], 0)
        return buffer

    def _batch(self) -> Tensor:
        assert self.last is not None
        return torch.arange(len(self.last), device=self.last.device)


def walk(layer: Any, x: Tensor, states: States, lengths: Tensor | None) -> tuple[Tensor, States]:
    """Run a `Recurrent` layer over checked arguments.

    Args:
        layer: gives `cell`, `ahead` and `back`.
        x: (B, T, I), no NaN in padding.
        states: each (B, H).
        lengths: (B,), or None when all rows take every step.

    Returns:
        output (B, T, H) and the final states, each (B, H).
    """
    steps, unsort = Steps([x.shape[0]] * x.shape[1]), None
    if lengths is not None:
        lengths, order = lengths.sort(descending=True, stable=True)
        unsort = order.argsort()
        x, states = x.index_select(0, order), tuple(state.index_select(0, order) for state in states)
        steps = Steps(length_mask(lengths, int(lengths[0])).sum(0).tolist(), lengths - 1)
    cell = layer.cell
    tensors = (x.transpose(0, 1), cell.weight_ih, cell.bias, *states, *cell.recurrent_weights())
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
        hidden, *finals = _Walk.apply(layer, steps, len(states), *tensors)
    else:
        with torch.no_grad():
            totals = _project(layer, *tensors[:3])
            hidden, finals, _ = layer.ahead(steps, totals, states, cell.recurrent_weights(), False)
    output = hidden.transpose(0, 1)  # (B, T, H)
    if unsort is not None:
        output, finals = output.index_select(0, unsort), [state.index_select(0, unsort) for state in finals]
    return output, tuple(finals)


def _project(layer: Any, x: Tensor, weight_ih: Tensor, bias: Tensor) -> Tensor:
    """Return W_ih x + b for all steps, (T, B, I) to (T, B, G·H), in the layer's scale."""
    return product(x.flatten(0, 1), layer.scaled(weight_ih).T, layer.scaled(bias)).view(*x.shape[:2], -1)


class InputGradients:
    """The gradients of x, weight_ih and bias, from those of the totals W_ih x_t + b, some steps after others.

    Where the totals also hold W_hh h_{t-1}, that of weight_hh comes from the same product: [x_t, h_{t-1}] is
    one wider input, and one wide product is faster than two.

    Args:
        x: (T, B, I).
        weight_ih: (G·H, I).
        with_x: whether x needs one.
    """

    def __init__(self, x: Tensor, weight_ih: Tensor, with_x: bool) -> None:
        self.x, self.weight_ih = x, weight_ih
        self.d_x = torch.zeros_like(x) if with_x else None
        self.d_weights, self.d_bias = weight_ih.new_zeros(()), weight_ih.new_zeros(())

    def add(self, part: slice, d_totals: Tensor, h_before: Tensor | None = None) -> None:
        """Take in the gradients of some totals.

        Args:
            part: slice(start, stop), the steps.
            d_totals: (stop - start, B, G·H); not kept.
            h_before: (stop - start, B, H), what weight_hh (G·H, H) multiplied, if its gradient is wanted too.
        """
        flat, x = d_totals.flatten(0, 1), self.x[part]
        if self.d_x is not None:
            self.d_x[part] = product(flat, self.weight_ih).view_as(x)
        inputs = x if h_before is None else torch.cat([x, h_before], dim=2)
        self.d_weights = weight_gradient(d_totals, inputs).add_(self.d_weights)
        self.d_bias = flat.sum(0).add_(self.d_bias)

    def sums(self) -> tuple[Tensor | None, Tensor, Tensor, list[Tensor]]:
        """Return the gradients of x, if asked for, of weight_ih and of bias; and a list with weight_hh's, if asked for."""
        inputs = self.x.shape[2]
        d_weight_hh = [self.d_weights[:, inputs:]] if self.d_weights.shape[1] > inputs else []
        return self.d_x, self.d_weights[:, :inputs], self.d_bias, d_weight_hh


class _Walk(torch.autograd.Function):
    """A layer's `ahead` and `back`, with what both share: the input projection and its gradients."""

    @staticmethod
    def forward(ctx: Any, layer: Any, steps: Steps, n_states: int, *tensors: Tensor) -> tuple[Tensor, ...]:
        x, weight_ih, bias, *rest = tensors
        x = x.contiguous()  # (T, B, I)
        states, weights = tuple(rest[:n_states]), tuple(rest[n_states:])
        totals = _project(layer, x, weight_ih, bias)
        hidden, finals, kept = layer.ahead(steps, totals, states, weights, True)
        ctx.layer, ctx.steps, ctx.counts = layer, steps, (len(states), len(weights))
        ctx.save_for_backward(x, weight_ih, *states, *weights, hidden, *kept)
        return hidden, *finals

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_output: Tensor, *d_finals: Tensor) -> tuple[Tensor | None, ...]:
        x, weight_ih, *rest = ctx.saved_tensors
        n, m = ctx.counts
        states, weights, hidden, kept = (
            tuple(rest[:n]),
            tuple(rest[n : n + m]),
            rest[n + m],
            rest[n + m + 1 :],
        )
        d_hidden = torch.empty_like(hidden).copy_(d_output)  # (T, B, H), ours to write to
        ctx.steps.add_final_(d_hidden, d_finals[0])
        d_states = [torch.zeros_like(d_finals[0]), *(d_final.clone() for d_final in d_finals[1:])]
        gradients = InputGradients(x, weight_ih, ctx.needs_input_grad[3])
        d_states, d_weights = ctx.layer.back_by_parts(
            ctx.steps, d_hidden, d_states, states, weights, hidden, tuple(kept), gradients.add
        )
        d_x, d_weight_ih, d_bias, d_weight_hh = gradients.sums()
        return None, None, None, d_x, d_weight_ih, d_bias, *d_states, *d_weight_hh, *d_weights
