"""Hopfield network (Hopfield, 1982, "Neural networks and physical systems with emergent collective
computational abilities", PNAS 79): a memory that is addressed by a part of its content.

    W = (1/N) Σ_p ξ^p ξ^pᵀ,  W_ii = 0          storage, Hebb's rule             (his eq. 2, with units of ±1)
    s_i ← sign(Σ_j W_ij s_j)                   recall; a sum of 0 leaves s_i
    E(s) = -½ sᵀ W s                           energy                           (his eq. 7)

With symmetric W and no self-connection, updates of one unit at a time never raise E, so recall ends in a state
that no update changes. Updates of all units at once may go round between two states for ever.

N units, P patterns, B states. States and patterns hold -1 and +1 in a floating dtype.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from course_utils.models.checks import check_sizes


def hebbian(patterns: Tensor) -> Tensor:
    """Return W (N, N), the mean outer product of patterns (P, N) over N units, with zero diagonal.

    Raises:
        ValueError: patterns of another shape or with values other than -1 and +1.
    """
    _check("patterns", patterns, patterns.shape[-1])
    return (patterns.T @ patterns / patterns.shape[1]).fill_diagonal_(0.0)


def pseudo_inverse(patterns: Tensor) -> Tensor:
    """Return W (N, N), the projection on the patterns' span, with zero diagonal.

    Personnaz, Guyon & Dreyfus (1985): linearly independent patterns are all fixed points, however much they
    resemble each other, while P < N.

    Raises:
        ValueError: as for `hebbian`.
    """
    _check("patterns", patterns, patterns.shape[-1])
    projection = torch.linalg.pinv(patterns) @ patterns  # (N, N)
    return ((projection + projection.T) / 2).fill_diagonal_(0.0)  # symmetric to the last bit


def energy(weight: Tensor, s: Tensor) -> Tensor:
    """Return E = -½ sᵀ W s of states (…, N), as (…)."""
    return -0.5 * ((s @ weight) * s).sum(-1)


@dataclass(frozen=True)
class Recall:
    """Where a recall ended.

    Attributes:
        state: (B, N).
        settled: (B,) bool, True where another sweep changes nothing.
        energies: (B, updates + 1), before the first update and after each: of one unit (asynchronous) or of
            all (synchronous).
    """

    state: Tensor
    settled: Tensor
    energies: Tensor


def recall_asynchronous(weight: Tensor, s: Tensor, *, seed: int, max_sweeps: int = 100) -> Recall:
    """Update one unit at a time, each once a sweep in a random order, until a sweep changes nothing.

    Args:
        weight: (N, N), symmetric, with zero diagonal.
        s: (B, N), states to start from; they are not written to.
        seed: of the orders, which all states share.
        max_sweeps: at least 1.

    Raises:
        ValueError: weight or s of another kind, or max_sweeps below 1.
    """
    _check_recall(weight, s, max_sweeps)
    rng = np.random.default_rng(seed)
    units = s.T.clone()  # (N, B): a unit is a row
    now = energy(weight, s)
    energies = [now]
    for _ in range(max_sweeps):
        changed = torch.zeros(len(s), dtype=torch.bool, device=s.device)
        for i in rng.permutation(len(weight)):
            drive = weight[i] @ units  # (B,)
            new = torch.where(drive == 0, units[i], drive.sign())
            # W_ii = 0, so the energy falls by exactly |drive| for each unit of change.
            now = now - drive * (new - units[i])
            changed |= new != units[i]
            units[i] = new
            energies.append(now)
        if not changed.any():
            break
    return Recall(units.T.contiguous(), ~changed, torch.stack(energies, dim=1))


def recall_synchronous(weight: Tensor, s: Tensor, *, max_sweeps: int = 100) -> Recall:
    """Update all units at once until nothing changes, or `max_sweeps` times.

    Arguments and errors as for `recall_asynchronous`.

    A state that is not settled at the end goes round between two states (Goles-Chacc, Fogelman-Soulié &
    Pellegrin, 1985: for symmetric W no longer cycle exists), given sweeps enough.
    """
    _check_recall(weight, s, max_sweeps)
    energies = [energy(weight, s)]
    for _ in range(max_sweeps):
        drive = s @ weight  # (B, N), W is symmetric
        new = torch.where(drive == 0, s, drive.sign())
        settled = (new == s).all(dim=1)  # (B,)
        s = new
        energies.append(energy(weight, s))
        if settled.all():
            break
    return Recall(s, settled, torch.stack(energies, dim=1))


def random_patterns(count: int, size: int, *, seed: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Return `count` patterns of `size` units, (P, N), of independent fair -1 and +1.

    Raises:
        ValueError: count or size below 1.
    """
    check_sizes(count=count, size=size)
    signs = np.random.default_rng(seed).integers(0, 2, (count, size)) * 2 - 1
    return torch.from_numpy(signs).to(dtype)


def flip_units(s: Tensor, share: float, *, seed: int) -> Tensor:
    """Return s (B, N) with round(share · N) units of each state, chosen anew, turned over.

    Raises:
        ValueError: share outside 0..1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share must be in 0..1, got {share}")
    order = np.random.default_rng(seed).random(tuple(s.shape)).argsort(axis=1)  # (B, N)
    turned = torch.from_numpy(order < round(share * s.shape[1])).to(s.device)
    return torch.where(turned, -s, s)


def retrieval_overlap(
    size: int, load: float, *, cues: int = 50, flipped: float = 0.0, seed: int = 0
) -> float:
    """Store random patterns by Hebb's rule, recall some of them, and return how much is left of them.

    Amit, Gutfreund & Sompolinsky (1985, "Storing infinite numbers of patterns in a spin-glass model of neural
    networks"): for N → ∞ the overlap is at least 0.967 up to a load of 0.138 and drops to about 0.35 there.

    Args:
        size: N, at least 2.
        load: P / N, more than 0; P = round(load · N), at least 1.
        cues: most patterns that are recalled; the first of them serve.
        flipped: share of each cue's units turned over before recall.
        seed: of patterns, flips and orders.

    Returns:
        The mean of m = |ξᵀ s| / N over the cues, 0..1.

    Raises:
        ValueError: an argument out of range.
    """
    if size < 2 or not load > 0 or cues < 1:
        raise ValueError(f"size must be at least 2, load > 0 and cues at least 1, got {size}, {load}, {cues}")
    patterns = random_patterns(max(1, round(load * size)), size, seed=seed)
    targets = patterns[:cues]
    start = flip_units(targets, flipped, seed=seed + 1)
    result = recall_asynchronous(hebbian(patterns), start, seed=seed + 2)
    return ((result.state * targets).mean(dim=1).abs()).mean().item()


def _check(name: str, s: Tensor, units: int) -> None:
    if s.dim() != 2 or s.shape[0] < 1 or s.shape[1] != units or not s.is_floating_point():
        raise ValueError(f"{name} must be floating (rows>=1, N={units}), got {tuple(s.shape)} of {s.dtype}")
    if not (s.abs() == 1).all():
        raise ValueError(f"{name} must hold -1 and +1 only, got {s[s.abs() != 1][0].item()}")


def _check_recall(weight: Tensor, s: Tensor, max_sweeps: int) -> None:
    if weight.dim() != 2 or weight.shape[0] != weight.shape[1]:
        raise ValueError(f"weight must be (N, N), got {tuple(weight.shape)}")
    if weight.diagonal().any() or not torch.equal(weight, weight.T):
        raise ValueError("weight must be symmetric with a zero diagonal; else the energy may rise")
    _check("s", s, len(weight))
    check_sizes(max_sweeps=max_sweeps)
