"""The cells of a notebook as rules about text see them: the student's in full, of the course's own only what they import."""

import ast
import linecache
import re
from functools import lru_cache
from typing import Any

TEST_CELL = re.compile(r"(?m)^with .*\bchecking\(")  # how the checks of the course begin
RUNS_ITS_TEXT = ("time", "capture")  # magics that run the text behind them in the notebook itself
CELL_MAGIC = re.compile(r"\s*%%(\w+)[^\n]*(?:\n|$)")
LINE_MAGIC = re.compile(
    r"(?m)^(?P<timed>[ \t]*)%time[ \t]+(?=\S)"
    r"|^(?P<assigned>[^\n]*=[ \t]*)[%!]\S[^\n]*$"
    r"|^(?P<alone>[ \t]*)(?:[%!?][^\n]*|[\w.]+\?\??[ \t]*)$"
)


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
    nodes = [node for node in statements(code) if isinstance(node, ast.Import | ast.ImportFrom)]
    return "\n".join(ast.unparse(node) for node in nodes)


def statements(code: str) -> list[ast.stmt]:
    """The statements of a cell, as written or as IPython hands it on; those behind `%%time` and the like among them.

    Lines that only IPython understands (`%matplotlib inline`, `!ls`) count as nothing. Empty where it is no Python.
    """
    found: list[ast.stmt] = []
    for node in _parsed(code):
        text = _text_run_by(node)
        found += _parsed(text) if text else [node]
    return found


def _parsed(code: str) -> list[ast.stmt]:
    magic = CELL_MAGIC.match(code)
    if magic and magic[1] not in RUNS_ITS_TEXT:
        return []  # another language, or another process
    code = code[magic.end() :] if magic else code
    for text in (code, LINE_MAGIC.sub(_without_magic, code)):
        try:
            return ast.parse(text).body
        except (SyntaxError, ValueError, RecursionError):
            continue
    return []


def _without_magic(line: re.Match) -> str:
    if line["timed"] is not None:
        return line["timed"]
    return f"{line['assigned']}None" if line["assigned"] is not None else f"{line['alone']}pass"


def _text_run_by(node: ast.stmt) -> str:
    """What `get_ipython().run_cell_magic("time", "", text)` runs: IPython's own form of a magic."""
    call = node.value if isinstance(node, ast.Expr) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return ""
    if call.func.attr not in ("run_cell_magic", "run_line_magic"):
        return ""
    values = [getattr(argument, "value", None) for argument in call.args]
    text = values[-1] if values and values[0] in RUNS_ITS_TEXT else ""
    return text if isinstance(text, str) else ""


def _cells_compiled() -> list[str]:
    """The cells that IPython compiled, from Python's own cache of source lines: nbval runs cells without a history."""
    entries = [
        (name, entry) for name, entry in linecache.cache.items() if "ipykernel_" in name and len(entry) > 2
    ]
    return ["".join(entry[2]) for _, entry in entries]
