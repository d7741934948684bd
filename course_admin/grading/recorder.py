"""Marks into nbgrader's gradebook, which is opened once for a whole class: one transaction a submission.

The rows are those that nbgrader's own `autograde` would leave (a test compares them), with one difference: a mark given by hand
stays only where the answer it was given for is still the same.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbgrader import utils
from nbgrader.api import (
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    Notebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)
from sqlalchemy import insert, select

from course_admin.grading.outputs import text_of

NO_RESPONSE = "No response."


@dataclass
class Marks:
    """What the gradebook holds for one submission after recording.

    Attributes:
        scores: grade id → points, None where a person has yet to mark.
        points: grade id → most points.
    """

    scores: dict[str, float | None] = field(default_factory=dict)
    points: dict[str, float] = field(default_factory=dict)


class Recorder:
    """An open gradebook and the cells of one notebook. Use as a context manager.

    Args:
        db_url: nbgrader's, SQLite or PostgreSQL.
        config: nbgrader's configuration, for its late-submission plugin.

    Raises:
        FileNotFoundError: the gradebook does not know the notebook.
    """

    def __init__(self, db_url: str, course_id: str, notebook: str, config: Any = None):
        self.name, self.config, self.db_url = notebook, config, db_url
        self.gradebook = Gradebook(db_url, course_id)
        session = self.gradebook.db
        row = session.scalars(
            select(Notebook).where(Notebook.name == notebook, Notebook.assignment.has(name=notebook))
        ).one_or_none()
        if row is None:
            self.gradebook.close()
            raise FileNotFoundError(
                f"the gradebook does not know {notebook}; run: coursework build {notebook[:2]}"
            )
        self._notebook_id, self._assignment_id = row.id, row.assignment.id
        self._duedate = row.assignment.duedate
        cells = session.scalars(select(BaseCell).where(BaseCell.notebook_id == row.id)).all()
        graded = [cell for cell in cells if cell.type in ("GradeCell", "TaskCell")]
        self.points = {cell.name: float(cell.max_score) for cell in graded}
        self._graded = {cell.name: cell.id for cell in graded}
        self._commented = {cell.name: cell.id for cell in cells if cell.type in ("SolutionCell", "TaskCell")}
        session.rollback()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *_: object) -> None:
        self.gradebook.close()

    def known(self) -> set[str]:
        """Students who have a submission of the notebook in the gradebook."""
        found = select(SubmittedAssignment.student_id).where(
            SubmittedAssignment.assignment_id == self._assignment_id
        )
        return set(self.gradebook.db.scalars(found))

    def store(self, student: str, notebook: dict, previous: dict | None, timestamp: Any = None) -> Marks:
        """Store the marks of a graded notebook.

        Args:
            notebook: graded, with outputs.
            previous: the graded notebook that marks given by hand belong to, if there is one.
            timestamp: when it was handed in.
        """
        session = self.gradebook.db
        try:
            submitted = self._submission(student, timestamp)
            marks = self._write(submitted, nbformat.from_dict(notebook), previous)
            session.commit()
        except BaseException:
            session.rollback()
            raise
        if timestamp is not None and self._duedate is not None:
            self._late(student, notebook)
        session.expunge_all()  # a class of thousands must not pile up here
        return marks

    def _submission(self, student: str, timestamp: Any) -> str:
        """Id of the student's submitted notebook, made with all its rows if it is the first."""
        session = self.gradebook.db
        if session.get(Student, student) is None:
            session.add(Student(id=student))
            session.flush()
        submission = session.scalars(
            select(SubmittedAssignment).where(
                SubmittedAssignment.assignment_id == self._assignment_id,
                SubmittedAssignment.student_id == student,
            )
        ).one_or_none()
        if submission is None:
            submission = SubmittedAssignment(assignment_id=self._assignment_id, student_id=student)
            session.add(submission)
        if timestamp is not None:
            submission.timestamp = utils.parse_utc(timestamp)
        session.flush()
        found = session.scalars(
            select(SubmittedNotebook).where(
                SubmittedNotebook.assignment_id == submission.id,
                SubmittedNotebook.notebook_id == self._notebook_id,
            )
        ).one_or_none()
        if found is None:
            found = SubmittedNotebook(notebook_id=self._notebook_id, assignment_id=submission.id)
            session.add(found)
        found.late_submission_penalty = None
        session.flush()
        self._rows(Grade, found.id, self._graded)
        self._rows(Comment, found.id, self._commented)
        return found.id

    def _rows(self, kind: Any, notebook_id: str, cells: dict[str, str]) -> None:
        """Add the rows that are missing: all of them the first time, those of new questions after a rebuilt notebook."""
        session = self.gradebook.db
        there = set(session.scalars(select(kind.cell_id).where(kind.notebook_id == notebook_id)))
        missing = [
            {"cell_id": cell, "notebook_id": notebook_id} for cell in cells.values() if cell not in there
        ]
        if missing:
            session.execute(insert(kind), missing)

    def _write(self, notebook_id: str, notebook: Any, previous: dict | None) -> Marks:
        session = self.gradebook.db
        grades = {
            g.cell_id: g for g in session.scalars(select(Grade).where(Grade.notebook_id == notebook_id))
        }
        comments = {
            c.cell_id: c for c in session.scalars(select(Comment).where(Comment.notebook_id == notebook_id))
        }
        now = answers({"cells": notebook.cells})
        before = answers(previous) if previous is not None else None
        marks = Marks(points=self.points)
        for cell in notebook.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            if utils.is_grade(cell) and name in self._graded:
                grade = grades[self._graded[name]]
                self._mark(
                    grade, utils.determine_grade(cell)[0], answer_to(name, now), answer_to(name, before)
                )
            if (utils.is_solution(cell) or utils.is_task(cell)) and name in self._commented:
                untouched = cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell)
                comment = comments[self._commented[name]]
                comment.auto_comment = NO_RESPONSE if untouched and not utils.is_task(cell) else None
        session.flush()
        for name, cell_id in self._graded.items():
            grade = grades[cell_id]
            score = grade.manual_score if grade.manual_score is not None else grade.auto_score
            marks.scores[name] = None if score is None else score + (grade.extra_credit or 0.0)
        return marks

    @staticmethod
    def _mark(grade: Grade, auto_score: float | None, now: str | None, before: str | None) -> None:
        changed = auto_score != grade.auto_score
        if grade.manual_score is not None and before is not None and now != before:
            grade.manual_score, changed = None, True  # it was given for another answer
        grade.auto_score = auto_score
        if grade.manual_score is None:
            grade.needs_manual_grade = auto_score is None
        elif changed:
            grade.needs_manual_grade = True  # the machine thinks otherwise than when it was given: look again

    def _late(self, student: str, notebook: dict) -> None:
        """nbgrader's own step for late submissions, with its plugin; it opens the gradebook itself: only where it can matter."""
        from nbgrader.preprocessors import AssignLatePenalties

        names = {"notebook": self.name, "assignment": self.name, "student": student, "db_url": self.db_url}
        AssignLatePenalties(config=self.config).preprocess(nbformat.from_dict(notebook), {"nbgrader": names})


def answers(notebook: dict | None) -> dict[str, str]:
    """Grade id → text of each cell of a notebook that has one."""
    cells = (notebook or {}).get("cells", [])
    named = ((cell.get("metadata", {}).get("nbgrader", {}).get("grade_id"), cell) for cell in cells)
    return {name: text_of(cell.get("source")) for name, cell in named if name}


def answer_to(grade_id: str, known: dict[str, str] | None) -> str | None:
    """The answer that a grade is for: the cell itself, or for `x-test` the cell `x`."""
    if known is None:
        return None
    return known.get(grade_id.removesuffix("-test"), known.get(grade_id, ""))


def write_notebook(path: Path, notebook: dict, extra: dict[Path, Path]) -> None:
    """Write a graded notebook beside its other files, whole or not at all.

    Args:
        extra: other files of the submission and the course: where each belongs → where it is.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for target, origin in extra.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        shutil.copy(origin, target)
    text = json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.chmod(name, 0o444)
    os.replace(name, path)
