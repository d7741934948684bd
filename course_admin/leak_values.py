"""The values of theory answers, as text that a leak could hold."""

import ast
import re
from collections.abc import Iterable, Iterator
from typing import Any

from course_admin.build_regions import Line


def answer_values(lines: Iterable[Line]) -> list[str]:
    """Every value that top-level assignments of a solution give, containers taken apart; code gives none."""
    values: list[str] = []
    for line in lines:
        if line.text[:1].isspace():
            continue
        try:
            body = ast.parse(line.text).body
        except SyntaxError:
            continue
        for node in body:
            if isinstance(node, ast.Assign):
                values.extend(_texts(_value(node.value)))
    return list(dict.fromkeys(values))


def mentions(text: str, value: str) -> bool:
    """The value stands in the text, not as a part of a longer word or number."""
    return bool(re.search(rf"(?<![\w.]){re.escape(value)}(?!\w|\.\d)", text, re.IGNORECASE))


def _value(node: ast.expr) -> Any:
    """A literal, or what simple arithmetic on literals gives; None for anything else."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, MemoryError, RecursionError):
        pass
    if isinstance(node, ast.BinOp):
        left, right = _value(node.left), _value(node.right)
        if isinstance(left, int | float) and isinstance(right, int | float):
            try:
                if isinstance(node.op, ast.Add):
                    return left + right
                if isinstance(node.op, ast.Sub):
                    return left - right
                if isinstance(node.op, ast.Mult):
                    return left * right
                if isinstance(node.op, ast.Div):
                    return left / right
            except (ZeroDivisionError, OverflowError):
                return None
    return None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple | set):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str | int | float) and not isinstance(value, bool) and str(value).strip():
        yield str(value)
