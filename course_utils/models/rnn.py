"""The vanilla recurrent network (Elman, 1990, "Finding structure in time", Cognitive Science 14).

    h_t = φ(W_ih x_t + b + W_hh h_{t-1})         φ: tanh, relu or sigmoid
    y_t = W_ho h_t + b_o                         read-out, in the NumPy functions below

Everything is batch first: B batch, T time, I input, H hidden, O output. Weights are named and shaped as in
torch.nn, with one difference: one bias (H,) where `torch.nn.RNN` keeps two. Two biases that are only ever
added say no more than one; `load_library` adds them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from course_utils.models.checks import require
from course_utils.models.exchange import copy_out, load_into
from course_utils.models.recurrence import Cell, Recurrent
from course_utils.models.stepping import Kept, States, Steps, add_product_, before, weight_gradient

layer_norm_backward = torch.ops.aten.native_layer_norm_backward

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
}

RECURRENT_INITS: dict[str, Callable[[Tensor], Tensor]] = {
    "xavier": nn.init.xavier_uniform_,  # Glorot & Bengio (2010), eq. 16
    "orthogonal": nn.init.orthogonal_,  # Saxe, McClelland & Ganguli (2014): every singular value is 1
    "identity": nn.init.eye_,  # Le, Jaitly & Hinton (2015): with relu, a sum that forgets nothing
}


# φ'(a) from φ(a)
SLOPES: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": lambda h: 1 - h * h,
    "relu": lambda h: (h > 0).to(h.dtype),
    "sigmoid": lambda h: h * (1 - h),
}


class RNNCell(Cell):
    """One step of the network: h_t = φ(W_ih x_t + b + W_hh h_{t-1}).

    With `layer_norm`, φ is applied to the normalized sum: LayerNorm (Ba, Kiros & Hinton, 2016, eq. 4) over
    the H units of one step, with a gain and a bias of its own.

    Args:
        input_size: I, at least 1.
        hidden_size: H, at least 1.
        activation: "tanh", "relu" or "sigmoid".
        recurrent_init: how W_hh begins: "xavier" (uniform), "orthogonal" or "identity". W_ih is Xavier
            uniform and the bias zero in every case.
        layer_norm: normalize the sum before the activation.

    Parameters: `weight_ih` (H, I), `weight_hh` (H, H), `bias` (H,).

    Raises:
        ValueError: a size below 1, an unknown activation or initialization.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        activation: str = "tanh",
        recurrent_init: str = "xavier",
        layer_norm: bool = False,
    ) -> None:
        super().__init__(input_size, hidden_size)
        require(activation in ACTIVATIONS, f"activation must be in {list(ACTIVATIONS)}, got {activation!r}")
        require(
            recurrent_init in RECURRENT_INITS,
            f"recurrent_init must be in {list(RECURRENT_INITS)}, got {recurrent_init!r}",
        )
        self.activation, self.recurrent_init = activation, recurrent_init
        self.norm = nn.LayerNorm(hidden_size) if layer_norm else nn.Identity()
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights anew from torch's global generator, as torch.nn does."""
        nn.init.xavier_uniform_(self.weight_ih)
        RECURRENT_INITS[self.recurrent_init](self.weight_hh)
        nn.init.zeros_(self.bias)
        if isinstance(self.norm, nn.LayerNorm):
            self.norm.reset_parameters()

    def recurrent_weights(self) -> tuple[Tensor, ...]:
        """Return weight_hh, then the gain and the bias of the layer norm where there is one."""
        return self.weight_hh, *self.norm.parameters()

    def advance(self, projected: Tensor, state: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return h_t (B, H), and no gates, from W_ih x_t + b (B, H) and h_{t-1} (B, H)."""
        total = torch.addmm(projected, state, self.weight_hh.T)  # (B, H)
        return ACTIVATIONS[self.activation](self.norm(total)), {}


class RNN(Recurrent):
    """The cell applied to every step of a batch of sequences. Arguments as for `RNNCell`; state is h."""

    cell: RNNCell

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        activation: str = "tanh",
        recurrent_init: str = "xavier",
        layer_norm: bool = False,
    ) -> None:
        super().__init__(RNNCell(input_size, hidden_size, activation, recurrent_init, layer_norm))

    @torch.no_grad()
    def load_library(self, layer: nn.RNN) -> RNN:
        """Copy the weights of a one-layer, one-direction `torch.nn.RNN`, adding its two biases; return self.

        Raises:
            ValueError: another kind of layer, more layers or directions, other sizes or another activation.
        """
        cell = self.cell
        require(isinstance(cell.norm, nn.Identity), "torch.nn.RNN has no layer norm; this network has")
        theirs = getattr(layer, "nonlinearity", cell.activation)  # another kind is told apart below
        require(theirs == cell.activation, f"layer must have activation {cell.activation!r}, got {theirs!r}")
        biases = load_into(cell, layer, nn.RNN)
        cell.bias.copy_(biases["bias_ih"] + biases["bias_hh"])
        return self

    def to_library(self) -> nn.RNN:
        """Return a `torch.nn.RNN` (batch first) that computes the same.

        Raises:
            ValueError: a layer norm or the sigmoid, which the library does not have.
        """
        cell = self.cell
        require(isinstance(cell.norm, nn.Identity), "torch.nn.RNN has no layer norm; this network has")
        require(
            cell.activation != "sigmoid", "torch.nn.RNN has 'tanh' and 'relu'; this network has 'sigmoid'"
        )
        layer = nn.RNN(self.input_size, self.hidden_size, nonlinearity=cell.activation, batch_first=True)
        return copy_out(cell, layer)

    def ahead(
        self, steps: Steps, totals: Tensor, states: States, weights: tuple[Tensor, ...], keep: bool
    ) -> tuple[Tensor, States, Kept]:
        """See `Recurrent.ahead`. Kept for the way back: the sums before a layer norm, (T, B, H)."""
        weight_hh, norm = weights[0].T, self.cell.norm
        activation = ACTIVATIONS[self.cell.activation]
        hidden = totals.new_zeros(totals.shape)  # (T, B, H)
        for total, h_before, h in zip(
            steps.rows(totals), steps.rows_before(states[0], hidden), steps.rows(hidden), strict=True
        ):
            h.copy_(activation(norm(add_product_(total, h_before, weight_hh))))
        return hidden, (steps.final(hidden),), () if isinstance(norm, nn.Identity) else (totals,)

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
        slopes = SLOPES[self.cell.activation](hidden)  # (T, B, H), of h_t to what φ was given
        h_before = before(states[0], hidden)
        if kept:
            d_totals, *d_norm = self._loop_back_normed(steps, slopes, d_hidden, d_states[0], weights, kept[0])
        else:
            d_totals, d_norm = slopes, []
            for d_total, d_h, d_h_before in zip(
                reversed(steps.rows(slopes)),
                reversed(steps.rows(d_hidden)),
                reversed(steps.rows_before(d_states[0], d_hidden)),
                strict=True,
            ):
                add_product_(d_h_before, d_total.mul_(d_h), weights[0])
        steps.clear_padding_(d_totals)
        return d_totals, d_states, [weight_gradient(d_totals, h_before), *d_norm]

    def _loop_back_normed(
        self,
        steps: Steps,
        slopes: Tensor,
        d_hidden: Tensor,
        d_h_0: Tensor,
        weights: tuple[Tensor, ...],
        sums: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the gradients of the sums (T, B, H) and of the layer norm's gain and bias, (H,)."""
        weight_hh, gain, shift = weights
        assert isinstance(self.cell.norm, nn.LayerNorm)
        size, eps = [self.hidden_size], self.cell.norm.eps
        normalized, mean, rstd = torch.native_layer_norm(sums, size, None, None, eps)
        d_sums = torch.zeros_like(sums)
        for d_sum, d_normed, total, m, r, d_h, d_h_before in zip(
            *(reversed(steps.rows(part)) for part in (d_sums, slopes, sums, mean, rstd, d_hidden)),
            reversed(steps.rows_before(d_h_0, d_hidden)),
            strict=True,
        ):
            d_normed.mul_(d_h)
            d_sum.copy_(
                layer_norm_backward(d_normed, total, size, m, r, gain, shift, [True, False, False])[0]
            )
            add_product_(d_h_before, d_sum, weight_hh)
        steps.clear_padding_(slopes)
        return d_sums, (slopes * normalized).sum((0, 1)), slopes.sum((0, 1))


def hidden_states(
    x: NDArray, weight_ih: NDArray, weight_hh: NDArray, bias: NDArray, h0: NDArray | None = None
) -> NDArray:
    """Run a tanh network over x in plain NumPy.

    Args:
        x: (B, T, I), T at least 1.
        weight_ih, weight_hh, bias: (H, I), (H, H), (H,).
        h0: (B, H), or None for zeros.

    Returns:
        h_1 … h_T, (B, T, H).
    """
    h = np.zeros((x.shape[0], len(bias)), dtype=x.dtype) if h0 is None else h0
    states = []
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ weight_ih.T + bias + h @ weight_hh.T)  # (B, H)
        states.append(h)
    return np.stack(states, axis=1)  # (B, T, H)


def many_to_many(hidden: NDArray, weight_ho: NDArray, bias_o: NDArray) -> NDArray:
    """Read an output from every state: (B, T, H) to (B, T, O), with weight_ho (O, H) and bias_o (O,)."""
    return hidden @ weight_ho.T + bias_o


def many_to_one(hidden: NDArray, weight_ho: NDArray, bias_o: NDArray) -> NDArray:
    """Read one output, from the last state: (B, T, H) to (B, O), with weight_ho (O, H) and bias_o (O,)."""
    return hidden[:, -1] @ weight_ho.T + bias_o
