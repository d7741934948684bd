"""Beam search with length normalization, minimum length, n-gram blocking and diverse groups.

At every step the `width` best extensions of the beam are kept. Those that ended are set aside, the rest go on
(Sutskever, Vinyals & Le, 2014, section 3.2), so a beam of width 1 is greedy decoding. The search of a source
stops when no live hypothesis can still come among its `n_best`: log P can only fall, so the most that a
hypothesis with log P = L can reach is L / penalty(l) for the best length l left to it. Stopping there changes
no result.
"""

from __future__ import annotations

from heapq import nsmallest
from typing import Any, NamedTuple

import torch
from torch import Tensor

from course_utils.decoding.hypotheses import Hypothesis, Penalty, best, check_limits, no_penalty
from course_utils.decoding.steps import StepFunction, check_start, next_log_probs, reorder


class _Live(NamedTuple):
    """A hypothesis that goes on: whose it is, what it wrote, its log P, and the row of its state."""

    source: int
    group: int
    tokens: tuple[int, ...]
    log_prob: float
    row: int


@torch.no_grad()
def beam_search(
    step: StepFunction,
    start: Tensor,
    state: Any,
    *,
    eos: int,
    max_length: int,
    width: int,
    penalty: Penalty = no_penalty,
    min_length: int = 0,
    block_ngrams: int | None = None,
    groups: int = 1,
    diversity: float = 0.0,
    n_best: int = 1,
) -> list[list[Hypothesis]]:
    """Search B sources at once, each with a beam of its own.

    With `groups` the beam is cut into equal parts that choose one after another at each step (diverse beam
    search; Vijayakumar et al., 2018, algorithm 1). A group sees a token's log-probability lowered by
    `diversity` for every time that an earlier group chose it at this step (Hamming diversity). That steers the
    choice only: the log P that is carried on and returned is the model's. With diversity 0 all groups find
    the same, once: the result is that of a plain beam of width / groups.

    Of equal candidates the smaller token sequence is preferred, so results do not depend on chance. A
    constraint makes tokens impossible without raising the probability of others.

    Args:
        step: see the package's docstring; called on every live hypothesis of all sources together.
        start: (B,) int64, the token before the first, usually <bos>.
        state: the state of the B sources before it.
        eos: the token that ends an output.
        max_length: the most tokens to write, <eos> among them; what is not ended by then is cut and complete.
        width: hypotheses kept at each step, all groups together.
        penalty: length to a positive number that log P is divided by; see `wu_penalty`, `mean_penalty`.
        min_length: fewest tokens before <eos>, 0..max_length.
        block_ngrams: n: no n tokens in a row may stand twice in an output (Paulus, Xiong & Socher, 2018,
            with n = 3). <bos> does not count. None allows them.
        groups: number of groups, a divisor of width.
        diversity: λ, at least 0; it says nothing when there is one group.
        n_best: how many outputs to return, 1..width.

    Returns:
        For each source its best outputs, distinct, best score first: n_best of them, or as many as the
        beam completed (none when the constraints leave nothing).

    Raises:
        ValueError: an argument is out of range, or step returns no distribution.
    """
    check_start(start, max_length)
    check_limits(max_length, min_length, block_ngrams, n_best, penalty)
    _check_width(width, groups, diversity, n_best)
    penalties = [penalty(length) for length in range(1, max_length + 1)]
    complete: list[list[Hypothesis]] = [[] for _ in start]
    live = [_Live(source, group, (), 0.0, source) for source in range(len(start)) for group in range(groups)]
    tokens = start.repeat_interleave(groups)  # (N,), N = len(live)
    for length in range(1, max_length + 1):
        state = reorder(state, torch.tensor([hypothesis.row for hypothesis in live], device=start.device))
        log_probs, state = next_log_probs(step, tokens, state, eos=eos)
        _forbid(log_probs, live, eos, min_length, block_ngrams)
        chosen = log_probs.new_zeros(len(start), log_probs.shape[1])  # (B, V), by earlier groups at this step
        going = []
        for group in range(groups):
            rows = [row for row, hypothesis in enumerate(live) if hypothesis.group == group]
            for kept in _extend(live, rows, log_probs, diversity * chosen, width // groups):
                token = kept.tokens[-1]
                chosen[kept.source, token] += 1
                if token == eos or length == max_length:
                    score = kept.log_prob / penalties[length - 1]
                    found = Hypothesis(kept.tokens, kept.log_prob, score, token == eos, group)
                    complete[kept.source].append(found)
                else:
                    going.append(kept)
        live = _undecided(going, complete, penalties[length:], n_best)
        if not live:
            break
        tokens = start.new_tensor([hypothesis.tokens[-1] for hypothesis in live])
    return [best(found, n_best) for found in complete]


def _extend(
    live: list[_Live], rows: list[int], log_probs: Tensor, lowered: Tensor, width: int
) -> list[_Live]:
    """Return the `width` best extensions for each source, of the live hypotheses in `rows` (one group's).

    log_probs is (N, V); lowered (B, V) is what diversity takes off each source's tokens in the choice.
    """
    index = torch.tensor(rows, device=log_probs.device, dtype=torch.int64)
    owners = torch.tensor([live[row].source for row in rows], device=log_probs.device, dtype=torch.int64)
    steered = log_probs[index] - lowered[owners]  # (R, V)
    order = steered.sort(dim=1, descending=True, stable=True).indices
    order = order[:, :width]  # no row can have more to give
    columns = order.tolist(), steered.gather(1, order).tolist(), log_probs[index].gather(1, order).tolist()
    candidates: dict[int, list[tuple[float, tuple[int, ...], _Live]]] = {}
    for row, *extensions in zip(rows, *columns, strict=True):
        source, group, tokens, log_prob, _ = live[row]
        for token, preference, gain in zip(*extensions, strict=True):
            if gain > -torch.inf:
                extended = _Live(source, group, (*tokens, token), log_prob + gain, row)
                candidate = (-(log_prob + preference), extended.tokens, extended)
                candidates.setdefault(source, []).append(candidate)
    return [extended for found in candidates.values() for _, _, extended in nsmallest(width, found)]


def _forbid(
    log_probs: Tensor, live: list[_Live], eos: int, min_length: int, block_ngrams: int | None
) -> None:
    """Set to -inf, in place, the extensions (N, V) that break a constraint."""
    banned: list[tuple[int, int]] = []
    for row, hypothesis in enumerate(live):
        tokens = hypothesis.tokens
        if len(tokens) < min_length:
            banned.append((row, eos))
        if block_ngrams is not None:
            before = block_ngrams - 1
            last = tokens[len(tokens) - before :]
            for end in range(before, len(tokens)):
                if tokens[end - before : end] == last:
                    banned.append((row, tokens[end]))
    if banned:
        rows, columns = torch.tensor(banned, device=log_probs.device).unbind(1)
        log_probs[rows, columns] = -torch.inf


def _undecided(
    going: list[_Live], complete: list[list[Hypothesis]], penalties: list[float], n_best: int
) -> list[_Live]:
    """Return the live hypotheses of the sources whose n best may still change.

    `penalties` are those of the lengths that are left. An equal score may still win by its tokens.
    """
    most: dict[int, float] = {}  # the highest score within reach of each source
    for hypothesis in going:
        reach = hypothesis.log_prob / max(penalties)
        most[hypothesis.source] = max(reach, most.get(hypothesis.source, -torch.inf))
    needed = {}  # the score of each source's n-th best
    for source in most:
        found = best(complete[source], n_best)
        needed[source] = found[-1].score if len(found) == n_best else -torch.inf
    return [hypothesis for hypothesis in going if most[hypothesis.source] >= needed[hypothesis.source]]


def _check_width(width: int, groups: int, diversity: float, n_best: int) -> None:
    if width < 1:
        raise ValueError(f"width must be at least 1, got {width}")
    if groups < 1 or width % groups:
        raise ValueError(f"groups must be at least 1 and divide width={width}, got {groups}")
    if not 0 <= diversity < torch.inf:
        raise ValueError(f"diversity must be a number of at least 0, got {diversity}")
    if n_best > width:
        raise ValueError(f"n_best must be in 1..width={width}, got {n_best}")
