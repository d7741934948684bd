"""What the loaders of fetched files share: lines as they stand in a file, and splits that keep groups whole."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

import numpy as np

from course_utils.datasets.base import Splits, split_by_seed
from course_utils.datasets.fetch import fetch

Record = TypeVar("Record")


def read_text(set_name: str, file: str, encoding: str) -> str:
    """Return a fetched file as text, line ends untouched. Errors as `fetch.fetch`."""
    return fetch(set_name, file).read_bytes().decode(encoding)


def read_lines(set_name: str, file: str, encoding: str) -> list[str]:
    """Return the lines of a fetched file, without their LF or CRLF; the last one may lack it.

    Only these end a line: `str.splitlines` would also cut at U+0085 and U+2028, which occur inside sentences.
    """
    lines = read_text(set_name, file, encoding).split("\n")
    if not lines[-1]:
        lines.pop()  # what follows the last line end
    return [line.removesuffix("\r") for line in lines]


def split_by_group(
    records: Iterable[Record],
    key: Callable[[Record], Hashable],
    *,
    valid: float = 0.1,
    test: float = 0.1,
    seed: int,
) -> Splits[list[Record]]:
    """Deal records into splits so that all records of one key stand on one side.

    Args:
        records: in an order that is the same on every machine.
        key: names the group of a record.
        valid, test: shares of the groups, as in `split_by_seed`; errors too.
        seed: of the order.
    """
    return split_by_seed(_groups(records, key), valid=valid, test=test, seed=seed).map(_flat)


def hold_out(
    records: Iterable[Record], key: Callable[[Record], Hashable], *, share: float = 0.1, seed: int
) -> tuple[list[Record], list[Record]]:
    """Deal records into a large and a small part, again by whole groups, each part in the order given.

    Args:
        records, key, seed: as in `split_by_group`.
        share: of the groups that the second part gets, more than 0 and less than 1.

    Raises:
        ValueError: share out of range, or too few groups for two parts.
    """
    rows = list(records)
    names = list(dict.fromkeys(map(key, rows)))
    held = round(share * len(names)) if 0 < share < 1 else 0
    if not 0 < held < len(names):
        raise ValueError(f"share must leave groups on both sides of {len(names)}, got {share}")
    chosen = {names[i] for i in np.random.default_rng(seed).permutation(len(names))[:held]}
    return [row for row in rows if key(row) not in chosen], [row for row in rows if key(row) in chosen]


def _groups(records: Iterable[Record], key: Callable[[Record], Hashable]) -> list[list[Record]]:
    groups: dict[Hashable, list[Record]] = {}
    for record in records:
        groups.setdefault(key(record), []).append(record)
    return list(groups.values())


def _flat(groups: list[list[Record]]) -> list[Record]:
    return [record for group in groups for record in group]
