"""A small training loop, predictions without gradients, and repeats over seeds.

batches = minibatches(x, y, batch_size=64, seed=0)
history = fit(model, batches, F.cross_entropy, torch.optim.Adam(model.parameters()), steps=300, clip=1.0)
result = repeat(lambda seed: train_and_test(seed), seeds=range(3))
print(f"{result:.3f}")                                                              # 0.961 ± 0.004
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim.lr_scheduler import LRScheduler

from course_utils.progress import progress
from course_utils.runtime import seed_everything

__all__ = [
    "History",
    "Repeats",
    "accuracy",
    "fit",
    "minibatches",
    "predict",
    "progress",
    "repeat",
]


@dataclass(frozen=True)
class History:
    """What `fit` recorded: one number a step.

    Attributes:
        losses: (steps,), the loss of each batch before its update.
        grad_norms: (steps,), the Euclidean norm of all gradients together, before clipping.
    """

    losses: NDArray[np.float64]
    grad_norms: NDArray[np.float64]


def fit(
    model: nn.Module,
    batches: Iterable[tuple[Any, ...]],
    loss_fn: Callable[[Any, Any], Tensor],
    optimizer: torch.optim.Optimizer,
    steps: int,
    *,
    clip: float | None = None,
    scheduler: LRScheduler | None = None,
    label: str = "training",
) -> History:
    """Train in place: one batch, one update, `steps` times.

    Args:
        model: called with all parts of a batch but the last; left in training mode.
        batches: yields tuples (inputs, …, target), at least `steps` of them; see `minibatches`.
        loss_fn: loss_fn(model's result, target), a scalar.
        optimizer: holds the model's parameters.
        steps: number of updates, at least 1.
        clip: largest Euclidean norm that all gradients together may have; None leaves them as they are.
        scheduler: changes the optimizer's learning rate; stepped after each update.
        label: stands before the progress bar.

    Raises:
        ValueError: steps < 1, clip ≤ 0, or fewer batches than steps.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    if clip is not None and not clip > 0:
        raise ValueError(f"clip must be positive or None, got {clip}")
    parameters = list(model.parameters())
    losses, norms = np.empty(steps), np.empty(steps)
    source = iter(batches)
    model.train()
    for step in progress(range(steps), label):
        batch = next(source, None)
        if batch is None:
            raise ValueError(f"batches ended after {step} of {steps} steps; `minibatches` never ends")
        *inputs, target = batch
        optimizer.zero_grad()
        loss = loss_fn(model(*inputs), target)
        loss.backward()
        norm = clip_grad_norm_(parameters, math.inf if clip is None else clip)  # inf: measure, change nothing
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
        losses[step], norms[step] = loss.item(), norm.item()
    return History(losses, norms)


def minibatches(*tensors: Tensor, batch_size: int, seed: int) -> Iterator[tuple[Tensor, ...]]:
    """Yield batches for ever, in a new order each epoch; every row once an epoch.

    Args:
        tensors: each (N, …), cut along the first axis; the last is the target.
        batch_size: rows a batch, 1..N. When N is no multiple of it, an epoch's last batch is smaller.
        seed: of the order, which touches no global generator.

    Raises:
        ValueError: no tensors, tensors of unequal N, or batch_size outside 1..N.
    """
    sizes = [len(tensor) for tensor in tensors]
    if len(set(sizes)) != 1:
        raise ValueError(f"minibatches needs tensors of one length N, got lengths {sizes}")
    if not 1 <= batch_size <= sizes[0]:
        raise ValueError(f"batch_size must be in 1..N={sizes[0]}, got {batch_size}")
    return _endless(tensors, batch_size, torch.Generator().manual_seed(seed))


def _endless(
    tensors: tuple[Tensor, ...], batch_size: int, generator: torch.Generator
) -> Iterator[tuple[Tensor, ...]]:
    while True:
        for rows in torch.randperm(len(tensors[0]), generator=generator).split(batch_size):
            yield tuple(tensor[rows] for tensor in tensors)


@torch.no_grad()
def predict(model: Callable[..., Tensor], *inputs: Tensor, batch_size: int = 256) -> Tensor:
    """Return model(*inputs), (N, …), batch by batch without gradients.

    A module is put in evaluation mode meanwhile and gets its own mode back.
    """
    training = isinstance(model, nn.Module) and model.training
    if isinstance(model, nn.Module):
        model.eval()
    try:
        chunks = zip(*(tensor.split(batch_size) for tensor in inputs), strict=True)
        return torch.cat([model(*chunk) for chunk in chunks])
    finally:
        if isinstance(model, nn.Module):
            model.train(training)


def accuracy(logits: Tensor, target: Tensor) -> float:
    """Return the share of rows, 0..1, whose largest logit stands at the target.

    Args:
        logits: (..., classes).
        target: (...), class indices.

    Raises:
        ValueError: the shapes do not belong together (they would broadcast into a wrong number).
    """
    if logits.shape[:-1] != target.shape:
        raise ValueError(f"target must be {tuple(logits.shape[:-1])}, got {tuple(target.shape)}")
    return (logits.argmax(-1) == target).double().mean().item()


@dataclass(frozen=True)
class Repeats:
    """The results of one experiment under several seeds; f"{result:.3f}" gives "mean ± s.d.".

    Attributes:
        values: (seeds, …), one result a row.
    """

    values: NDArray[np.float64]

    @property
    def mean(self) -> Any:
        """Mean over the seeds, (…)."""
        return self.values.mean(axis=0)

    @property
    def sd(self) -> Any:
        """Sample standard deviation over the seeds (n - 1 in the denominator), (…); NaN for a single seed."""
        if len(self.values) < 2:
            return np.full(self.values.shape[1:], math.nan)[()]
        return self.values.std(axis=0, ddof=1)

    def __format__(self, spec: str) -> str:
        if self.values.ndim != 1:
            raise ValueError(f"only one number a seed can be formatted, got shape {self.values.shape}")
        return f"{self.mean:{spec}}" if len(self.values) < 2 else f"{self.mean:{spec}} ± {self.sd:{spec}}"


def repeat(experiment: Callable[[int], ArrayLike], seeds: Iterable[int], *, label: str = "seeds") -> Repeats:
    """Run experiment(seed) for each seed, everything seeded anew before each.

    Args:
        experiment: returns a number or an array, of one shape for all seeds.
        seeds: at least one.
        label: stands before the progress bar.

    Raises:
        ValueError: no seeds.
    """
    seeds = list(seeds)
    if not seeds:
        raise ValueError("seeds must hold at least one seed, got none")
    rows = [np.asarray(experiment(seed_everything(seed)), dtype=float) for seed in progress(seeds, label)]
    return Repeats(np.stack(rows))
