"""A small training loop, batches for it, and predictions without gradients.

Clipping follows Pascanu, Mikolov & Bengio (2013), "On the difficulty of training recurrent neural networks",
algorithm 1: where the norm of all gradients together exceeds a threshold, all are scaled down to it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim.lr_scheduler import LRScheduler

from course_utils.progress import progress
from course_utils.training.stopping import EarlyStopping


@dataclass(frozen=True)
class History:
    """What `fit` recorded: one number an update, and what was evaluated on the way.

    Attributes:
        losses: (steps,), the loss of each batch before its update.
        grad_norms: (steps,), the Euclidean norm of all gradients together, before clipping.
        evaluated_at: (evaluations,) int64, the number of updates before each evaluation.
        evaluations: (evaluations,), what `evaluate` returned.
    """

    losses: NDArray[np.float64]
    grad_norms: NDArray[np.float64]
    evaluated_at: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    evaluations: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))


def fit(
    model: nn.Module,
    batches: Iterable[tuple[Any, ...]],
    loss_fn: Callable[[Any, Any], Tensor],
    optimizer: torch.optim.Optimizer,
    steps: int,
    *,
    clip: float | None = None,
    scheduler: LRScheduler | None = None,
    evaluate: Callable[[nn.Module], float] | None = None,
    every: int = 100,
    stopping: EarlyStopping | None = None,
    label: str = "training",
) -> History:
    """Train in place: one batch, one update, `steps` times, or fewer when `stopping` says so.

    Args:
        model: called with all parts of a batch but the last; left in training mode.
        batches: yields tuples (inputs, …, target), at least `steps` of them; see `minibatches`.
        loss_fn: loss_fn(model's result, target), a scalar.
        optimizer: holds the model's parameters.
        steps: number of updates, at least 1.
        clip: largest Euclidean norm that all gradients together may have; None leaves them as they are.
        scheduler: changes the optimizer's learning rate; stepped after each update.
        evaluate: evaluate(model), a number such as the loss on the validation split; the model is in evaluation
            mode, and no gradients are kept.
        every: updates between evaluations, at least 1; the last update is always followed by one.
        stopping: watches the evaluations, may end the training, and leaves the model with its best weights.
        label: stands before the progress bar.

    Raises:
        ValueError: steps < 1, every < 1, clip ≤ 0, fewer batches than steps, or stopping without evaluate.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    if every < 1:
        raise ValueError(f"every must be at least 1, got {every}")
    if stopping is not None and evaluate is None:
        raise ValueError("stopping must have something to watch: evaluate is None")
    check_clip(clip)
    parameters = list(model.parameters())
    losses, norms, at, scores = [], [], [], []
    source = iter(batches)
    model.train()
    for step in progress(range(1, steps + 1), label):
        batch = next(source, None)
        if batch is None:
            raise ValueError(f"batches ended after {step - 1} of {steps} steps; `minibatches` never ends")
        *inputs, target = batch
        loss = loss_fn(model(*inputs), target)
        losses.append(loss.item())
        norms.append(update(loss, parameters, optimizer, clip))
        if scheduler is not None:
            scheduler.step()
        if evaluate is not None and (step % every == 0 or step == steps):
            at.append(step)
            scores.append(_evaluated(model, evaluate))
            if stopping is not None and stopping.update(scores[-1], model):
                break
    if stopping is not None:
        stopping.restore(model)
    return History(np.array(losses), np.array(norms), np.array(at, np.int64), np.array(scores, float))


def update(
    loss: Tensor, parameters: list[nn.Parameter], optimizer: torch.optim.Optimizer, clip: float | None
) -> float:
    """Take one step down the gradient of the loss; return the gradient's Euclidean norm before clipping."""
    optimizer.zero_grad()
    loss.backward()
    norm = clip_grad_norm_(parameters, math.inf if clip is None else clip)  # inf: measure, change nothing
    optimizer.step()
    return norm.item()


def check_clip(clip: float | None) -> None:
    """Raise ValueError unless clip is None or a positive threshold."""
    if clip is not None and not clip > 0:
        raise ValueError(f"clip must be positive or None, got {clip}")


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
    with _evaluation_mode(model):
        chunks = zip(*(tensor.split(batch_size) for tensor in inputs), strict=True)
        return torch.cat([model(*chunk) for chunk in chunks])


@torch.no_grad()
def _evaluated(model: nn.Module, evaluate: Callable[[nn.Module], float]) -> float:
    with _evaluation_mode(model):
        return float(evaluate(model))


@contextmanager
def _evaluation_mode(model: Any) -> Iterator[None]:
    """Put a module in evaluation mode, and then back in the mode it had; leave a plain function alone."""
    if not isinstance(model, nn.Module):
        yield
        return
    training = model.training
    model.eval()
    try:
        yield
    finally:
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
