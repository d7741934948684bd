"""The values of theory answers, as text that a leak could hold."""

import ast
import re
from collections.abc import Iterable, Iterator
from typing import Any

from course_admin.build_regions import Line


def answer_values(known: dict[str, Any]) -> list[str]:
    """The values of these answers as texts, containers taken apart."""
    return list(dict.fromkeys(_texts(list(known.values()))))


def answers(lines: Iterable[Line]) -> dict[str, Any]:
    """Name → value of a theory answer's assignments: literals, and plain arithmetic on them."""
    found: dict[str, Any] = {}
    for line in lines:
        if line.text[:1].isspace():
            continue
        try:
            body = ast.parse(line.text).body
        except SyntaxError:
            continue
        for node in body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                value = _value(node.value)
                if value is not None:
                    found[node.targets[0].id] = value
    return found


def compared(source: str, known: dict[str, Any]) -> list[str]:
    """Names of answers that a cell compares with their right value in plain sight.

    Seen are `expect_…(student.name, VALUE)`, also with `expected=VALUE`, and `student.name == VALUE`.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            name, others = _student_name(node.args[0]), node.args[1:2]
            others = [*others, *[keyword.value for keyword in node.keywords if keyword.arg == "expected"]]
        elif isinstance(node, ast.Compare):
            name, others = _student_name(node.left), node.comparators
        else:
            continue
        if name in known and any(_same(_value(other), known[name]) for other in others):
            found.append(name)
    return found


def _student_name(node: ast.expr) -> str:
    inside = (
        isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "student"
    )
    return node.attr if inside and isinstance(node, ast.Attribute) else ""


def _same(value: Any, answer: Any) -> bool:
    if isinstance(value, str) and isinstance(answer, str):
        return value.strip().casefold() == answer.strip().casefold()
    return value is not None and value is not Ellipsis and bool(value == answer)


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
