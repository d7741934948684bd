"""Two results beside each other, and what both are computed from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

SHAPES = [(1, 1, 1, 1), (2, 5, 3, 4), (5, 12, 4, 6), (4, 40, 2, 8), (3, 100, 3, 16)]  # B, T, I, H
Difference = tuple[float, float | None]  # of outputs, of gradients


def flat(outputs: Any) -> list[Tensor]:
    """Return the tensors of a nested result in order."""
    if outputs is None:
        return []
    return [outputs] if isinstance(outputs, Tensor) else [t for part in outputs for t in flat(part)]


def distance(ours: Iterable[Tensor], theirs: Iterable[Tensor]) -> float:
    """Return the largest absolute difference of tensors that must have equal shapes; NaN counts as infinite."""
    largest = 0.0
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape, (a.shape, b.shape)
        gap = (a - b).abs().max().item() if a.numel() else 0.0
        largest = max(largest, math.inf if math.isnan(gap) else gap)
    return largest


def compare(
    ours: Any, theirs: Any, leaves: Iterable[Tensor], partners: Iterable[Tensor] | None = None
) -> Difference:
    """Compare two results, and their gradients by `leaves` (of theirs by `partners`, where those are others)."""
    a, b = flat(ours), flat(theirs)
    mine = list(leaves)
    its = mine if partners is None else list(partners)
    weighing = [torch.randn_like(part) for part in a]
    gradients = []
    for outputs, inputs in ((a, mine), (b, its)):
        loss = sum((w * part).sum() for w, part in zip(weighing, outputs, strict=True))
        gradients.append(torch.autograd.grad(loss, inputs, materialize_grads=True, retain_graph=True))  # type: ignore[arg-type]
    return distance(a, b), distance(*gradients)


def perturb(model: nn.Module) -> nn.Module:
    """Return the model in float64 with every parameter drawn anew, so that no bias or peephole is zero.

    Weights are small enough that no state grows over a hundred steps: rounding would grow with it.
    """
    model = model.double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.8 / math.sqrt(parameter.shape[-1]) if parameter.dim() > 1 else 0.4)
    return model


def drawn(batch: int, steps: int, size: int) -> tuple[Tensor, Tensor]:
    """Return x (B, T, I) with NaN in the padding, and lengths (B,), of which one is T."""
    lengths = torch.randint(1, steps + 1, (batch,))
    lengths[-1] = steps
    x = torch.randn(batch, steps, size, dtype=torch.float64)
    x[torch.arange(steps) >= lengths[:, None]] = torch.nan
    return x.requires_grad_(), lengths


def tokens_of(batch: int, steps: int, size: int) -> tuple[Tensor, Tensor]:
    """Return tokens (B, T) and lengths."""
    x, lengths = drawn(batch, steps, 1)
    return torch.randint(size, x.shape[:2]), lengths


def rows(x: Tensor, lengths: Tensor) -> Iterator[Tensor]:
    """Yield each sequence alone, (T_b, …)."""
    for row, length in zip(x, lengths.tolist(), strict=True):
        yield row[:length]


def padded(sequences: Iterable[Tensor]) -> Tensor:
    """Return sequences (T_b, …) as one (B, T, …) with zeros at the end."""
    return nn.utils.rnn.pad_sequence(list(sequences), batch_first=True)
