"""What the parts of a test cell are worth, read from its text without running it."""

import ast

MISSING = object()
_OPEN = (  # what stands in these runs nobody can read how often
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.While),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
)


class PointsProblem(ValueError):
    """The points cannot be counted; `line` is the line of the cell, from 1."""

    def __init__(self, line: int, problem: str) -> None:
        self.line = line
        super().__init__(problem)


def count_points(tree: ast.Module) -> tuple[str | None, float]:
    """The name given to `checking(…)` and the sum of `check.part(…, points=n)` over the cell.

    A part in a loop counts once a turn where the loop's length can be read from the text: a literal, a name
    bound once to a literal, `range`, `enumerate`, `zip`, or a dictionary's items.

    Raises:
        PointsProblem: points that are no number, or a part with points where its repeats cannot be read.
    """
    names = [
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and _called(node) == "checking"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    ]
    if len(names) > 1:
        raise PointsProblem(1, "more than one checking(…) in the cell; keep one")
    return (str(names[0]) if names else None), _sum(tree, 1, _literals(tree))


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _literals(tree: ast.Module) -> dict[str, ast.expr]:
    """Names that the cell binds exactly once, at its top level or within its `with`."""
    bound: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            bound.setdefault(node.targets[0].id, []).append(node.value)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            bound.setdefault(node.target.id, []).extend([node.value, node.value])
    return {name: values[0] for name, values in bound.items() if len(values) == 1}


def _sum(node: ast.AST, turns: int | None, literals: dict[str, ast.expr]) -> float:
    """Points of the parts under `node`, which runs `turns` times (None: cannot be read)."""
    total = 0.0
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "part":
        points = _points(node)
        if points and turns is None:
            raise PointsProblem(
                node.lineno,
                "a part with points in a function or an open loop cannot be counted; write the parts out",
            )
        total += points * (turns or 0)
    for child in ast.iter_child_nodes(node):
        if isinstance(node, ast.For) and child in node.body:
            inner = _times(turns, _length(node.iter, literals))
        elif isinstance(node, _OPEN):
            inner = None
        else:
            inner = turns
        total += _sum(child, inner, literals)
    return total


def _times(outer: int | None, inner: int | None) -> int | None:
    return None if outer is None or inner is None else outer * inner


def _points(call: ast.Call) -> float:
    given = next((keyword.value for keyword in call.keywords if keyword.arg == "points"), None)
    if given is None and len(call.args) > 1:
        given = call.args[1]
    if given is None:
        return 0.0
    value = given.value if isinstance(given, ast.Constant) else MISSING
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PointsProblem(call.lineno, f"points={ast.unparse(given)} is no number; write the number itself")
    return float(value)


def _length(node: ast.expr, literals: dict[str, ast.expr]) -> int | None:
    """How many items the expression has, where the text tells."""
    if isinstance(node, ast.Name) and node.id in literals:
        return _length(literals[node.id], {k: v for k, v in literals.items() if k != node.id})
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return None if any(isinstance(item, ast.Starred) for item in node.elts) else len(node.elts)
    if isinstance(node, ast.Dict):
        return None if None in node.keys else len(node.keys)
    if not isinstance(node, ast.Call):
        return None
    called = _called(node)
    if called in ("items", "keys", "values") and isinstance(node.func, ast.Attribute):
        return _length(node.func.value, literals)
    if called in ("enumerate", "reversed", "sorted", "list", "tuple") and node.args:
        return _length(node.args[0], literals)
    if called == "zip" and node.args:
        lengths = [_length(argument, literals) for argument in node.args]
        return None if None in lengths else min(length for length in lengths if length is not None)
    if called == "range" and all(isinstance(a, ast.Constant) and isinstance(a.value, int) for a in node.args):
        return len(
            range(*[a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, int)])
        )
    return None
