"""Truncated backpropagation through time: long sequences in chunks, the state carried, the gradient cut.

Williams & Peng (1990), "An efficient gradient-based algorithm for on-line training of recurrent network
trajectories", Neural Computation 2, whose BPTT(h; h') runs back h steps after every h' new ones. Chunks of length k
are the case h = h' = k: an error at the end of a chunk reaches back k steps, one at its start a single step. The state
itself flows on from chunk to chunk, so the network may use what it remembers from long ago; it only gets no gradient
for having remembered it.

Models here are called model(x, state) and return (result, new state), as recurrent layers do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from course_utils.progress import progress
from course_utils.training.loop import History, check_clip, update

StatefulModel = Callable[[Tensor, Any], tuple[Tensor, Any]]
Loss = Callable[[Tensor, Tensor], Tensor]


def detached(state: Any) -> Any:
    """Return the state with the same values and no past: a tensor, None, or tuples and lists of such.

    Raises:
        TypeError: anything else inside.
    """
    if state is None:
        return None
    if isinstance(state, Tensor):
        return state.detach()
    if isinstance(state, tuple | list):
        parts = [detached(part) for part in state]
        named = hasattr(state, "_fields")  # a named tuple takes its parts one by one
        return type(state)(*parts) if named else type(state)(parts)
    raise TypeError(f"state must be tensors, None, or tuples and lists of them, got {type(state).__name__}")


def chunks(*tensors: Tensor, length: int) -> Iterator[tuple[Tensor, ...]]:
    """Cut tensors (B, T, …) along time into pieces of `length` steps; the last one may be shorter.

    Args:
        tensors: of one B and one T.
        length: k, at least 1.

    Raises:
        ValueError: no tensors, tensors of unequal B or T, or length < 1.
    """
    if length < 1:
        raise ValueError(f"length must be at least 1, got {length}")
    shapes = [tuple(tensor.shape) for tensor in tensors]
    if not tensors or any(len(shape) < 2 or shape[:2] != shapes[0][:2] for shape in shapes):
        raise ValueError(f"chunks needs tensors (B, T, …) of one B and T, got {shapes}")
    return zip(*(tensor.split(length, dim=1) for tensor in tensors), strict=True)


def accumulate_truncated(
    model: StatefulModel, x: Tensor, target: Tensor, loss_fn: Loss, length: int, state: Any = None
) -> tuple[float, Any]:
    """Add the truncated gradient of a whole sequence's mean loss to the parameters' `.grad`; update nothing.

    With length ≥ T this is the full gradient. Memory grows with `length`, not with T.

    Args:
        model: model(x (B, k, …), state) returns (result, state).
        x, target: (B, T, …).
        loss_fn: loss_fn(result, target), a scalar, the mean over the steps of a chunk.
        length: k, steps a chunk, at least 1.
        state: at the first step, or None.

    Returns:
        The mean loss over all T steps, and the state after the last, detached.

    Raises:
        ValueError: as `chunks`.
    """
    total = 0.0
    for x_chunk, target_chunk in chunks(x, target, length=length):
        result, state = model(x_chunk, detached(state))
        share = x_chunk.shape[1] / x.shape[1]  # a shorter last chunk counts for the steps it has
        loss = loss_fn(result, target_chunk) * share
        loss.backward()
        total += loss.item()
    return total, detached(state)


def fit_truncated(
    model: nn.Module,
    x: Tensor,
    target: Tensor,
    loss_fn: Loss,
    optimizer: torch.optim.Optimizer,
    steps: int,
    *,
    length: int,
    clip: float | None = None,
    label: str = "training",
) -> History:
    """Train in place on B streams side by side: one chunk of each, one update, `steps` times.

    The state starts as None, is carried along the streams, and starts anew when they begin again. For a text, cut it
    into B long streams; then targets are the inputs one step later.

    Args:
        model: model(x (B, k, …), state) returns (result, state); left in training mode.
        x, target: (B, T, …), read from left to right, again and again.
        loss_fn: loss_fn(result, target), a scalar.
        optimizer: holds the model's parameters.
        steps: number of updates, at least 1; an epoch is ⌈T / length⌉ of them.
        length: k, steps a chunk, at least 1; T and more is full BPTT.
        clip: largest Euclidean norm that all gradients together may have; None leaves them as they are.
        label: stands before the progress bar.

    Raises:
        ValueError: steps < 1, clip ≤ 0, or as `chunks`.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    check_clip(clip)
    parameters = list(model.parameters())
    losses, norms = [], []
    source, state = chunks(x, target, length=length), None
    model.train()
    for _ in progress(range(steps), label):
        piece = next(source, None)
        if piece is None:
            source, state = chunks(x, target, length=length), None
            piece = next(source)
        result, state = model(piece[0], detached(state))
        loss = loss_fn(result, piece[1])
        losses.append(loss.item())
        norms.append(update(loss, parameters, optimizer, clip))
    return History(np.array(losses), np.array(norms))
