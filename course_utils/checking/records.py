"""Results of an experiment, kept in the notebook: a table that people read and a check can read back without a re-run."""

import math
import sys
from collections.abc import Sequence
from typing import Any

RECORD_MIME = "application/vnd.course.record+json"

records: dict[str, list[dict[str, Any]]] = {}


def record(name: str, rows: Sequence[dict[str, Any]]) -> None:
    """Show a table of results and keep it, so that grading need not train again.

    Args:
        name: what the project asks to record, for example "adding-study".
        rows: one dict per row, the same keys in each; values are numbers or text.

    Raises:
        ValueError: rows differ in their keys, or a value is neither a number nor text; the message names it.
    """
    plain = [{str(key): _plain(value, key) for key, value in row.items()} for row in rows]
    if any(row.keys() != plain[0].keys() for row in plain):
        raise ValueError(f"the rows of {name!r} must all have the same columns: {list(plain[0])}")
    records[name] = plain
    ipython = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None:
        print(_text(plain))
        return
    from IPython.display import display

    display(
        {
            # Notebooks are saved with their keys sorted: the order of the columns is kept by itself.
            RECORD_MIME: {"name": name, "columns": list(plain[0]) if plain else [], "rows": plain},
            "text/markdown": _markdown(plain),
            "text/plain": _text(plain),
        },
        raw=True,
    )


def _plain(value: Any, key: Any) -> Any:
    if hasattr(value, "item") and math.prod(getattr(value, "shape", ())) == 1:  # a NumPy or torch scalar
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if not isinstance(value, bool | int | float | str | None):
        raise ValueError(f"column {key!r} holds a {type(value).__name__}; record numbers or text")
    return value


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _markdown(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "(no rows)"
    # A long name may break after its underscores: a table of ten columns has to fit a page.
    head = [name.replace("_", "_\u200b") for name in rows[0]]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(_cell(value) for value in row.values()) + " |" for row in rows]
    return "\n".join(lines)


def _text(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "(no rows)"
    table = [list(rows[0]), *[[_cell(value) for value in row.values()] for row in rows]]
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    return "\n".join(
        "  ".join(f"{text:>{width}}" for text, width in zip(row, widths, strict=True)) for row in table
    )
