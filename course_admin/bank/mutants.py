"""First-order mutants of a reference solution: one small change each, as a slip of the hand would make.

Only code inside the solution region changes; docstrings, error messages, annotations and imports stay. A mutant's name is its
line in the source cell and the statement before and after: `line 12: h = x + b -> h = x - b`. The kinds of change are listed
in `course_admin/bank/operators.py`.
"""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

from course_admin.bank.notebook import QuestionCells
from course_admin.bank.operators import changes, removals

REMOVED = "removed"


@dataclass(frozen=True)
class Mutant:
    """One changed reference solution: its name and the whole answer cell."""

    name: str
    text: str


def mutants_of(question: QuestionCells) -> list[Mutant]:
    """The mutants of a coding or project question, in the order of its lines; none for other kinds."""
    if question.kind not in ("code", "project"):
        return []
    lines = {number for region in question.regions for number in region}
    return list(make_mutants(question.source, lines))


def make_mutants(source: str, lines: set[int]) -> Iterator[Mutant]:
    """Every mutant of `source` whose change begins on one of `lines` (from 1), each text once.

    Raises:
        SyntaxError: the source is no Python.
    """
    tree = ast.parse(source)
    seen = {ast.unparse(tree)}
    names: dict[str, int] = {}
    for path, statement_path in _sites(tree, lines):
        node, statement = _at(tree, path), _at(tree, statement_path)
        replacements: list[tuple[ast.AST | list[ast.stmt], bool]] = [
            (new, False) for new in changes(node, _parents(tree, path))
        ]
        if isinstance(node, ast.stmt):
            replacements += [(new, True) for new in removals(node, _parents(tree, path))]
        for new, removal in replacements:
            mutated = copy.deepcopy(tree)
            _put(mutated, path, new)
            ast.fix_missing_locations(mutated)
            try:
                text = ast.unparse(mutated)
                compile(text, "<mutant>", "exec")
            except (SyntaxError, ValueError, TypeError):  # `return` outside a function and the like
                continue
            if text in seen:
                continue
            seen.add(text)
            after = (
                REMOVED if removal and not isinstance(new, list) else _header(_at(mutated, statement_path))
            )
            if isinstance(new, list):
                after = "its body alone"
            name = f"line {node.lineno}: {_header(statement)} -> {after}"  # type: ignore[attr-defined]
            names[name] = names.get(name, 0) + 1
            yield Mutant(name if names[name] == 1 else f"{name} ({names[name]})", text + "\n")


# Where to change -------------------------------------------------------------------------------------------------------

Step = tuple[str, int | None]
Path = tuple[Step, ...]


def _sites(tree: ast.Module, lines: set[int]) -> Iterator[tuple[Path, Path]]:
    """Paths of the nodes that may change, each with the path of its statement."""

    def walk(node: ast.AST, path: Path, statement: Path) -> Iterator[tuple[Path, Path]]:
        if isinstance(node, ast.stmt):
            statement = path
        if isinstance(node, ast.Import | ast.ImportFrom | ast.JoinedStr) or _is_docstring(tree, path, node):
            return
        if isinstance(node, ast.stmt | ast.expr) and node.lineno in lines:
            yield path, statement
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list", "ctx", "type_params"):
                continue
            if isinstance(node, ast.Raise):  # what a message says is not what the code does
                continue
            if isinstance(value, ast.AST):
                yield from walk(value, (*path, (name, None)), statement)
            elif isinstance(value, list):
                for number, item in enumerate(value):
                    if isinstance(item, ast.AST):
                        yield from walk(item, (*path, (name, number)), statement)

    yield from walk(tree, (), ())


def _is_docstring(tree: ast.Module, path: Path, node: ast.AST) -> bool:
    """Also any other string that stands alone: it does nothing."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and path[-1][0] == "body"


def _at(tree: ast.AST, path: Path) -> ast.AST:
    node: ast.AST = tree
    for name, number in path:
        value = getattr(node, name)
        node = value if number is None else value[number]
    return node


def _parents(tree: ast.AST, path: Path) -> list[ast.AST]:
    """The nodes above a path, nearest first."""
    return [_at(tree, path[:depth]) for depth in range(len(path) - 1, -1, -1)]


def _put(tree: ast.AST, path: Path, new: ast.AST | list[ast.stmt]) -> None:
    """Replace the node at `path` by a copy of `new`, or by several statements."""
    parent, (name, number) = _at(tree, path[:-1]), path[-1]
    if isinstance(new, list):
        assert number is not None
        getattr(parent, name)[number : number + 1] = copy.deepcopy(new)
    elif number is None:
        setattr(parent, name, copy.deepcopy(new))
    else:
        getattr(parent, name)[number] = copy.deepcopy(new)


def _header(statement: ast.AST) -> str:
    """A statement on one line; of a compound one its first line."""
    shown = copy.copy(statement)
    if hasattr(shown, "body") and isinstance(shown.body, list):
        shown.body = [ast.Pass()]
    if hasattr(shown, "decorator_list"):
        shown.decorator_list = []
    return ast.unparse(shown).splitlines()[0]
