"""The stub a student gets, made from the answer itself so that the two cannot drift.

Coding: each region becomes a TODO line and an error that names the exercise. Theory: each line keeps its name
and its comment. Written: a line of text. `StubSolutions` does this inside nbgrader's generate_assignment.
"""

import ast
import io
import tokenize
from dataclasses import dataclass
from typing import Any

from nbgrader.preprocessors import ClearSolutions

from course_admin.build_regions import SOLUTION, Region, read_lines, regions

THEORY_KINDS = ("choice", "number", "text")
CODE_KINDS = ("code", "project")
WRITTEN_STUB = "*Your answer here.*"


class StubError(ValueError):
    """No stub can be made; `index` is the line of the cell, from 0."""

    def __init__(self, index: int, problem: str) -> None:
        self.index = index
        super().__init__(problem)


@dataclass(frozen=True)
class Fill:
    """One line of a theory answer: `name = value  # comment`."""

    name: str
    value: ast.expr
    comment: str


def make_stub(source: str, kind: str, question: str, title: str) -> str:
    """The cell as a student gets it, tests and mark schemes aside.

    Args:
        source: the answer cell, with its regions.
        kind: the question's kind in the syllabus.
        question, title: what the error of a coding stub names.

    Raises:
        StubError: the cell has no region, or one that does not suit its kind.
    """
    found = regions(source, SOLUTION)
    if not found:
        raise StubError(
            0, "no solution region; put the answer between ### BEGIN SOLUTION and ### END SOLUTION"
        )
    if kind in CODE_KINDS:
        stubs = [_code_stub(source, region, question, title) for region in found]
    elif kind in THEORY_KINDS:
        stubs = [_theory_stub(region) for region in found]
    else:
        if len(found) > 1:
            raise StubError(found[1].begin, "a written answer has one solution region; join the two")
        stubs = [[WRITTEN_STUB]]
    stub = _replace(source, found, stubs)
    if kind in CODE_KINDS:
        _require_docstrings(stub, found)
    return stub


def read_fill(text: str, index: int) -> Fill:
    """Read one line of a theory answer.

    Raises:
        StubError: it is anything but one assignment to one name with a comment.
    """
    wrong = StubError(index, f"a theory answer is one `name = value  # comment` a line, not `{text.strip()}`")
    try:
        body = ast.parse(text).body
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (SyntaxError, tokenize.TokenError):
        raise wrong from None
    if len(body) != 1 or not isinstance(body[0], ast.Assign) or len(body[0].targets) != 1:
        raise wrong
    target, comments = body[0].targets[0], [t.string for t in tokens if t.type == tokenize.COMMENT]
    if not isinstance(target, ast.Name):
        raise wrong
    if not comments:
        raise StubError(index, f"`{target.id}` has no comment; say behind it what goes there")
    return Fill(target.id, body[0].value, comments[0])


def fills(region: Region) -> list[Fill]:
    """The assignments of a theory region. Blank lines and whole-line comments (working) are passed over."""
    lines = [line for line in region.lines if line.text.strip() and not line.text.lstrip().startswith("#")]
    return [read_fill(line.text, line.index) for line in lines]


def _theory_stub(region: Region) -> list[str]:
    stub = [f"{fill.name} = ...  {fill.comment}" for fill in fills(region)]
    if not stub:
        raise StubError(region.begin, "the solution region assigns nothing")
    return stub


def _code_stub(source: str, region: Region, question: str, title: str) -> list[str]:
    place = _qualified_name(source, region)
    if place is None:
        raise StubError(
            region.begin,
            "the region stands outside any function; put signature and docstring before it, the body inside",
        )
    first = next((line.text for line in region.lines if line.text.strip()), region.indent + "...")
    if first[: len(first) - len(first.lstrip())] != region.indent:
        raise StubError(region.begin, "the region's markers are not indented as its first line; align them")
    message = f"Exercise {question}: {title}".replace("\\", "\\\\").replace('"', '\\"')
    return [f"{region.indent}# TODO: write {place}", f'{region.indent}raise NotImplementedError("{message}")']


def _qualified_name(source: str, region: Region) -> str | None:
    """`RNNCell.forward` for a region in that method; None when it lies in no function."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise StubError((error.lineno or 1) - 1, f"not valid Python: {error.msg}") from None
    names: list[str] = []
    inside_function = False

    def descend(node: ast.AST) -> None:
        nonlocal inside_function
        for child in ast.iter_child_nodes(node):
            first, last = getattr(child, "lineno", None), getattr(child, "end_lineno", None)
            if first is None or last is None or not first <= region.begin + 1 <= last:
                continue
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names.append(child.name)
                inside_function |= not isinstance(child, ast.ClassDef)
            descend(child)

    descend(tree)
    return ".".join(names) if inside_function else None


def _replace(source: str, found: list[Region], stubs: list[list[str]]) -> str:
    begins = {region.begin: stub for region, stub in zip(found, stubs, strict=True)}
    lines: list[str] = []
    for line in read_lines(source):
        if line.index in begins:
            lines.extend(begins[line.index])
        elif line.region != SOLUTION:
            lines.append(line.text)
    return "\n".join(lines)


def _require_docstrings(stub: str, found: list[Region]) -> None:
    """Every function that is to be written tells its contract: in its own docstring or in its class's."""
    try:
        tree = ast.parse(stub)
    except SyntaxError as error:
        raise StubError(
            found[0].begin, f"the stub is not valid Python ({error.msg}: `{error.text}`)"
        ) from None

    def visit(node: ast.AST, told: bool) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                has = told or ast.get_docstring(child) is not None
                if not has and not isinstance(child, ast.ClassDef) and _is_stub(child):
                    raise StubError(
                        found[0].begin,
                        f"`{child.name}` has no docstring outside the region; write its contract",
                    )
                visit(child, has)

    visit(tree, False)


def _is_stub(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(
        isinstance(node, ast.Raise)
        and "Exercise " in ast.unparse(node)
        and "NotImplementedError" in ast.unparse(node)
        for node in ast.walk(function)
    )


class StubSolutions(ClearSolutions):
    """nbgrader's ClearSolutions with our stubs; it also drops what the source notes about its questions."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        nb, resources = super().preprocess(nb, resources)
        nb.metadata.get("course", {}).pop("built_sha256", None)
        for cell in nb.cells:
            cell.metadata.pop("course", None)
        return nb, resources

    def _replace_solution_region(self, cell: Any, language: str) -> bool:
        if not regions(cell.source, SOLUTION):
            return super()._replace_solution_region(cell, language)  # which refuses markers written otherwise
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        note = cell.metadata.get("course", {})
        if cell.cell_type != "code":
            kind = "written"
        elif "kind" in note:
            kind = note["kind"]
        else:
            raise RuntimeError(
                f"cell '{grade_id}' does not say its question's kind; build it with `coursework build`"
            )
        cell.source = make_stub(cell.source, kind, grade_id, note.get("title", ""))
        return True
