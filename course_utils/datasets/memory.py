"""Tasks that are solved by remembering: copying after a delay, reversing digits, timing.

Batch first: B sequences, T steps. Every function draws from a NumPy generator of its own: equal arguments give
equal data, and no global state is touched.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from course_utils.datasets.base import Splits, check_at_least, split_by_seed

COPY_SYMBOLS = 8  # the symbols 0–7 are to be remembered
COPY_BLANK, COPY_MARK = 8, 9  # nothing to say; "now"


def copy_memory(count: int, delay: int, *, length: int = 10, seed: int) -> tuple[Tensor, Tensor]:
    """Draw the copy task: hear symbols, wait, and say them again.

    Data card:
        Origin: Hochreiter & Schmidhuber (1997), in the form of Arjovsky, Shah & Bengio (2016), section 4.1:
            `length` symbols uniform in 0–7, delay - 1 blanks (8), a mark (9), `length` blanks. The target is
            blank until `length` steps from the end, then the symbols in order.
        Licence: made by rule; nothing to license.
        Size: as many as asked for. With 10 symbols there are 8¹⁰ sequences: two draws hardly ever share one.
        Splits: a seed is a split.
        Good for: asking how long a network keeps symbols; `copy_baseline` is the least loss without memory.
        Not good for: showing that a network understands "copy": the positions never change within one draw.

    Args:
        count: B, at least 1.
        delay: steps between the last symbol and the first answer, at least 1 (T in the paper).
        length: symbols to remember, at least 1.
        seed: of the draw.

    Returns:
        x: (B, delay + 2 length) int64, in 0–9.
        y: of the same shape, in 0–8.

    Raises:
        ValueError: a number too small.
    """
    for name, value in (("count", count), ("delay", delay), ("length", length)):
        check_at_least(name, value, 1)
    symbols = torch.from_numpy(np.random.default_rng(seed).integers(0, COPY_SYMBOLS, (count, length)))
    x = torch.full((count, delay + 2 * length), COPY_BLANK)
    y = x.clone()
    x[:, :length] = symbols
    x[:, length + delay - 1] = COPY_MARK
    y[:, -length:] = symbols
    return x, y


def copy_baseline(delay: int, *, length: int = 10) -> float:
    """Return length · ln 8 / (delay + 2 length), in nats a step: the least mean loss without memory.

    Such a predictor says "blank" where a blank belongs and 1/8 for each symbol in the answer.

    Raises:
        ValueError: a number below 1.
    """
    check_at_least("delay", delay, 1)
    check_at_least("length", length, 1)
    return length * math.log(COPY_SYMBOLS) / (delay + 2 * length)


def digit_reversal(
    count: int = 12000,
    *,
    shortest: int = 1,
    longest: int = 10,
    valid: float = 0.1,
    test: float = 0.1,
    seed: int = 0,
) -> Splits[list[tuple[str, str]]]:
    """Draw numbers as strings of digits, each with the same digits backwards.

    Data card:
        Origin: made by rule. Lengths are uniform until a short one has no new string left; digits are uniform,
            leading zeros included.
        Licence: made by rule; nothing to license.
        Size: 12000 strings by default.
        Splits: dealt at random after duplicates are gone, so no string stands in two splits. Its reverse may.
        Good for: a first encoder and decoder. Nothing in one place tells anything of another, so every symbol
            must be carried, and an attention map should show the anti-diagonal.
        Not good for: language: there is nothing to learn about which strings are likely.

    Args:
        count: strings in all splits together, at least 3 and at most half of all that exist.
        shortest, longest: of the strings, 1 ≤ shortest ≤ longest.
        valid, test: shares of the splits.
        seed: of strings and splits.

    Returns:
        Splits of lists of (source, target), such as ("4071", "1704").

    Raises:
        ValueError: lengths, count or shares out of range.
    """
    if not 1 <= shortest <= longest:
        raise ValueError(f"lengths must be 1 <= shortest <= longest, got {shortest} and {longest}")
    existing = sum(10**n for n in range(shortest, longest + 1))
    if not 3 <= count <= existing // 2:
        raise ValueError(f"count must be in 3..{existing // 2}, half of all strings, got {count}")
    rng = np.random.default_rng(seed)
    sources: dict[str, None] = {}  # a set that keeps its order
    left = {n: 10**n for n in range(shortest, longest + 1)}
    while len(sources) < count:
        open_lengths = [n for n, strings in left.items() if strings]
        n = open_lengths[rng.integers(len(open_lengths))]
        source = "".join(map(str, rng.integers(0, 10, n)))
        if source not in sources:
            sources[source] = None
            left[n] -= 1
    return split_by_seed([(s, s[::-1]) for s in sources], valid=valid, test=test, seed=seed)


class Spikes(NamedTuple):
    """A timing task as tensors: x (B, T, 1) float32, y (B, T, 1) float32, scored (B, T) bool."""

    x: Tensor
    y: Tensor
    scored: Tensor


def measure_delays(count: int, *, spikes: int = 6, shortest: int = 10, spread: int = 10, seed: int) -> Spikes:
    """Draw spike trains; at each spike, tell how long ago the last one was.

    Data card:
        Origin: the task "measuring spike delays" of Gers & Schmidhuber (2000, "Recurrent nets that time and count")
            and Gers, Schraudolph & Schmidhuber (2002), section 3.2. Delays between spikes are
            `shortest` + k steps, k uniform in 0..spread; the target at a spike is k / spread. The first spike, at
            step 0, starts the clock and is not scored.
        Licence: made by rule; nothing to license.
        Size: as many as asked for.
        Splits: a seed is a split.
        Good for: comparing cells with and without peepholes: between spikes nothing comes in, and the state must
            count in silence, with its output gate shut or not.
        Not good for: anything but time. The best constant, 1/2, has a mean squared error of
            (1 + 2 / spread) / 12.

    Args:
        count: B, at least 1.
        spikes: scored spikes in each sequence, at least 1.
        shortest: smallest delay in steps, at least 1.
        spread: largest delay minus smallest, at least 1.
        seed: of the draw.

    Returns:
        x: 1 at spikes, else 0. T = spikes · (shortest + spread) + 1: there is room for the slowest train.
        y: the target at scored spikes, else 0.
        scored: True where y counts.

    Raises:
        ValueError: a number too small.
    """
    times, extra, steps = _spike_times(count, spikes, shortest, spread, seed)
    x = torch.zeros(count, steps).scatter_(1, times, 1.0)
    y = torch.zeros(count, steps).scatter_(1, times[:, 1:], extra / spread)
    scored = torch.zeros(count, steps, dtype=torch.bool).scatter_(1, times[:, 1:], True)
    return Spikes(x[..., None], y[..., None], scored)


def generate_delays(
    count: int, *, spikes: int = 6, shortest: int = 10, spread: int = 10, seed: int
) -> Spikes:
    """Draw numbers shown once each; wait as long as the last one says, then spike.

    Data card:
        Origin: after "generating timed spikes" of Gers, Schraudolph & Schmidhuber (2002), section 3.3, the
            inverse of `measure_delays`. The input is (1 + k / spread) / 2 at the moment of a spike, so never 0,
            and 0 elsewhere; the target is 1 when `shortest` + k steps have passed, and there the next
            number comes in.
        Licence: made by rule; nothing to license.
        Size: as many as asked for.
        Splits: a seed is a split.
        Good for: timing and memory at once: a number must be kept and turned into a wait.
        Not good for: mean squared error alone. Spikes are rare, so "never" scores well: count those hit.

    Args, Raises: as for `measure_delays`.

    Returns:
        x: the numbers; y: 1 at spikes due; scored: True up to the last spike due, except at step 0.
    """
    times, extra, steps = _spike_times(count, spikes, shortest, spread, seed)
    x = torch.zeros(count, steps).scatter_(1, times[:, :-1], (1 + extra / spread) / 2)
    y = torch.zeros(count, steps).scatter_(1, times[:, 1:], 1.0)
    clock = torch.arange(steps)
    return Spikes(x[..., None], y[..., None], (clock > 0) & (clock <= times[:, -1:]))


def _spike_times(
    count: int, spikes: int, shortest: int, spread: int, seed: int
) -> tuple[Tensor, Tensor, int]:
    """Return the times of all spikes (B, spikes + 1), the first 0, what delays have above the shortest, and T."""
    for name, value in (("count", count), ("spikes", spikes), ("shortest", shortest), ("spread", spread)):
        check_at_least(name, value, 1)
    extra = torch.from_numpy(np.random.default_rng(seed).integers(0, spread + 1, (count, spikes)))
    times = torch.cat((torch.zeros(count, 1, dtype=torch.int64), (shortest + extra).cumsum(1)), dim=1)
    return times, extra.float(), spikes * (shortest + spread) + 1
