"""Batches of sequences of unequal length: masks, last steps, and reading backwards.

Everything is batch first: B sequences, T steps, padded at the end; `lengths` (B,) int64 counts the real steps
of each, 1..T. What stands in the padding, NaN included, never reaches a result or a gradient: values there
are replaced (`torch.where`), not multiplied by zero, since 0 · NaN is NaN.
"""

from __future__ import annotations

import torch
from torch import Tensor


def check_lengths(lengths: Tensor, batch: int, steps: int) -> Tensor:
    """Return lengths (B,) as int64, after a check.

    Raises:
        ValueError: another shape, not integers, or a length outside 1..T.
    """
    if lengths.shape != (batch,) or lengths.is_floating_point() or lengths.dtype == torch.bool:
        got = f"{tuple(lengths.shape)} of {lengths.dtype}"
        raise ValueError(f"lengths must be integers of shape (B,)=({batch},), got {got}")
    wrong = ((lengths < 1) | (lengths > steps)).nonzero()
    if len(wrong):
        row = int(wrong[0])
        raise ValueError(f"lengths must be in 1..T={steps}, got {int(lengths[row])} at row {row}")
    return lengths.long()


def length_mask(lengths: Tensor, steps: int, device: torch.device | None = None) -> Tensor:
    """Return (B, T) bool, True at the real steps, on a device: where lengths are, unless told."""
    lengths = lengths.to(device)
    return torch.arange(steps, device=lengths.device) < lengths[:, None]


def zero_padding(x: Tensor, lengths: Tensor) -> Tensor:
    """Return x (B, T, …) with zeros, and zero gradients, where there is padding; lengths may be on another device."""
    mask = length_mask(lengths, x.shape[1], x.device).view(*x.shape[:2], *[1] * (x.dim() - 2))
    return torch.where(mask, x, x.new_zeros(()))


def last_steps(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Return x[b, lengths[b] - 1], (B, T, …) to (B, …); the last step of all when lengths is None."""
    if lengths is None:
        return x[:, -1]
    return x[torch.arange(len(x), device=x.device), lengths.to(x.device) - 1]


def reverse_padded(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Reverse each sequence within its length, (B, T, …); padding stays at the end. Its own inverse."""
    if lengths is None:
        return x.flip(1)
    lengths, steps = lengths.to(x.device), torch.arange(x.shape[1], device=x.device)  # (B,) and (T,)
    source = torch.where(steps < lengths[:, None], lengths[:, None] - 1 - steps, steps)  # (B, T)
    return x[torch.arange(len(x), device=x.device)[:, None], source]
