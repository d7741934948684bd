"""Does a manuscript hold what the syllabus promises, in cells that nbgrader and graders can rely on?

Every problem found is returned, each a line that names the manuscript's line and the cell.
"""

import ast
import re
from collections.abc import Iterator

from course_admin.build_manuscript import CODE_ROLES, MARKDOWN_ROLES, Cell, Manuscript
from course_admin.build_points import PointsProblem, count_points
from course_admin.build_regions import (
    HIDDEN_TESTS,
    MARK_SCHEME,
    SOLUTION,
    marker_problems,
    regions,
    without_regions,
)
from course_admin.stubs import StubError, make_stub
from course_admin.syllabus import Question

_HOMES = {SOLUTION: ("answer", "written"), HIDDEN_TESTS: ("test",), MARK_SCHEME: ("written",)}
_NEEDS_ID = ("setup", "answer", "test", "written")
_NEEDS_POINTS = ("test", "written")
_ID_LENGTH = 64  # nbformat's limit for a cell id


def manuscript_problems(manuscript: Manuscript, questions: tuple[Question, ...]) -> list[str]:
    """All that is wrong with a manuscript, in the order of its lines; empty when it can be built."""
    problems: list[str] = []
    for check in (_headers, _grade_ids, _order, _markers):
        problems.extend(check(manuscript))
    problems.extend(_questions(manuscript, questions))
    by_id = {question.id: question for question in questions}
    for cell in manuscript.cells:
        if cell.role in ("answer", "written", "test") and not marker_problems(cell.source):
            question = by_id.get((cell.grade_id or "").removesuffix("-test" if cell.role == "test" else ""))
            if question is not None:
                check_cell = _test if cell.role == "test" else _answer
                problems.extend(check_cell(manuscript, cell, question))
        elif cell.kind == "code" and cell.role in CODE_ROLES and not marker_problems(cell.source):
            problems.extend(_python(manuscript, cell))
    return sorted(dict.fromkeys(problems), key=_line_of)


def _line_of(problem: str) -> int:
    found = re.match(r"[^:]*:(\d+) ", problem)
    return int(found[1]) if found else 0


def _headers(manuscript: Manuscript) -> Iterator[str]:
    for cell in manuscript.cells:
        roles = CODE_ROLES if cell.kind == "code" else MARKDOWN_ROLES
        choices = ", ".join(roles)
        if cell.unknown:
            yield manuscript.at(
                cell, f'cannot read {", ".join(cell.unknown)}; use role="…" grade_id="…" points=…'
            )
        elif cell.kind not in ("code", "markdown"):
            yield manuscript.at(cell, f"a {cell.kind} cell; use code or markdown")
        elif cell.role is None and cell.kind == "code":
            yield manuscript.at(cell, f"a code cell without role; choose one of {choices}")
        elif cell.role is not None and cell.role not in roles:
            yield manuscript.at(
                cell, f'unknown role "{cell.role}" of a {cell.kind} cell; choose one of {choices}'
            )
        elif cell.role in _NEEDS_POINTS and cell.points is None:
            yield manuscript.at(cell, f"a {cell.role} cell without points; add points=…")
        elif cell.role not in _NEEDS_POINTS and cell.points is not None:
            yield manuscript.at(
                cell, f"points on a cell of role {cell.role}; only test and written cells have them"
            )


def _grade_ids(manuscript: Manuscript) -> Iterator[str]:
    seen: dict[str, Cell] = {}
    for cell in manuscript.cells:
        if cell.grade_id is None:
            if cell.role in _NEEDS_ID:
                yield manuscript.at(cell, f'a {cell.role} cell without grade_id; add grade_id="…"')
        elif cell.role not in _NEEDS_ID:
            yield manuscript.at(cell, f"a cell of role {cell.role} takes no grade_id; remove it")
        elif not re.fullmatch(r"[A-Za-z0-9-]+", cell.grade_id) or len(cell.grade_id) > _ID_LENGTH:
            yield manuscript.at(
                cell,
                f'malformed grade_id "{cell.grade_id}"; at most {_ID_LENGTH} letters, digits and hyphens',
            )
        elif cell.grade_id in seen:
            yield manuscript.at(
                cell,
                f'duplicate grade_id "{cell.grade_id}", first in line {seen[cell.grade_id].line}; rename one',
            )
        elif cell.role == "setup" and cell.grade_id != "setup":
            yield manuscript.at(cell, 'the setup cell has grade_id="setup"')
        else:
            seen[cell.grade_id] = cell


def _order(manuscript: Manuscript) -> Iterator[str]:
    code = [cell for cell in manuscript.cells if cell.kind == "code"]
    setups = [cell for cell in code if cell.role == "setup"]
    if not setups:
        yield f'{manuscript.shown}:1 no setup cell; the first code cell has role="setup"'
    elif setups[0] is not code[0] or len(setups) > 1:
        yield manuscript.at(setups[-1], "the setup cell stands once, as the first code cell")
    boards = [cell for cell in code if cell.role == "scoreboard"]
    if not boards:
        yield f'{manuscript.shown}:1 no scoreboard; the last cell has role="scoreboard"'
    elif boards[0] is not manuscript.cells[-1]:
        yield manuscript.at(boards[0], "the scoreboard stands once, as the last cell")


def _markers(manuscript: Manuscript) -> Iterator[str]:
    for cell in manuscript.cells:
        problems = marker_problems(cell.source)
        yield from (manuscript.at(cell, problem, index) for index, problem in problems)
        if problems:
            continue
        for region in regions(cell.source):
            homes = _HOMES[region.name]
            if cell.role not in homes:
                where = " or ".join(homes)
                yield manuscript.at(
                    cell, f"a {region.name} region belongs in a cell of role {where}; move it", region.begin
                )


def _questions(manuscript: Manuscript, questions: tuple[Question, ...]) -> Iterator[str]:
    """Every question has its cells, every graded cell its question."""
    cells = {(cell.role, cell.grade_id): cell for cell in manuscript.cells if cell.grade_id}
    wanted: dict[tuple[str | None, str | None], Question] = {}
    for question in questions:
        roles = (
            [("answer", question.id), ("test", question.grade_cell)]
            if question.auto
            else [("written", question.id)]
        )
        for role, grade_id in roles:
            wanted[role, grade_id] = question
            if (role, grade_id) not in cells:
                yield (
                    f'{manuscript.shown}: question "{question.id}" ({question.kind}) of syllabus.toml '
                    f'has no cell role="{role}" grade_id="{grade_id}"; write it or remove the question'
                )
        graded = cells.get((roles[-1][0], roles[-1][1]))
        if graded is not None and graded.points is not None and abs(graded.points - question.points) > 1e-9:
            yield manuscript.at(
                graded,
                f"{graded.points:g} points here, {question.points:g} in syllabus.toml; make the two agree",
            )
    for key, cell in cells.items():
        if cell.role in ("answer", "test", "written") and key not in wanted:
            yield manuscript.at(
                cell,
                f"syllabus.toml has no question for this {cell.role} cell; add one or correct the grade_id",
            )


def _python(manuscript: Manuscript, cell: Cell) -> Iterator[str]:
    try:
        # the scoreboard's {{questions}} is a set in a set: valid Python
        ast.parse(cell.source)
    except SyntaxError as error:
        yield manuscript.at(cell, f"not valid Python: {error.msg}", (error.lineno or 1) - 1)


def _answer(manuscript: Manuscript, cell: Cell, question: Question) -> Iterator[str]:
    try:
        make_stub(cell.source, question.kind, question.id, question.title)
    except StubError as error:
        yield manuscript.at(cell, str(error), error.index)


def _test(manuscript: Manuscript, cell: Cell, question: Question) -> Iterator[str]:
    broken = list(_python(manuscript, cell))
    if broken:
        yield from broken
        return
    visible = without_regions(cell.source, [HIDDEN_TESTS])
    try:
        ast.parse(visible)
    except SyntaxError as error:
        yield manuscript.at(
            cell,
            f"not valid Python without its hidden tests ({error.msg}); keep a visible check in each block",
        )
    try:
        name, total = count_points(ast.parse(cell.source))
    except PointsProblem as problem:
        yield manuscript.at(cell, str(problem), problem.line - 1)
        return
    if name != question.id:
        found = "no checking(…)" if name is None else f'checking("{name}")'
        yield manuscript.at(
            cell, f'{found}; the parts of this cell stand in one `with checking("{question.id}")`'
        )
    if cell.points is not None and abs(total - cell.points) > 1e-9:
        yield manuscript.at(
            cell, f"the parts add up to {total:g} points, the cell has {cell.points:g}; make the two agree"
        )
