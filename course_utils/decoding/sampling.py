"""One token after another: greedy and sampled decoding, with temperature, top-k and nucleus filters.

A filter takes logits (…, V) and returns logits (…, V): -inf means "never". They can be chained; `draw` does
so in the order temperature, top-k, top-p, as libraries do. Top-k is of Fan, Lewis & Dauphin (2018), the
nucleus (top-p) of Holtzman et al. (2020, eq. 2 and 3).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from course_utils.decoding.steps import StepFunction, check_start, next_log_probs, reorder


def with_temperature(logits: Tensor, temperature: float) -> Tensor:
    """Return (logits - max) / temperature: the distribution of logits / temperature.

    Toward 0 all mass goes to the largest logit (shared where several are equal), toward infinity every
    token that is possible becomes equally likely. The shift keeps a tiny temperature from overflowing.

    Args:
        logits: (…, V); -inf stays -inf.
        temperature: positive and finite. For the limit 0 use `greedy`.

    Raises:
        ValueError: temperature is 0, negative, infinite or NaN.
    """
    if not 0 < temperature < math.inf:
        raise ValueError(f"temperature must be positive and finite, got {temperature}; for 0 use greedy")
    shifted = logits - logits.amax(dim=-1, keepdim=True)
    return shifted / max(temperature, torch.finfo(logits.dtype).tiny)  # below tiny it would count as 0


def top_k_filter(logits: Tensor, k: int) -> Tensor:
    """Keep the k largest of logits (…, V), the others -inf; of equal ones the lower token is kept first.

    Raises:
        ValueError: k outside 1..V.
    """
    size = logits.shape[-1]
    if not 1 <= k <= size:
        raise ValueError(f"k must be in 1..V={size}, got {k}")
    order = logits.sort(dim=-1, descending=True, stable=True).indices  # (…, V), stable: ties keep their order
    return logits.scatter(-1, order[..., k:], -torch.inf)


def top_p_filter(logits: Tensor, p: float) -> Tensor:
    """Keep the nucleus of logits (…, V): the fewest most likely tokens whose probability reaches p.

    The token that reaches p is in, so at least one is kept; of equal ones the lower token comes first. p = 1
    keeps everything.

    Raises:
        ValueError: p outside 0 < p <= 1.
    """
    if not 0 < p <= 1:
        raise ValueError(f"p must be more than 0 and at most 1, got {p}")
    if p == 1:
        return logits.clone()  # sums that round to 1 too early must not cost the last tokens
    ordered, order = logits.softmax(dim=-1).sort(dim=-1, descending=True, stable=True)  # (…, V)
    before = ordered.cumsum(dim=-1).roll(1, dims=-1)  # (…, V), the mass of all more likely tokens
    before[..., 0] = 0
    dropped = torch.zeros_like(order, dtype=torch.bool).scatter(-1, order, before >= p)
    return logits.masked_fill(dropped, -torch.inf)


def draw(
    logits: Tensor,
    generator: torch.Generator,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Tensor:
    """Draw one token a row from the filtered distribution.

    Args:
        logits: (N, V).
        generator: where the randomness comes from; the drawing happens on its device.
        temperature, top_k, top_p: see the filters; None leaves a filter out.

    Returns:
        (N,) int64, on the device of logits.

    Raises:
        ValueError: a filter's argument is out of range.
    """
    logits = with_temperature(logits, temperature)
    if top_k is not None:
        logits = top_k_filter(logits, top_k)
    if top_p is not None:
        logits = top_p_filter(logits, top_p)
    probabilities = logits.softmax(dim=-1).to(generator.device)
    return torch.multinomial(probabilities, 1, generator=generator).squeeze(1).to(logits.device)


@torch.no_grad()
def greedy(
    step: StepFunction, start: Tensor, state: Any, *, eos: int, max_length: int
) -> tuple[Tensor, Tensor]:
    """Write the most likely token at every step; of equally likely ones the lowest.

    Args:
        step: see the package's docstring.
        start: (B,) int64, the token before the first, usually <bos>.
        state: the state of the B sequences before it.
        eos: the token that ends a sequence.
        max_length: T, the most tokens to write, <eos> among them.

    Returns:
        tokens: (B, <= T) int64, filled up with eos after the end.
        lengths: (B,) int64, tokens written, <eos> among them; a sequence that was cut has no <eos>.

    Raises:
        ValueError: start, eos or max_length is wrong, or step returns no distribution.
    """
    return _write(step, start, state, lambda logits: logits.argmax(dim=1), eos, max_length)


@torch.no_grad()
def sample(
    step: StepFunction,
    start: Tensor,
    state: Any,
    *,
    eos: int,
    max_length: int,
    generator: torch.Generator,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> tuple[Tensor, Tensor]:
    """Draw every token from the model's filtered distribution.

    Args:
        step, start, state, eos, max_length: as for `greedy`.
        generator, temperature, top_k, top_p: as for `draw`.

    Returns:
        tokens and lengths, as `greedy`.

    Raises:
        ValueError: as `greedy` and `draw`.
    """

    def choose(logits: Tensor) -> Tensor:
        return draw(logits, generator, temperature=temperature, top_k=top_k, top_p=top_p)

    return _write(step, start, state, choose, eos, max_length)


def _write(
    step: StepFunction,
    start: Tensor,
    state: Any,
    choose: Callable[[Tensor], Tensor],
    eos: int,
    max_length: int,
) -> tuple[Tensor, Tensor]:
    check_start(start, max_length)
    written = start.new_full((len(start), max_length), eos)
    lengths = start.new_full((len(start),), max_length)
    rows, tokens = torch.arange(len(start), device=start.device), start  # rows: which sequences go on
    for t in range(max_length):
        log_probs, state = next_log_probs(step, tokens, state, eos=eos)
        tokens = choose(log_probs)  # (N,)
        written[rows, t] = tokens
        ended = tokens == eos
        lengths[rows[ended]] = t + 1
        if ended.all():
            break
        if ended.any():  # a sequence that ended is not stepped again
            going = (~ended).nonzero().squeeze(1)
            rows, tokens, state = rows[going], tokens[going], reorder(state, going)
    return written[:, : int(lengths.max())], lengths
