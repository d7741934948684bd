"""The cells of a notebook as rules about text see them: the student's in full, of the course's own only what they import."""

import ast
import linecache
import re
from functools import lru_cache
from typing import Any

TEST_CELL = re.compile(r"(?m)^with .*\bchecking\(")  # how the checks of the course begin


def cells_run(history: Any) -> list[str]:
    """The cells that were run in this notebook, in order.

    Args:
        history: IPython's list `In`; where it holds nothing, Python's cache of what was compiled is read.
    """
    cells = [cell for cell in history if isinstance(cell, str)] if isinstance(history, list) else []
    cells = cells if any(cells) else _cells_compiled()
    return [imports_only(cell) if TEST_CELL.search(cell) else cell for cell in cells]


@lru_cache(maxsize=256)
def imports_only(code: str) -> str:
    """The import statements of a cell that the course wrote: an answer may mean those names, the rest is none of its doing."""
    try:
        body = ast.parse(code).body
    except (SyntaxError, ValueError, RecursionError):
        return ""
    return "\n".join(ast.unparse(node) for node in body if isinstance(node, ast.Import | ast.ImportFrom))


def _cells_compiled() -> list[str]:
    """The cells that IPython compiled, from Python's own cache of source lines: nbval runs cells without a history."""
    entries = [
        (name, entry) for name, entry in linecache.cache.items() if "ipykernel_" in name and len(entry) > 2
    ]
    return ["".join(entry[2]) for _, entry in entries]
