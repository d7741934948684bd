"""Dropout in recurrent networks: where it is put, and whether its mask changes from step to step.

- standard: a new mask at every step (Srivastava et al., 2014). On inputs and outputs it is the recipe of
  Zaremba, Sutskever & Vinyals (2014); on the state it erases what the network tries to remember.
- variational: one mask a sequence, the same at all its steps (Gal & Ghahramani, 2016, "A theoretically
  grounded application of dropout in recurrent neural networks", NeurIPS 29, section 4). That makes a dropped
  unit of h_{t-1} a dropped column of W_hh, and dropout on the state harmless.

What is kept is divided by 1 - p, so that expected values stay as they are; in evaluation nothing happens.
Batch first: B batch, T time, H hidden, F features.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from course_utils.models.rnn import RNN
from course_utils.models.sequences import check_lengths, zero_padding
from course_utils.models.states import map_state, output_size

KINDS = ("variational", "standard")


def dropout_mask(x: Tensor, size: int, p: float, kind: str = "variational") -> Tensor:
    """Draw what to multiply a sequence by: 0 with probability p, else 1 / (1 - p).

    Args:
        x: (B, T, …), tells B, T, dtype and device. Drawn from torch's global generator.
        size: F.
        p: 0 ≤ p < 1.
        kind: "variational", one mask for all steps of a sequence, or "standard", one for each.

    Returns:
        (B, T, F).

    Raises:
        ValueError: p out of range or an unknown kind.
    """
    check_dropout("p", p)
    if kind not in KINDS:
        raise ValueError(f"kind must be in {list(KINDS)}, got {kind!r}")
    batch, steps = x.shape[:2]
    mask = x.new_empty(batch, 1 if kind == "variational" else steps, size)
    return mask.bernoulli_(1 - p).div_(1 - p).expand(batch, steps, size)


def check_dropout(name: str, p: float) -> float:
    """Return p after a check: ValueError unless 0 ≤ p < 1."""
    if not 0 <= p < 1:
        raise ValueError(f"{name} must be in 0 ≤ {name} < 1, got {p}")
    return p


class VariationalDropout(nn.Module):
    """`nn.Dropout` for sequences (B, T, F), with one mask for all steps of each sequence.

    Args:
        p: 0 ≤ p < 1, the chance that a feature of a sequence is dropped.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = check_dropout("p", p)

    def forward(self, x: Tensor) -> Tensor:
        """Return x (B, T, F), in training times a mask drawn in this call."""
        return x * dropout_mask(x, x.shape[2], self.p) if self.training and self.p else x

    def extra_repr(self) -> str:
        return f"p={self.p}"


class RecurrentDropout(nn.Module):
    """A recurrent layer with dropout in up to three places; itself a layer like the one inside.

    Args:
        layer: takes (x, state, lengths) and returns (output, state). With `hidden`, h must act through its
            products alone, as in an RNN or an LSTM; then the layer is called step by step, which is slower.
        input: p of dropout on x_t.
        hidden: p of dropout on h_{t-1} where step t reads it. A cell c is left whole.
        output: p of dropout on what the layer gives to others. The state it returns is left whole.
        kind: "variational" or "standard", for all three places.

    Raises:
        ValueError: a p outside 0 ≤ p < 1, an unknown kind, or `hidden` around two directions.
    """

    def __init__(
        self,
        layer: nn.Module,
        *,
        input: float = 0.0,
        hidden: float = 0.0,
        output: float = 0.0,
        kind: str = "variational",
    ) -> None:
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f"kind must be in {list(KINDS)}, got {kind!r}")
        self.input = check_dropout("input", input)
        self.hidden = check_dropout("hidden", hidden)
        self.output = check_dropout("output", output)
        if hidden and getattr(layer, "bidirectional", False):
            raise ValueError("hidden must be 0 around two directions; put dropout into each of them")
        self.layer, self.kind = layer, kind
        self.input_size, self.hidden_size = int(layer.input_size), int(layer.hidden_size)  # type: ignore[arg-type]
        self.output_size = output_size(layer)

    def forward(self, x: Tensor, state: Any = None, lengths: Tensor | None = None) -> tuple[Tensor, Any]:
        """Run over x (B, T, I); arguments and results as those of the layer inside.

        Raises:
            ValueError: as the layer; with `hidden`, a layer that copies h as well as multiplying it.
        """
        if lengths is not None:
            lengths = check_lengths(lengths, *x.shape[:2])
            x = zero_padding(x, lengths)
        x = self._drop(x, self.input)
        if self.training and self.hidden:
            output, state = self._by_steps(x, state, lengths)
        else:
            output, state = self.layer(x, state, lengths)
        return self._drop(output, self.output), state

    def _drop(self, x: Tensor, p: float) -> Tensor:
        return x * dropout_mask(x, x.shape[2], p, self.kind) if self.training and p else x

    def _by_steps(self, x: Tensor, state: Any, lengths: Tensor | None) -> tuple[Tensor, Any]:
        masks = dropout_mask(x, self.hidden_size, self.hidden, self.kind).unbind(1)  # T times (B, H)
        outputs = []
        for t, (x_t, mask) in enumerate(zip(x.split(1, dim=1), masks, strict=True)):  # x_t: (B, 1, I)
            output, new = self.layer(x_t, None if state is None else self._drop_h(state, mask))
            if lengths is not None and t:  # every sequence has a first step
                running = (t < lengths)[:, None]  # (B, 1); one that has ended keeps its state
                new = map_state(lambda new, old, go=running: torch.where(go, new, old), new, state)
            state = new
            outputs.append(output)
        joined = torch.cat(outputs, dim=1)  # (B, T, H)
        return joined if lengths is None else zero_padding(joined, lengths), state

    def _drop_h(self, state: Any, mask: Tensor) -> Any:
        if isinstance(state, tuple):
            h, *rest = state
            return h * mask, *rest
        # A GRU also carries h on as it is: there, what is kept would be divided by 1 - p again at every step.
        inner = getattr(self.layer, "layer", self.layer)
        if not isinstance(inner, RNN | nn.RNN):
            raise ValueError(
                "hidden must be 0 for a layer that copies h (RNN and LSTM only multiply it), "
                f"got {self.hidden} for {type(inner).__name__}"
            )
        return state * mask
