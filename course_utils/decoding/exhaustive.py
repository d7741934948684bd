"""Exhaustive search: every output of a small model, ranked. What beam search is held against."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from course_utils.decoding.hypotheses import Hypothesis, Penalty, best, check_limits, no_penalty
from course_utils.decoding.steps import StepFunction, check_start, next_log_probs, reorder

MOST_OUTPUTS = 1_000_000


@torch.no_grad()
def brute_force(
    step: StepFunction,
    start: Tensor,
    state: Any,
    *,
    eos: int,
    max_length: int,
    penalty: Penalty = no_penalty,
    min_length: int = 0,
    block_ngrams: int | None = None,
    n_best: int = 1,
) -> list[list[Hypothesis]]:
    """Write out all outputs of up to max_length tokens and return the best that keep the constraints.

    Arguments, results and errors as for `beam_search`, whose answer this is when its width suffices. The
    constraints are read off whole outputs here, not kept while searching.

    Raises:
        ValueError: as `beam_search`, and V^max_length above a million: the model is not small.
    """
    check_start(start, max_length)
    check_limits(max_length, min_length, block_ngrams, n_best, penalty)
    found: list[list[Hypothesis]] = [[] for _ in start]
    prefixes: list[tuple[int, ...]] = [()] * len(start)
    owners, totals, tokens = list(range(len(start))), [0.0] * len(start), start
    for length in range(1, max_length + 1):
        log_probs, state = next_log_probs(step, tokens, state, eos=eos)
        size = log_probs.shape[1]
        if size**max_length > MOST_OUTPUTS:
            raise ValueError(f"V^max_length must be at most {MOST_OUTPUTS}, got {size}^{max_length}")
        grown = []  # (row, owner, prefix, total) of each prefix that goes on
        for row, extra in enumerate(log_probs.tolist()):
            for token, log_prob in enumerate(extra):
                output, total = (*prefixes[row], token), totals[row] + log_prob
                if total == -torch.inf:
                    continue  # impossible, and so is everything that begins like it
                if token != eos and length < max_length:
                    grown.append((row, owners[row], output, total))
                elif _allowed(output, eos, min_length, block_ngrams):
                    score = total / penalty(length)
                    found[owners[row]].append(Hypothesis(output, total, score, token == eos))
        if not grown:
            break
        rows = torch.tensor([row for row, *_ in grown], device=start.device)
        state = reorder(state, rows)
        owners, prefixes, totals = ([item[k] for item in grown] for k in (1, 2, 3))  # type: ignore[assignment]
        tokens = start.new_tensor([prefix[-1] for prefix in prefixes])
    return [best(outputs, n_best) for outputs in found]


def _allowed(output: tuple[int, ...], eos: int, min_length: int, block_ngrams: int | None) -> bool:
    if output[-1] == eos and len(output) - 1 < min_length:
        return False
    if block_ngrams is None:
        return True
    ngrams = list(zip(*(output[k:] for k in range(block_ngrams)), strict=False))
    return len(set(ngrams)) == len(ngrams)
