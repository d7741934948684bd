"""Sequences of brackets, balanced or not, with the depth at every step.

Batch first: B sequences, T steps, padded at the end. The draw uses a NumPy generator of its own: equal
arguments give equal data, and no global state is touched.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

OPENING, CLOSING = "([{<", ")]}>"
TRIES = 20  # exchanges tried for one that two neighbors do not give away


class Brackets(NamedTuple):
    """Bracket sequences as tensors.

    Attributes:
        x: (B, T) int64: 0 padding, 1 … K opening, K + 1 … 2K closing brackets of the kinds 1 … K.
        lengths: (B,) int64.
        y: (B,) int64, 1 where the sequence is balanced.
        depth: (B, T) int64: opening minus closing brackets so far, of any kind; 0 in padding.
        kinds: K.
    """

    x: Tensor
    lengths: Tensor
    y: Tensor
    depth: Tensor
    kinds: int

    def text(self, row: int) -> str:
        """Return a row as a string of brackets."""
        signs = OPENING[: self.kinds] + CLOSING[: self.kinds]
        return "".join(signs[i - 1] for i in self.x[row, : self.lengths[row]].tolist())


def brackets(
    count: int,
    *,
    shortest: int = 4,
    longest: int = 20,
    kinds: int = 2,
    deepest: int = 6,
    seed: int,
) -> Brackets:
    """Draw sequences of brackets, half of them balanced.

    Data card:
        Origin: made by rule. Rows come in pairs. The second, row 2k + 1, is balanced: its shape is drawn uniformly
            among those of its length that go no deeper than `deepest`, its kinds uniformly. The first, row 2k,
            is its twin in which two brackets changed places, so that it is not balanced: in half of the cases two
            closing ones where there are two kinds, "([)]"; else any two, such as ")(".
        Licence: made by rule; nothing to license.
        Size: as many as asked for. Lengths are even, uniform in the range.
        Splits: a seed is a split. Sequences of 4 or 6 brackets are few and come again in every draw; for
            a test of lengths never trained on, let it begin where training ended (20: shortest=22, longest=40).
        Good for: asking whether a network counts depth, or remembers kinds in order, as a stack does. Every twin has
            the same brackets, so whatever only counts them, or sees the length, is right half of the time.
        Not good for: claims from a middling score. A reader of all adjacent pairs is right in about 0.82 of the
            sequences, one of the depth alone in 0.7 (three kinds, lengths 4–20); with one kind depth is all.

    Args:
        count: B, even, at least 2.
        shortest, longest: lengths, even, at least 2.
        kinds: K, 1–4.
        deepest: most brackets open at once in balanced sequences, at least 1.
        seed: of the draw.

    Raises:
        ValueError: a number out of range.
    """
    if not 2 <= shortest <= longest:
        raise ValueError(f"lengths must be 2 <= shortest <= longest, got {shortest} and {longest}")
    if count < 2:
        raise ValueError(f"count must be even and at least 2, got {count}")
    if count % 2 or shortest % 2 or longest % 2:
        raise ValueError(f"count, shortest and longest must be even, got {count}, {shortest}, {longest}")
    if not 1 <= kinds <= len(OPENING):
        raise ValueError(f"kinds must be in 1..{len(OPENING)}, got {kinds}")
    if deepest < 1:
        raise ValueError(f"deepest must be at least 1, got {deepest}")
    rng = np.random.default_rng(seed)
    ways = _count_shapes(longest, deepest)
    rows = []
    for _ in range(count // 2):
        symbols = _balanced(rng, 2 * int(rng.integers(shortest // 2, longest // 2 + 1)), kinds, ways)
        rows += [_unbalance(rng, symbols, kinds), symbols]
    lengths = np.array([len(row) for row in rows])
    x = np.zeros((count, int(lengths.max())), dtype=np.int64)  # (B, T)
    for row, symbols in enumerate(rows):
        x[row, : len(symbols)] = symbols
    moves = np.where(x == 0, 0, np.where(x <= kinds, 1, -1))
    depth = np.where(x == 0, 0, moves.cumsum(axis=1))
    y = np.array([is_balanced(row, kinds) for row in rows], dtype=np.int64)
    tensors = [torch.from_numpy(array) for array in (x, lengths, y, depth)]
    return Brackets(tensors[0], tensors[1], tensors[2], tensors[3], kinds)


def is_balanced(symbols: list[int], kinds: int) -> bool:
    """Return whether symbols 1 … 2K (see `Brackets`) close in the order in which they opened, by a stack."""
    stack: list[int] = []
    for symbol in symbols:
        if symbol <= kinds:
            stack.append(symbol)
        elif not stack or stack.pop() != symbol - kinds:
            return False
    return not stack


def _count_shapes(longest: int, deepest: int) -> list[list[int]]:
    """Return ways[n][d]: how many paths of n steps up or down lead from depth d to 0 within 0..deepest."""
    ways = [[int(d == 0) for d in range(deepest + 1)]]
    for _ in range(longest):
        padded = [0, *ways[-1], 0]
        ways.append([padded[d] + padded[d + 2] for d in range(deepest + 1)])
    return ways


def _balanced(rng: np.random.Generator, length: int, kinds: int, ways: list[list[int]]) -> list[int]:
    symbols: list[int] = []
    stack: list[int] = []
    for left in range(length - 1, -1, -1):
        depth = len(stack)
        up = ways[left][depth + 1] if depth + 1 < len(ways[left]) else 0
        if rng.random() * ways[left + 1][depth] < up:  # each completion equally likely
            stack.append(int(rng.integers(1, kinds + 1)))
            symbols.append(stack[-1])
        else:
            symbols.append(stack.pop() + kinds)
    return symbols


def _unbalance(rng: np.random.Generator, symbols: list[int], kinds: int) -> list[int]:
    """Return the same symbols with two of them exchanged, so that they are not balanced.

    A pair such as "(]", an opening bracket and at once a closing one of another kind, would give it away. Of
    TRIES exchanges the first without such a pair is taken, or the first of all where there is none.
    """
    closing = [i for i, symbol in enumerate(symbols) if symbol > kinds]
    crossing = rng.random() < 0.5 and len({symbols[i] for i in closing}) > 1
    places = closing if crossing else list(range(len(symbols)))
    found: list[int] = []
    tries = 0
    while tries < TRIES or not found:  # ends: some exchange always serves, as that of the first and the last
        tries += 1
        i, j = rng.choice(places, 2, replace=False)
        broken = list(symbols)
        broken[i], broken[j] = broken[j], broken[i]
        if is_balanced(broken, kinds):
            continue
        if all(a > kinds or b <= kinds or b == a + kinds for a, b in pairwise(broken)):
            return broken
        found = found or broken
    return found
