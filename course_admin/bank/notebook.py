"""What the bank reads from the built notebooks: each question's reference answer, its test cell and its stub.

The source notebook decides; the release adds only the stub, since that is the text students really get. Cells are found by
their nbgrader grade id: the answer cell is `<question>`, its test cell `<question>-test`, the setup cell `setup`.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_admin.stubs import make_stub
from course_admin.syllabus import Question, load_syllabus

_BEGIN = re.compile(r"^\s*#+\s*BEGIN SOLUTION\s*$")
_END = re.compile(r"^\s*#+\s*END SOLUTION\s*$")
_SCHEME = re.compile(
    r"^\s*#+\s*BEGIN MARK SCHEME.*?^\s*#+\s*END MARK SCHEME\s*?$\n?", re.MULTILINE | re.DOTALL
)


class NotebookError(ValueError):
    """A notebook that is not there, or lacks a cell that the syllabus promises."""


@dataclass(frozen=True)
class QuestionCells:
    """One machine-graded question.

    Attributes:
        id, kind, points: as in the syllabus.
        source: the answer cell with its solution markers, as authors see it; line numbers of mutants count in it.
        test: the test cell with its hidden tests.
        stub: the answer cell that students get: the release's, or, where that is not built, what the build makes.
    """

    id: str
    kind: str
    points: float
    source: str
    test: str
    stub: str

    @property
    def reference(self) -> str:
        """The reference solution: the answer cell without the marker lines."""
        kept = [line for line in self.source.splitlines() if not (_BEGIN.match(line) or _END.match(line))]
        return "\n".join(kept) + "\n"

    @property
    def regions(self) -> list[range]:
        """Line numbers (from 1) of each solution region in `source`, markers excluded."""
        return _regions(self.source)


@dataclass(frozen=True)
class WrittenCell:
    """One written question: the cell's text around the answer, and the model answer."""

    id: str
    points: float
    source: str

    @property
    def model_answer(self) -> str:
        lines = self.source.splitlines()
        return "\n".join(lines[n - 1] for region in _regions(self.source) for n in region).strip()

    def answered(self, answer: str) -> str:
        """The cell's text as a student leaves it: their answer in place of the model answer, no mark scheme."""
        lines, regions = self.source.splitlines(), _regions(self.source)
        if not regions:
            return f"{self.source.rstrip()}\n\n{answer}"
        before, after = lines[: regions[0].start - 2], lines[regions[-1].stop :]
        return _SCHEME.sub("", "\n".join([*before, answer, *after]) + "\n").rstrip()


@dataclass(frozen=True)
class CourseNotebook:
    """One notebook's setup cell and questions, in the order of the syllabus."""

    name: str
    setup: str
    questions: tuple[QuestionCells, ...]
    written: tuple[WrittenCell, ...]

    def question(self, question_id: str) -> QuestionCells:
        """The machine-graded question with this id; `NotebookError` when there is none."""
        for question in self.questions:
            if question.id == question_id:
                return question
        known = ", ".join(question.id for question in self.questions)
        raise NotebookError(f'{self.name} has no machine-graded question "{question_id}"; it has {known}')


def read_notebook(root: Path, key: str) -> CourseNotebook:
    """Read the notebook with this number or name from `source/`, its stubs from `release/` where that is built.

    Raises:
        NotebookError: the source is not built, is no notebook, or lacks cells; every one of them is named.
        SyllabusError: no such notebook in the syllabus.
    """
    syllabus = load_syllabus(root / "syllabus.toml")
    name = syllabus.notebook(key).name
    path = root / "source" / name / f"{name}.ipynb"
    if not path.exists():
        raise NotebookError(
            f"source/{name}/{name}.ipynb is not there; run `coursework build {name[:2]}` first"
        )
    cells = cells_by_grade_id(load_json(path))
    release = root / "release" / name / f"{name}.ipynb"
    stubs = cells_by_grade_id(load_json(release)) if release.exists() else {}

    wanted = syllabus.questions_of(name)
    needed = ["setup", *(g for q in wanted for g in ([q.id, q.grade_cell] if q.auto else [q.id]))]
    missing = [grade_id for grade_id in needed if grade_id not in cells]
    if missing:
        raise NotebookError(f"{name} lacks the cells {', '.join(missing)}, which syllabus.toml promises")
    return CourseNotebook(
        name=name,
        setup=cells["setup"]["source"],
        questions=tuple(_question(q, cells, stubs) for q in wanted if q.auto),
        written=tuple(WrittenCell(q.id, q.points, cells[q.id]["source"]) for q in wanted if not q.auto),
    )


def load_json(path: Path) -> dict[str, Any]:
    """A notebook file as plain data, each cell's source as one text.

    Raises:
        NotebookError: the file holds no notebook.
    """
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            cell["source"] = "".join(cell["source"])
    except (ValueError, KeyError, TypeError) as error:
        raise NotebookError(f"{path.name} is no notebook: {error}") from None
    return notebook


def grade_id_of(cell: dict[str, Any]) -> str | None:
    """The nbgrader grade id of a cell, or None."""
    return cell.get("metadata", {}).get("nbgrader", {}).get("grade_id")


def cells_by_grade_id(notebook: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The cells that carry a grade id, by that id."""
    return {grade_id: cell for cell in notebook["cells"] if (grade_id := grade_id_of(cell))}


def _question(question: Question, cells: dict[str, dict], stubs: dict[str, dict]) -> QuestionCells:
    points = cells[question.grade_cell]["metadata"]["nbgrader"].get("points", question.points)
    if points != question.points:
        raise NotebookError(
            f"{question.grade_cell}: {points:g} points in the notebook, {question.points:g} in syllabus.toml"
        )
    source = cells[question.id]["source"]
    if question.id in stubs:
        stub = stubs[question.id]["source"]
    else:
        stub = make_stub(source, question.kind, question.id, question.title)
    return QuestionCells(
        id=question.id,
        kind=question.kind,
        points=float(question.points),
        source=source,
        test=cells[question.grade_cell]["source"],
        stub=stub,
    )


def _regions(source: str) -> list[range]:
    regions, start = [], 0
    for number, line in enumerate(source.splitlines(), 1):
        if _BEGIN.match(line):
            start = number + 1
        elif _END.match(line) and start:
            regions.append(range(start, number))
            start = 0
    return regions
