"""Which items of the texts are really covered: the syllabus held against the source notebooks.

A question counts only when its grade cell stands in `source/<notebook>/<notebook>.ipynb`. An item is covered
when every notebook that is its home has such a question, partly covered when only some of them have, missing
when none has.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from course_admin.syllabus import Item, Question, Syllabus

AUTO_SHARE = 0.8  # of a notebook's points, at least
WIDTH = 100  # columns where the output is not a terminal

COVERED, PARTLY, MISSING = "covered", "partly", "missing"
_COLORS = {COVERED: "green", PARTLY: "yellow", MISSING: "red"}


@dataclass(frozen=True)
class GradeCell:
    """A cell of a source notebook that holds points."""

    grade_id: str
    position: int  # counted from 1
    points: float
    written: bool


@dataclass(frozen=True)
class Answer:
    """A question that is to cover an item in one of its homes; `question` is None where a home has none."""

    notebook: str
    question: str | None
    kind: str | None
    graded: str | None  # "auto" or "hand"
    cell: str | None  # the grade id of the cell, when it is there
    position: int | None
    missing: str | None  # why it does not count, when it does not


@dataclass(frozen=True)
class Row:
    """One item and what covers it."""

    item: str
    text: str
    title: str
    state: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class NotebookPoints:
    """What a notebook's questions add up to, and how many of them have their cell."""

    notebook: str
    questions: int
    cells: int
    points: float
    auto_points: float
    minutes: float

    @property
    def auto_share(self) -> float | None:
        """The share of its points that a machine grades; None while it has no questions."""
        return self.auto_points / self.points if self.points else None


@dataclass(frozen=True)
class Coverage:
    """The whole report."""

    rows: tuple[Row, ...]
    notebooks: tuple[NotebookPoints, ...]
    problems: tuple[str, ...]

    def count(self, state: str) -> int:
        """How many items are in this state."""
        return sum(row.state == state for row in self.rows)

    @property
    def complete(self) -> bool:
        """True when every item is covered and nothing else is wrong."""
        return self.count(COVERED) == len(self.rows) and not self.problems

    @property
    def summary(self) -> str:
        """One line: covered n of m."""
        return (
            f"covered {self.count(COVERED)} of {len(self.rows)} items "
            f"({self.count(PARTLY)} partly, {self.count(MISSING)} missing)"
        )

    def to_json(self) -> str:
        """The report as JSON; the same syllabus and notebooks give the same bytes."""
        report = {
            "summary": self.summary,
            "total": len(self.rows),
            **{state: self.count(state) for state in (COVERED, PARTLY, MISSING)},
            "complete": self.complete,
            "texts": {
                text: {"covered": sum(row.state == COVERED for row in rows), "total": len(rows)}
                for text, rows in _by_text(self.rows)
            },
            "notebooks": [{**asdict(row), "auto_share": row.auto_share} for row in self.notebooks],
            "problems": list(self.problems),
            "items": [asdict(row) for row in self.rows],
        }
        return json.dumps(report, ensure_ascii=False, indent=2) + "\n"


def coverage(syllabus: Syllabus, source_dir: Path | str) -> Coverage:
    """Hold the syllabus against the notebooks under `source_dir`.

    A notebook that is not there, or that cannot be read, counts as one without cells; nothing is raised.
    """
    problems: list[str] = []
    cells: dict[str, dict[str, GradeCell] | None] = {}
    for notebook in syllabus.notebooks:
        path = Path(source_dir) / notebook.name / f"{notebook.name}.ipynb"
        cells[notebook.name] = _grade_cells(path, notebook.number, problems)
    answers = {question.id: _answer(question, cells[question.notebook]) for question in syllabus.questions}
    for name, found in cells.items():
        problems += _cell_problems(name, syllabus.questions_of(name), found, answers)
    points = tuple(_points(syllabus, notebook.name, answers) for notebook in syllabus.notebooks)
    for row in points:
        if row.auto_share is not None and row.auto_share < AUTO_SHARE:
            problems.append(
                f"{row.notebook}: {row.auto_share:.0%} of the points are auto-graded, at least "
                f"{AUTO_SHARE:.0%} must be; move points from written questions to others"
            )
    rows = tuple(_row(item, syllabus, answers) for item in syllabus.items)
    return Coverage(rows, points, tuple(problems))


def print_coverage(
    syllabus: Syllabus,
    source_dir: Path | str,
    json_file: Path | str | None = None,
    strict: bool = False,
    console: Console | None = None,
) -> int:
    """Print the report, write it to `json_file` if named, and return an exit code.

    The code is 1 only when `strict` is set and an item lacks a home's question or a problem was found.
    """
    report = coverage(syllabus, source_dir)
    if console is None:
        console = Console()
        if not console.is_terminal:
            console = Console(width=WIDTH)
    console.print(_items_table(report))
    console.print(
        "[dim]cell: notebook and position; its grade id is <question>-test, or <question> if written[/dim]"
    )
    console.print(_points_table(report))
    for problem in report.problems:
        console.print(f"[red]problem[/red] {escape(problem)}")
    console.print(f"[bold]{report.summary}[/bold]")
    if json_file is not None:
        Path(json_file).write_text(report.to_json(), encoding="utf-8")
    return 1 if strict and not report.complete else 0


def _by_text(rows: tuple[Row, ...]) -> Iterator[tuple[str, list[Row]]]:
    for text in dict.fromkeys(row.text for row in rows):
        yield text, [row for row in rows if row.text == text]


def _grade_cells(path: Path, number: str, problems: list[str]) -> dict[str, GradeCell] | None:
    """The cells of one notebook that hold points, by grade id; None when there is no notebook to read."""
    if not path.is_file():
        return None
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))["cells"]
        tags = [cell["metadata"].get("nbgrader") or {} for cell in raw]
        tagged = [(place, tag, float(tag.get("points") or 0)) for place, tag in enumerate(tags, 1)]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        problems.append(f"{path.name}: not a notebook ({error!r}); run `coursework build {number}` again")
        return None
    found: dict[str, GradeCell] = {}
    for position, tag, points in tagged:
        if not (tag.get("grade") or tag.get("task")):
            continue
        grade_id = str(tag.get("grade_id"))
        if grade_id in found:
            problems.append(
                f'{path.name}: grade id "{grade_id}" stands twice; nbgrader refuses that, rename one'
            )
            continue
        written = bool(tag.get("solution") or tag.get("task"))
        found[grade_id] = GradeCell(grade_id, position, points, written)
    return found


def _answer(question: Question, cells: dict[str, GradeCell] | None) -> Answer:
    """A question with the grade cell that it really has."""
    cell = (cells or {}).get(question.grade_cell)
    missing = None
    if cells is None:
        missing = "notebook not built"
    elif cell is None:
        missing = "no grade cell"
    elif cell.written == question.auto:
        missing = "cell is written" if cell.written else "cell is a test"
        cell = None
    return Answer(
        notebook=question.notebook,
        question=question.id,
        kind=question.kind,
        graded="auto" if question.auto else "hand",
        cell=cell.grade_id if cell else None,
        position=cell.position if cell else None,
        missing=missing,
    )


def _cell_problems(
    name: str, questions: tuple[Question, ...], cells: dict[str, GradeCell] | None, answers: dict[str, Answer]
) -> Iterator[str]:
    """Where the questions and the grade cells of one notebook do not agree."""
    if not cells:
        if questions:
            count = len(questions)
            yield f"{name}: no grade cell of its {count} questions found; run `coursework build {name[:2]}`"
        return
    for question in questions:
        cell, answer = cells.get(question.grade_cell), answers[question.id]
        if answer.missing:
            yield (
                f'{name}: question "{question.id}": {answer.missing}; a {question.kind} question '
                f'needs the grade cell "{question.grade_cell}"'
            )
        elif cell and cell.points != question.points:
            yield (
                f'{name}: cell "{cell.grade_id}" gives {cell.points:g} points, the syllabus says '
                f"{question.points:g}; make them agree"
            )
    known = {question.grade_cell for question in questions}
    for grade_id in cells:
        if grade_id not in known:
            yield f'{name}: graded cell "{grade_id}" is in no question; list it in syllabus.toml or drop it'


def _row(item: Item, syllabus: Syllabus, answers: dict[str, Answer]) -> Row:
    """One item: the questions of each of its homes, or a place left open where a home has none."""
    found: list[Answer] = []
    covered_homes = 0
    for home in item.notebooks:
        here = [
            answers[question.id] for question in syllabus.questions_of(home) if item.name in question.covers
        ]
        covered_homes += any(answer.missing is None for answer in here)
        found += here or [Answer(home, None, None, None, None, None, "no question yet")]
    state = COVERED if covered_homes == len(item.notebooks) else PARTLY if covered_homes else MISSING
    return Row(item.name, item.text, item.title, state, tuple(found))


def _points(syllabus: Syllabus, name: str, answers: dict[str, Answer]) -> NotebookPoints:
    questions = syllabus.questions_of(name)
    return NotebookPoints(
        notebook=name,
        questions=len(questions),
        cells=sum(answers[question.id].missing is None for question in questions),
        points=sum(question.points for question in questions),
        auto_points=sum(question.points for question in questions if question.auto),
        minutes=sum(question.minutes for question in questions),
    )


def _items_table(report: Coverage) -> Table:
    table = Table(
        box=None, pad_edge=False, padding=(0, 1, 0, 0), title="Items of the texts", title_justify="left"
    )
    columns = {
        "item": 10,
        "title": 34,
        "question": 24,
        "cell": 7,
        "graded": 12,
        "state": 7,
    }  # 99 with the gaps
    for heading, width in columns.items():
        table.add_column(heading, width=width, overflow="fold")
    for text, rows in _by_text(report.rows):
        covered = sum(row.state == COVERED for row in rows)
        table.add_row(f"[bold]text {escape(text)}[/bold]", f"[bold]covered {covered} of {len(rows)}[/bold]")
        for row in rows:
            name, title, state = escape(row.item), escape(row.title), f"[{_COLORS[row.state]}]{row.state}[/]"
            for answer in row.answers:
                number = answer.notebook[:2]
                cell = f"{number} #{answer.position}" if answer.position else f"{number} none"
                graded = f"{answer.graded} {answer.kind}" if answer.question else ""
                question = escape(answer.question or f"({answer.missing})")
                table.add_row(name, title, question, cell, graded, state)
                name = title = state = ""
        table.add_section()
    return table


def _points_table(report: Coverage) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1), title="Notebooks", title_justify="left")
    table.add_column("notebook", no_wrap=True)
    for heading in ("questions", "with cell", "points", "auto-graded", "hours"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in report.notebooks:
        share = "-" if row.auto_share is None else f"{row.auto_share:.0%}"
        if row.auto_share is not None and row.auto_share < AUTO_SHARE:
            share = f"[red]{share}[/red]"
        figures = (f"{row.questions}", f"{row.cells}", f"{row.points:g}", share, f"{row.minutes / 60:.1f}")
        table.add_row(escape(row.notebook), *figures)
    return table
