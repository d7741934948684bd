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
from torch.nn import functional as F

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


class RNNCell(nn.Module):
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
        super().__init__()
        _require(input_size >= 1, f"input_size must be at least 1, got {input_size}")
        _require(hidden_size >= 1, f"hidden_size must be at least 1, got {hidden_size}")
        _require(activation in ACTIVATIONS, f"activation must be in {list(ACTIVATIONS)}, got {activation!r}")
        _require(
            recurrent_init in RECURRENT_INITS,
            f"recurrent_init must be in {list(RECURRENT_INITS)}, got {recurrent_init!r}",
        )
        self.input_size, self.hidden_size = input_size, hidden_size
        self.activation, self.recurrent_init = activation, recurrent_init
        self.weight_ih = nn.Parameter(torch.empty(hidden_size, input_size))
        self.weight_hh = nn.Parameter(torch.empty(hidden_size, hidden_size))
        self.bias = nn.Parameter(torch.empty(hidden_size))
        self.norm = nn.LayerNorm(hidden_size) if layer_norm else nn.Identity()
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights anew from torch's global generator, as torch.nn does."""
        nn.init.xavier_uniform_(self.weight_ih)
        RECURRENT_INITS[self.recurrent_init](self.weight_hh)
        nn.init.zeros_(self.bias)
        if isinstance(self.norm, nn.LayerNorm):
            self.norm.reset_parameters()

    def project(self, x: Tensor) -> Tensor:
        """Return W_ih x + b, (..., I) to (..., H): the part of a step that does not wait for the state."""
        return F.linear(x, self.weight_ih, self.bias)

    def step(self, projected: Tensor, h: Tensor) -> Tensor:
        """Return h_t (B, H) from the projected input (B, H) and h_{t-1} (B, H)."""
        total = torch.addmm(projected, h, self.weight_hh.T)  # (B, H)
        return ACTIVATIONS[self.activation](self.norm(total))

    def forward(self, x: Tensor, h: Tensor | None = None) -> Tensor:
        """Advance one step.

        Args:
            x: (B, I).
            h: (B, H), or None for zeros.

        Returns:
            h_t (B, H).

        Raises:
            ValueError: x or h has another shape.
        """
        _require(
            x.dim() == 2 and x.shape[1] == self.input_size,
            f"x must be (B, I={self.input_size}), got {tuple(x.shape)}",
        )
        return self.step(self.project(x), self.initial_state(x, h))

    def initial_state(self, x: Tensor, h: Tensor | None) -> Tensor:
        """Return h after a check of its shape, or zeros (B, H) of x's dtype and device."""
        shape = (x.shape[0], self.hidden_size)
        if h is None:
            return x.new_zeros(shape)
        _require(tuple(h.shape) == shape, f"the state must be (B, H)={shape}, got {tuple(h.shape)}")
        return h


class RNN(nn.Module):
    """The cell applied to every step of a batch of sequences. Arguments as for `RNNCell`."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        activation: str = "tanh",
        recurrent_init: str = "xavier",
        layer_norm: bool = False,
    ) -> None:
        super().__init__()
        self.cell = RNNCell(input_size, hidden_size, activation, recurrent_init, layer_norm)

    def forward(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Run over all steps.

        Args:
            x: (B, T, I), T at least 1.
            state: h_0 (B, H), or None for zeros.

        Returns:
            output: h_1 … h_T, (B, T, H).
            state: h_T, (B, H).

        Raises:
            ValueError: x or state has another shape.
        """
        size = self.cell.input_size
        _require(
            x.dim() == 3 and x.shape[1] >= 1 and x.shape[2] == size,
            f"x must be (B, T>=1, I={size}), got {tuple(x.shape)}",
        )
        h = self.cell.initial_state(x, state)
        outputs = []
        # One product projects the inputs of all steps. unbind keeps the backward pass linear in T: indexing
        # [:, t] would add a zero-filled (B, T, H) gradient for every step.
        for projected in self.cell.project(x).unbind(1):  # T times (B, H)
            h = self.cell.step(projected, h)
            outputs.append(h)
        return torch.stack(outputs, dim=1), h  # (B, T, H), (B, H)

    @torch.no_grad()
    def load_library(self, layer: nn.RNN) -> RNN:
        """Copy the weights of a one-layer, one-direction `torch.nn.RNN`, adding its two biases; return self.

        Raises:
            ValueError: the layer has more layers or directions, other sizes or another activation.
        """
        cell = self.cell
        _require(
            layer.num_layers == 1 and not layer.bidirectional, "layer must have one layer and one direction"
        )
        ours = (cell.input_size, cell.hidden_size, cell.activation)
        theirs = (layer.input_size, layer.hidden_size, layer.nonlinearity)
        _require(ours == theirs, f"layer must have (I, H, activation) = {ours}, got {theirs}")
        _require(isinstance(cell.norm, nn.Identity), "torch.nn.RNN has no layer norm; this network has")
        weights = layer.state_dict()
        cell.weight_ih.copy_(weights["weight_ih_l0"])
        cell.weight_hh.copy_(weights["weight_hh_l0"])
        cell.bias.zero_()
        if layer.bias:
            cell.bias.add_(weights["bias_ih_l0"] + weights["bias_hh_l0"])
        return self


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


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)
