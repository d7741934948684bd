"""Weights of a recurrent cell from and to a layer of torch.nn, for the `load_library` and `to_library` of a family."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from course_utils.models.checks import require
from course_utils.models.recurrence import Cell


def load_into(cell: Cell, layer: nn.RNNBase, kind: type[nn.RNNBase]) -> dict[str, Tensor]:
    """Copy weight_ih and weight_hh of a one-layer, one-direction torch layer; return its two biases, zero if none.

    Raises:
        ValueError: the layer is of another kind, or has more layers or directions, or other sizes.
    """
    require(isinstance(layer, kind), f"layer must be a torch.nn.{kind.__name__}, got {type(layer).__name__}")
    require(layer.num_layers == 1 and not layer.bidirectional, "layer must have one layer and one direction")
    require(getattr(layer, "proj_size", 0) == 0, "layer must have no projection (proj_size=0)")
    ours, theirs = (cell.input_size, cell.hidden_size), (layer.input_size, layer.hidden_size)
    require(ours == theirs, f"layer must have (I, H) = {ours}, got {theirs}")
    weights = layer.state_dict()
    with torch.no_grad():
        cell.weight_ih.copy_(weights["weight_ih_l0"])
        cell.weight_hh.copy_(weights["weight_hh_l0"])
    zeros = torch.zeros_like(cell.bias)
    return {name: weights.get(f"{name}_l0", zeros) for name in ("bias_ih", "bias_hh")}


def copy_out(cell: Cell, layer: Any) -> Any:
    """Copy the weights and the bias into a torch layer, with the second bias zero; return it in our dtype and device."""
    layer = layer.to(cell.bias)
    with torch.no_grad():
        layer.weight_ih_l0.copy_(cell.weight_ih)
        layer.weight_hh_l0.copy_(cell.weight_hh)
        layer.bias_ih_l0.copy_(cell.bias)
        layer.bias_hh_l0.zero_()
    return layer
