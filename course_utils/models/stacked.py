"""Recurrent layers side by side and on top of each other, whatever the layer.

- `Bidirectional`: one layer reads ahead, one back (Schuster & Paliwal, 1997, "Bidirectional recurrent neural
  networks", IEEE Transactions on Signal Processing 45).
- `Stacked`: each layer reads the outputs of the one below (Graves, Mohamed & Hinton, 2013, "Speech recognition
  with deep recurrent neural networks", eq. 11).
- `ResidualStack`: each layer adds to what it reads (Wu et al., 2016, "Google's neural machine translation
  system", section 3.1, with a skip around every layer but the first).

A layer is made by a factory `make(input_size, hidden_size)`: a class such as `LSTM`, or partial(RNN,
activation="relu"). It takes (x, state, lengths) and returns (output, state), as all layers here do, these
three included: `Stacked(partial(Bidirectional, LSTM), I, H, num_layers=2)` is `nn.LSTM(I, H, num_layers=2,
bidirectional=True)`. Batch first: B batch, T time, I input, H hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from course_utils.models.checks import check_sizes
from course_utils.models.sequences import check_lengths, reverse_padded
from course_utils.models.states import Directions, output_size

Make = Callable[[int, int], nn.Module]


class Bidirectional(nn.Module):
    """Two layers of a kind, one reading each sequence from its last real step to its first.

    Args:
        make: makes a layer from (input_size, hidden_size).
        input_size: I.
        hidden_size: H, of each direction; a step's output has 2H features (`output_size`).
    """

    bidirectional = True

    def __init__(self, make: Make, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        self.ahead, self.back = make(input_size, hidden_size), make(input_size, hidden_size)
        self.output_size = output_size(self.ahead) + output_size(self.back)

    def forward(
        self, x: Tensor, state: Directions | None = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, Directions]:
        """Read x (B, T, I) both ways.

        Args:
            state: where each direction begins, the one that reads back at the last step; None for zeros.
            lengths: (B,) real steps of each sequence, 1..T; None when all are full.

        Returns:
            output: (B, T, 2H), reading ahead first; zero at padding.
            state: where each direction ends: ahead at a sequence's last real step, back at its first.

        Raises:
            ValueError: x has another shape, or a length is outside 1..T.
        """
        if lengths is not None:
            lengths = check_lengths(lengths, *x.shape[:2])
        start = Directions(None, None) if state is None else Directions(*state)
        ahead, end_ahead = self.ahead(x, start.ahead, lengths)  # (B, T, H)
        reversed_x = reverse_padded(x, lengths)  # (B, T, I), last step first
        back, end_back = self.back(reversed_x, start.back, lengths)  # (B, T, H), likewise
        output = torch.cat([ahead, reverse_padded(back, lengths)], dim=2)  # (B, T, 2H)
        return output, Directions(end_ahead, end_back)

    def load_library(self, layer: nn.RNNBase) -> Bidirectional:
        """Copy the weights of a one-layer bidirectional `torch.nn` layer; return self."""
        _check_library(layer, 1, True)
        for mine, suffix in ((self.ahead, "_l0"), (self.back, "_l0_reverse")):
            mine.load_library(_extract(layer, layer.input_size, {suffix: "_l0"}))  # type: ignore[operator]
        return self

    def to_library(self) -> nn.RNNBase:
        """Return a one-layer bidirectional `torch.nn` layer (batch first) with the same function."""
        ahead, back = self.ahead.to_library(), self.back.to_library()  # type: ignore[operator]
        return _assemble([(ahead, {"_l0": "_l0"}), (back, {"_l0": "_l0_reverse"})], 1, True)


class Stacked(nn.Module):
    """Layers on top of each other; the lowest reads x, the highest gives the output.

    Args:
        make: makes a layer from (input_size, hidden_size).
        input_size: I, read by the lowest layer.
        hidden_size: H, of each layer.
        num_layers: at least 1.
        between: applied to what every layer but the lowest reads, such as `nn.Dropout(0.2)` (what
            `nn.LSTM(dropout=0.2)` does) or `VariationalDropout(0.2)`; None for nothing.

    Raises:
        ValueError: num_layers below 1.
    """

    def __init__(
        self,
        make: Make,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        between: nn.Module | None = None,
    ) -> None:
        super().__init__()
        check_sizes(num_layers=num_layers)
        layers = [make(input_size, hidden_size)]
        for _ in range(num_layers - 1):
            layers.append(make(output_size(layers[-1]), hidden_size))
        self.layers = nn.ModuleList(layers)
        self.between = nn.Identity() if between is None else between
        self.input_size, self.hidden_size, self.output_size = input_size, hidden_size, output_size(layers[-1])
        self.bidirectional = any(getattr(layer, "bidirectional", False) for layer in layers)

    def forward(
        self, x: Tensor, state: Sequence[Any] | None = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, list[Any]]:
        """Run all layers over x (B, T, I).

        Args:
            state: one a layer, lowest first, each as that layer takes it; None for zeros.
            lengths: (B,) real steps of each sequence, 1..T; None when all are full.

        Returns:
            output: of the highest layer, (B, T, `output_size`), zero at padding.
            state: one a layer, lowest first.

        Raises:
            ValueError: x has another shape, a length is outside 1..T, or state is not one a layer.
        """
        start: Sequence[Any] = [None] * len(self.layers) if state is None else state
        if len(start) != len(self.layers):
            raise ValueError(
                f"state must hold one state for each of {len(self.layers)} layers, got {len(start)}"
            )
        ends = []
        for k, (layer, begin) in enumerate(zip(self.layers, start, strict=True)):
            output, end = layer(self.between(x) if k else x, begin, lengths)
            x = self._combine(k, x, output)  # (B, T, output_size)
            ends.append(end)
        return x, ends

    def _combine(self, k: int, x: Tensor, output: Tensor) -> Tensor:
        """Return what the layer above reads, from what layer k read and gave."""
        return output

    def load_library(self, layer: nn.RNNBase) -> Stacked:
        """Copy the weights of a `torch.nn` layer of as many layers and directions; return self."""
        _check_library(layer, len(self.layers), self.bidirectional)
        for k, mine in enumerate(self.layers):
            renamed = {f"_l{k}": "_l0", f"_l{k}_reverse": "_l0_reverse"}
            mine.load_library(_extract(layer, mine.input_size, renamed))  # type: ignore[operator, arg-type]
        return self

    def to_library(self) -> nn.RNNBase:
        """Return a `torch.nn` layer (batch first, no dropout) with the same function."""
        parts = [
            (layer.to_library(), {"_l0": f"_l{k}", "_l0_reverse": f"_l{k}_reverse"})  # type: ignore[operator]
            for k, layer in enumerate(self.layers)
        ]
        return _assemble(parts, len(parts), self.bidirectional)


class ResidualStack(Stacked):
    """A stack in which every layer but the lowest, whose width differs, adds its output to what it reads.

    Gradients reach the lower layers along the sum as well as through the layers. Arguments as `Stacked`;
    `load_library` copies a plain stack's weights, so that both kinds can start from the same ones.
    """

    def _combine(self, k: int, x: Tensor, output: Tensor) -> Tensor:
        return x + output if k else output

    def to_library(self) -> nn.RNNBase:
        """Raise ValueError: torch.nn has no such layer."""
        raise ValueError("torch.nn has no recurrent stack with residual connections")


def _check_library(layer: nn.RNNBase, num_layers: int, bidirectional: bool) -> None:
    ours, theirs = (num_layers, bidirectional), (layer.num_layers, layer.bidirectional)
    if ours != theirs or layer.proj_size:
        got = f"{theirs}, proj_size {layer.proj_size}"
        raise ValueError(f"layer must have (num_layers, bidirectional) = {ours} and no projection, got {got}")


def _extract(layer: nn.RNNBase, input_size: int, renamed: dict[str, str]) -> nn.RNNBase:
    """Return a one-layer torch.nn layer with the weights whose names end as told, by their new endings."""
    weights = _rename(layer, renamed)
    one = _empty_like(layer, input_size, 1, any(name.endswith("_reverse") for name in weights))
    one.load_state_dict(weights)
    return one


def _assemble(
    parts: Sequence[tuple[nn.RNNBase, dict[str, str]]], num_layers: int, bidirectional: bool
) -> nn.RNNBase:
    """Return one torch.nn layer made of several, whose weights get new endings."""
    whole = _empty_like(parts[0][0], parts[0][0].input_size, num_layers, bidirectional)
    for part, renamed in parts:
        whole.load_state_dict(_rename(part, renamed), strict=False)
    return whole


def _rename(layer: nn.RNNBase, renamed: dict[str, str]) -> dict[str, Tensor]:
    return {
        name.removesuffix(old) + new: weight
        for name, weight in layer.state_dict().items()
        for old, new in renamed.items()
        if name.endswith(old)
    }


def _empty_like(layer: nn.RNNBase, input_size: int, num_layers: int, bidirectional: bool) -> nn.RNNBase:
    """Return a torch.nn layer of this kind, dtype and device, without drawing random numbers for it."""
    kind: Callable[..., nn.RNNBase] = type(layer)
    like = next(layer.parameters())
    options = {"nonlinearity": layer.nonlinearity} if isinstance(layer, nn.RNN) else {}
    with torch.device("meta"):
        empty = kind(
            input_size, layer.hidden_size, num_layers, bias=layer.bias, batch_first=True,
            bidirectional=bidirectional, dtype=like.dtype, **options,
        )  # fmt: skip
    return empty.to_empty(device=like.device)
