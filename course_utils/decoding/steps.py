"""What all decoders share: one checked call of the step function, and picking rows of a nested state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

StepFunction = Callable[[Tensor, Any], tuple[Tensor, Any]]


def next_log_probs(
    step: StepFunction, tokens: Tensor, state: Any, *, eos: int | None = None
) -> tuple[Tensor, Any]:
    """Call step once and normalize its scores, so that logits and log-probabilities both serve.

    Args:
        step: see the package's docstring.
        tokens: (N,) int64, the last token of each sequence.
        state: the state before it.
        eos: a token that the scores must have a place for; None asks for none.

    Returns:
        log_probs: (N, V), each row the logarithm of a distribution; -inf where a token is impossible.
        state: the state after it.

    Raises:
        ValueError: the scores are not (N, V), hold NaN or +inf, or rule out every token of a row; eos is
            outside 0..V-1.
    """
    scores, state = step(tokens, state)
    if scores.dim() != 2 or len(scores) != len(tokens):
        raise ValueError(f"step must return scores of shape (N={len(tokens)}, V), got {tuple(scores.shape)}")
    if eos is not None and not 0 <= eos < scores.shape[1]:
        raise ValueError(f"eos must be in 0..V-1={scores.shape[1] - 1}, got {eos}")
    if not (scores < torch.inf).all():  # NaN compares false as well
        row = int((~(scores < torch.inf)).any(1).nonzero()[0])
        raise ValueError(f"step must return scores below +inf, got NaN or +inf in row {row}")
    log_probs = scores.log_softmax(dim=1)
    if log_probs.isnan().any():
        row = int(log_probs.isnan().any(1).nonzero()[0])
        raise ValueError(f"step must leave some token possible, got -inf for all of row {row}")
    return log_probs, state


def reorder(state: Any, rows: Tensor) -> Any:
    """Return the state with its rows picked: new row i is old row rows[i].

    Args:
        state: tensors (N, …), nested in tuples, named tuples, lists and dicts; None stays None.
        rows: (M,) int64, each in 0..N-1; a row may be picked often, or never.

    Raises:
        TypeError: the state holds something else.
    """
    if state is None:
        return None
    if isinstance(state, Tensor):
        return state.index_select(0, rows)
    if isinstance(state, dict):
        return {name: reorder(part, rows) for name, part in state.items()}
    if isinstance(state, tuple) and hasattr(state, "_fields"):
        return type(state)(*(reorder(part, rows) for part in state))
    if isinstance(state, (tuple, list)):
        return type(state)(reorder(part, rows) for part in state)
    raise TypeError(
        f"state must be tensors in tuples, lists, dicts or None, got {type(state).__name__} in it"
    )


def check_start(start: Tensor, max_length: int) -> None:
    """Refuse start tokens that are not (B,) integers, and a max_length below 1.

    Raises:
        ValueError: one of the two.
    """
    if start.dim() != 1 or len(start) == 0 or start.dtype != torch.int64:
        raise ValueError(f"start must be int64 of shape (B>=1,), got {tuple(start.shape)} of {start.dtype}")
    if max_length < 1:
        raise ValueError(f"max_length must be at least 1, got {max_length}")
