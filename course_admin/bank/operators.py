"""The kinds of change that `mutants.py` makes: for a node of the syntax tree, the nodes that could stand in its place.

Operators swapped or dropped, operands exchanged, conditions negated, constants and bounds off by one, axes changed, keywords
and statements removed, functions exchanged for their neighbors, another local value returned. Changes that cannot matter
(a negative axis for the same positive one, `transpose(0, 1)` for `transpose(1, 0)`) are not made.
"""

import ast
import copy
from collections.abc import Iterator, Sequence

import numpy as np

AXIS_KEYWORDS = {"axis", "dim", "axes", "dims"}
AXIS_FUNCTIONS = {
    "sum", "mean", "max", "min", "argmax", "argmin", "softmax", "log_softmax", "cumsum", "unbind", "stack", "cat",
    "concatenate", "squeeze", "unsqueeze", "expand_dims", "flip", "size", "std", "var", "norm", "all", "any",
}  # fmt: skip
NEIGHBORS = {
    "tanh": ["relu", "sigmoid"], "relu": ["tanh"], "sigmoid": ["tanh"], "softmax": ["log_softmax"],
    "log_softmax": ["softmax"], "sum": ["mean"], "mean": ["sum"], "max": ["min"], "min": ["max"],
    "argmax": ["argmin"], "argmin": ["argmax"], "zeros": ["ones"], "ones": ["zeros"],
    "zeros_like": ["ones_like"], "ones_like": ["zeros_like"], "zeros_": ["ones_"], "ones_": ["zeros_"],
    "exp": ["log"], "log": ["exp", "log2"], "floor": ["ceil"], "ceil": ["floor"], "rand": ["randn"], "randn": ["rand"],
    "xavier_uniform_": ["xavier_normal_"], "xavier_normal_": ["xavier_uniform_"], "stack": ["cat"], "cat": ["stack"],
    "maximum": ["minimum"], "minimum": ["maximum"], "any": ["all"], "all": ["any"], "uniform": ["normal"],
    "concatenate": ["stack"],
    "Tanh": ["ReLU"], "ReLU": ["Tanh"],
}  # fmt: skip
FIRST_ARGUMENT_INSTEAD = {
    "tanh",
    "relu",
    "sigmoid",
    "sqrt",
    "exp",
    "log",
    "abs",
    "reversed",
    "sorted",
    "softmax",
}
METHODS_DROPPED = {
    "detach",
    "clone",
    "copy",
    "flip",
    "squeeze",
    "unsqueeze",
    "transpose",
    "permute",
    "t",
    "sort",
}
SYMMETRIC = {
    "isinstance", "maximum", "minimum", "allclose", "isclose", "transpose", "swapaxes", "add", "mul", "multiply",
    "mse_loss", "max", "min", "zip", "print", "setattr", "getattr", "hasattr",
}  # fmt: skip
BINARY: dict[type[ast.operator], list[type[ast.operator]]] = {
    ast.Add: [ast.Sub], ast.Sub: [ast.Add], ast.Mult: [ast.Div], ast.Div: [ast.Mult], ast.FloorDiv: [ast.Mult],
    ast.Mod: [ast.Mult], ast.Pow: [ast.Mult], ast.MatMult: [], ast.BitAnd: [ast.BitOr], ast.BitOr: [ast.BitAnd],
}  # fmt: skip
SIZE_FUNCTIONS = {"reshape", "view", "expand"}  # -1 there may mean the very size that the constant names
COMPARE: dict[type[ast.cmpop], list[type[ast.cmpop]]] = {
    ast.Lt: [ast.LtE, ast.GtE], ast.LtE: [ast.Lt, ast.Gt], ast.Gt: [ast.GtE, ast.LtE], ast.GtE: [ast.Gt, ast.Lt],
    ast.Eq: [ast.NotEq], ast.NotEq: [ast.Eq], ast.In: [ast.NotIn], ast.NotIn: [ast.In], ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
}  # fmt: skip


def changes(node: ast.AST, parents: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """What could stand in the place of `node`; `parents` are the nodes above it, nearest first."""
    match node:
        case ast.BinOp():
            yield from _binary(node)
        case ast.AugAssign():
            for kind in BINARY.get(type(node.op), []):
                yield _with(node, op=kind())
            plain = ast.copy_location(ast.Assign(targets=[node.target], value=node.value), node)
            yield plain
        case ast.Compare():
            for number, op in enumerate(node.ops):
                for compare in COMPARE.get(type(op), []):
                    yield _with(node, ops=[*node.ops[:number], compare(), *node.ops[number + 1 :]])
        case ast.BoolOp():
            yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
        case ast.UnaryOp():
            if not isinstance(node.operand, ast.Constant):
                yield node.operand
            else:
                yield from _constant(node, parents)
        case ast.Constant():
            if not (parents and isinstance(parents[0], ast.UnaryOp)):
                yield from _constant(node, parents)
        case ast.If() | ast.While() | ast.IfExp():
            if not isinstance(node.test, ast.Compare | ast.Constant):
                yield _with(node, test=_negated(node.test))
        case ast.ListComp() | ast.GeneratorExp() | ast.SetComp():
            yield from _filters(node)
        case ast.Slice():
            yield from _slice(node)
        case ast.Call():
            yield from _call(node)
        case ast.Attribute():
            if node.attr in ("T", "mT"):
                yield node.value
        case ast.Return():
            yield from _return(node, parents)


def removals(node: ast.stmt, parents: Sequence[ast.AST]) -> Iterator[ast.AST | list[ast.stmt]]:
    """`pass` for a statement whose absence still leaves every name defined; a `with` block's body for the block."""
    match node:
        case (
            ast.Expr()
            | ast.AugAssign()
            | ast.Raise()
            | ast.Assert()
            | ast.Delete()
            | ast.Break()
            | ast.Continue()
        ):
            yield _pass(node)
        case ast.If() | ast.For() | ast.While():
            yield _pass(node)
        case ast.Assign() if any(
            isinstance(target, ast.Attribute | ast.Subscript) for target in node.targets
        ):
            yield _pass(node)
        case ast.Assign() if _assigned_before(node, parents):
            yield _pass(node)
        case ast.With():
            yield list(node.body)


def _with(node: ast.AST, **fields: object) -> ast.AST:
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def _pass(node: ast.stmt) -> ast.stmt:
    return ast.copy_location(ast.Pass(), node)


def _negated(test: ast.expr) -> ast.expr:
    return (
        test.operand
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
        else ast.UnaryOp(ast.Not(), test)
    )


def _binary(node: ast.BinOp) -> Iterator[ast.AST]:
    for kind in BINARY.get(type(node.op), []):
        yield _with(node, op=kind())
    if isinstance(node.op, ast.MatMult | ast.Sub | ast.Div):
        yield _with(node, left=node.right, right=node.left)
    if isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.Div):
        yield node.left
    if isinstance(node.op, ast.Add | ast.Mult):
        yield node.right


def _constant(node: ast.Constant | ast.UnaryOp, parents: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """Numbers off by one, with the other sign, and truth values turned; an axis only to another axis."""
    if isinstance(node, ast.UnaryOp):
        if not (isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant)):
            if isinstance(node.op, ast.Not):
                yield node.operand
            return
        value = node.operand.value
        value = -value if isinstance(value, int | float) else None
    else:
        value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int) and _is_axis(node, parents):
        near = {0: [1], -1: [0]}.get(value, [value - 1, value + 1])
        yield from (_number(other) for other in near)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        others = [value + 1, value - 1] if isinstance(value, int) or abs(value) >= 0.1 else [value + 1]
        size = parents and isinstance(parents[0], ast.Call) and _name(parents[0].func) in SIZE_FUNCTIONS
        others += [] if size else [-value]
        yield from (_number(other) for other in dict.fromkeys(others) if other != value)


def _number(value: float) -> ast.expr:
    return ast.Constant(value) if value >= 0 else ast.UnaryOp(ast.USub(), ast.Constant(-value))


def _is_axis(node: ast.AST, parents: Sequence[ast.AST]) -> bool:
    if not parents:
        return False
    if isinstance(parents[0], ast.keyword):
        return parents[0].arg in AXIS_KEYWORDS
    call = parents[0]
    if (
        isinstance(call, ast.Subscript)
        and isinstance(call.value, ast.Attribute)
        and call.value.attr == "shape"
    ):
        return True
    if isinstance(call, ast.Call) and node in call.args and _name(call.func) in AXIS_FUNCTIONS:
        return True
    return isinstance(call, ast.Tuple) and len(parents) > 1 and _is_axis(call, parents[1:])


def _filters(node: ast.ListComp | ast.GeneratorExp | ast.SetComp) -> Iterator[ast.AST]:
    for number, generator in enumerate(node.generators):
        for place, test in enumerate(generator.ifs):
            others = [*generator.ifs[:place], *generator.ifs[place + 1 :]]
            for ifs in (others, [*others, _negated(test)]):
                changed = _with(generator, ifs=ifs)
                yield _with(
                    node, generators=[*node.generators[:number], changed, *node.generators[number + 1 :]]
                )


def _slice(node: ast.Slice) -> Iterator[ast.AST]:
    for field in ("lower", "upper"):
        bound = getattr(node, field)
        if bound is None:
            continue
        yield _with(node, **{field: None})
        if not isinstance(bound, ast.Constant | ast.UnaryOp):
            yield _with(node, **{field: ast.BinOp(bound, ast.Add(), ast.Constant(1))})
    if node.step is not None:
        yield _with(node, step=None)
    if node.lower is None and node.upper is not None and node.step is None:
        yield _with(node, lower=ast.Constant(1))


def _call(node: ast.Call) -> Iterator[ast.AST]:
    name = _name(node.func)
    numpy_call = isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) in ("np", "numpy")
    for neighbor in NEIGHBORS.get(name, []):
        if numpy_call and not hasattr(np, neighbor):
            continue  # a name that does not exist is no slip worth counting
        func = (
            ast.Name(neighbor, ast.Load())
            if isinstance(node.func, ast.Name)
            else _with(node.func, attr=neighbor)
        )
        yield _with(node, func=func)
    if name in FIRST_ARGUMENT_INSTEAD:
        if node.args and not isinstance(node.args[0], ast.Starred):
            yield node.args[0]
        elif not node.args and isinstance(node.func, ast.Attribute):
            yield node.func.value
    if name in METHODS_DROPPED and isinstance(node.func, ast.Attribute) and not _is_library(node.func.value):
        yield node.func.value
    for number in range(len(node.keywords)):
        if node.keywords[number].arg is not None:
            yield _with(node, keywords=[*node.keywords[:number], *node.keywords[number + 1 :]])
    if name == "range":
        yield from _range(node)
        return
    if len(node.args) >= 2 and not any(isinstance(argument, ast.Starred) for argument in node.args):
        yield _with(node, args=node.args[:-1])
        if name not in SYMMETRIC:
            yield _with(node, args=[node.args[1], node.args[0], *node.args[2:]])


def _range(node: ast.Call) -> Iterator[ast.AST]:
    """A loop that starts one late, stops one early, or runs one too far."""
    if not node.args or len(node.args) > 2:
        return
    stop = node.args[-1]
    if not isinstance(stop, ast.Constant):
        for op in (ast.Sub(), ast.Add()):
            yield _with(node, args=[*node.args[:-1], ast.BinOp(stop, op, ast.Constant(1))])
    if len(node.args) == 1:
        yield _with(node, args=[ast.Constant(1), stop])
    elif not isinstance(node.args[0], ast.Constant):
        yield _with(node, args=[ast.BinOp(node.args[0], ast.Add(), ast.Constant(1)), stop])


def _return(node: ast.Return, parents: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """The parts of a returned tuple exchanged; another local value for a returned name."""
    function = next((parent for parent in parents if isinstance(parent, ast.FunctionDef)), None)
    value = node.value
    if isinstance(value, ast.Tuple) and len(value.elts) >= 2:
        first, second, *rest = value.elts
        yield _with(node, value=_with(value, elts=[second, first, *rest]))
        yield _with(node, value=first)
    if function is None or not isinstance(value, ast.Name):
        return
    for other in _locals_before(function, node.lineno)[-3:]:
        if other != value.id:
            yield _with(node, value=ast.Name(other, ast.Load()))


def _locals_before(function: ast.FunctionDef, line: int) -> list[str]:
    names = [argument.arg for argument in function.args.args if argument.arg != "self"]
    for inner in ast.walk(function):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store) and inner.lineno < line:
            names.append(inner.id)
    return list(dict.fromkeys(names))


def _assigned_before(node: ast.Assign, parents: Sequence[ast.AST]) -> bool:
    function = next((parent for parent in parents if isinstance(parent, ast.FunctionDef)), None)
    if function is None:
        return False
    names = {inner.id for target in node.targets for inner in ast.walk(target) if isinstance(inner, ast.Name)}
    return names <= set(_locals_before(function, node.lineno))


def _name(func: ast.expr) -> str:
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""


def _is_library(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in {
        "torch",
        "np",
        "numpy",
        "F",
        "nn",
        "copy",
        "functional",
        "math",
    }
