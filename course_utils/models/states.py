"""What a recurrent layer carries from one call to the next, whatever its form.

h (B, H)                      RNN, GRU and their kind
(h, c), each (B, H)           LSTM and its kind
Directions(ahead, back)       a bidirectional layer: one of the above for each direction
[state, state, …]             a stack: one of the above for each layer, a list, lowest first
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn


class Directions(NamedTuple):
    """The states of a bidirectional layer: of the layer that reads ahead and of the one that reads back."""

    ahead: Any
    back: Any


def map_state(function: Callable[..., Tensor], state: Any, *others: Any) -> Any:
    """Return a state of the same form, each tensor of which is function(tensor, tensors of others there).

    Tuples, named ones too, and lists are gone through; None stays None. Tensors may have any shape.

    map_state(Tensor.detach, state) cuts a state from its past, as truncated BPTT does;
    map_state(lambda h: h[rows], state) keeps some rows of a batch, as beam search does;
    map_state(lambda new, old: torch.where(running, new, old), new_state, old_state) lets some rows rest.

    Raises:
        ValueError: states of different forms.
    """
    if state is None:
        return None
    if isinstance(state, Tensor):
        return function(state, *others)
    parts = [map_state(function, *part) for part in zip(state, *others, strict=True)]
    return type(state)(*parts) if hasattr(state, "_fields") else type(state)(parts)  # a named tuple, or not


def final_hidden(state: Any) -> Tensor:
    """Return the h with which a network ends: (B, H), (B, 2H) for two directions; the top layer's of a stack.

    This, not `output[:, -1]`, sums up a sequence: at the last step the layer that reads back has seen one
    symbol, and a shorter sequence has only padding.
    """
    if isinstance(state, Tensor):
        return state
    if isinstance(state, Directions):
        return torch.cat([final_hidden(state.ahead), final_hidden(state.back)], dim=-1)
    return final_hidden(state[-1] if isinstance(state, list) else state[0])


def output_size(layer: nn.Module) -> int:
    """Return how many features a layer gives at each step: its `output_size`, if it has one, else H."""
    return int(getattr(layer, "output_size", layer.hidden_size))  # type: ignore[arg-type]
