"""Marks into nbgrader's gradebook, which is opened once for a whole class: one transaction a submission.

The rows are those that nbgrader's own `autograde` would leave (a test compares them), with one difference: a mark given by hand
stays only where the answer it was given for is still the same. It asks for a second look only where the machine thinks otherwise
than when it was given, or where the answer it was given for is not known anymore.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
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
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError, OperationalError

from course_admin.grading.by_hand import answer_to, answers, set_mark
from course_admin.grading.graded_files import write_notebook as write_notebook

NO_RESPONSE = "No response."
LONGEST_NAME = 128  # of a student: the gradebook's column; SQLite would take more, PostgreSQL refuses

# Without them each look at one submission's rows reads those of the whole class: nbgrader's own indexes lead with something else.
INDEXES = [
    f"CREATE INDEX IF NOT EXISTS course_{table}_{column} ON {table} ({column})"
    for table, column in (
        ("grade", "notebook_id"),
        ("comment", "notebook_id"),
        ("submitted_notebook", "assignment_id"),
        ("submitted_assignment", "student_id"),
    )
]


class NotStored(OSError):
    """The gradebook did not take a submission's marks; it is as it was before."""


@dataclass
class Marks:
    """What the gradebook holds for one submission.

    Attributes:
        scores: grade id → points, None where a person has yet to mark.
        points: grade id → most points.
        penalty: points taken off because it came late.
        dropped: grade id → points that were given by hand for another answer and have just been taken back.
    """

    scores: dict[str, float | None] = field(default_factory=dict)
    points: dict[str, float] = field(default_factory=dict)
    penalty: float = 0.0
    dropped: dict[str, float] = field(default_factory=dict)


class Recorder:
    """An open gradebook and the cells of one notebook. Use as a context manager.

    Args:
        db_url: nbgrader's, SQLite or PostgreSQL.
        config: nbgrader's configuration, for its late-submission plugin.

    Raises:
        FileNotFoundError: the gradebook does not know the notebook.
    """

    def __init__(self, db_url: str, course_id: str, notebook: str, config: Any = None):
        self.config = config
        self.gradebook = Gradebook(db_url, course_id)
        session = self.gradebook.db
        with contextlib.suppress(NotStored):  # locked, or no right to: only slower
            self._transaction(lambda: [session.execute(text(statement)) for statement in INDEXES])
        row = session.scalars(
            select(Notebook).where(Notebook.name == notebook, Notebook.assignment.has(name=notebook))
        ).one_or_none()
        if row is None:
            self.gradebook.close()
            raise FileNotFoundError(
                f"the gradebook does not know {notebook}; run: coursework build {notebook[:2]}"
            )
        self._notebook_id, self._assignment_id = row.id, row.assignment.id
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
        return self._transaction(lambda: set(self.gradebook.db.scalars(found)))

    def held(self, student: str) -> Marks | None:
        """The marks in the gradebook, if there are any."""
        return self._transaction(lambda: self._marks(found) if (found := self._found(student)) else None)

    def recorded(self, student: str, timestamp: Any = None) -> Marks | None:
        """As `held`, but None too where time of handing in or penalty would be others if the same marks were stored now."""

        def look() -> Marks | None:
            found = self._found(student)
            if found is None:
                return None
            if timestamp is not None and found.assignment.timestamp != utils.parse_utc(timestamp):
                return None
            same = (self._penalty(found) or 0.0) == (found.late_submission_penalty or 0.0)
            return self._marks(found) if same else None

        return self._transaction(look)

    def store(self, student: str, notebook: dict, previous: dict | None, timestamp: Any = None) -> Marks:
        """Store the marks of a graded notebook; all of them or, on any exception, nothing.

        Args:
            notebook: graded, with outputs.
            previous: the graded notebook that marks given by hand belong to, if there is one.
            timestamp: when it was handed in; what the gradebook knows stays if None.

        Raises:
            NotStored: the database refused, also at a second try, or the plugin for late submissions failed.
        """
        if len(student) > LONGEST_NAME or any("\ud800" <= sign <= "\udfff" for sign in student):
            shown = ascii(student[:LONGEST_NAME])
            raise NotStored(f"rename the folder {shown}: UTF-8, at most {LONGEST_NAME} letters")

        def write() -> Marks:
            found = self._submission(student, timestamp)
            dropped = self._write(found.id, nbformat.from_dict(notebook), previous)
            found.late_submission_penalty = self._penalty(found)
            self.gradebook.db.flush()
            marks = self._marks(found)
            marks.dropped = dropped
            return marks

        return self._transaction(write)

    def _transaction(self, work: Callable[[], Any]) -> Any:
        session = self.gradebook.db
        for tries_left in (1, 0):  # a server that was restarted, a file that was locked: once more
            try:
                result = work()
                session.commit()
                return result
            except Exception as error:  # whatever it is, the other submissions go on
                session.rollback()
                lost = isinstance(error, DBAPIError) and error.connection_invalidated
                if not tries_left or not (lost or isinstance(error, OperationalError)):
                    said = (str(error).splitlines() or [""])[0]
                    raise NotStored(f"{type(error).__name__}: {said}") from error
            except BaseException:
                session.rollback()
                raise

    def _found(self, student: str) -> SubmittedNotebook | None:
        return self.gradebook.db.scalars(
            select(SubmittedNotebook)
            .join(SubmittedNotebook.assignment)
            .where(
                SubmittedAssignment.assignment_id == self._assignment_id,
                SubmittedAssignment.student_id == student,
                SubmittedNotebook.notebook_id == self._notebook_id,
            )
        ).one_or_none()

    def _submission(self, student: str, timestamp: Any) -> SubmittedNotebook:
        """The student's submitted notebook, made with all its rows if it is the first."""
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
        found = self._found(student)
        if found is None:
            found = SubmittedNotebook(notebook_id=self._notebook_id, assignment_id=submission.id)
            session.add(found)
            session.flush()
        self._rows(Grade, found.id, self._graded)
        self._rows(Comment, found.id, self._commented)
        return found

    def _rows(self, kind: Any, notebook_id: str, cells: dict[str, str]) -> None:
        """Add the rows that are missing: all of them the first time, those of new questions after a rebuilt notebook."""
        session = self.gradebook.db
        there = set(session.scalars(select(kind.cell_id).where(kind.notebook_id == notebook_id)))
        missing = [
            {"cell_id": cell, "notebook_id": notebook_id} for cell in cells.values() if cell not in there
        ]
        if missing:
            session.execute(insert(kind), missing)

    def _write(self, notebook_id: str, notebook: Any, previous: dict | None) -> dict[str, float]:
        """Marks and comments; returns the marks given by hand that were taken back."""
        session, dropped = self.gradebook.db, {}
        grades = {
            g.cell_id: g for g in session.scalars(select(Grade).where(Grade.notebook_id == notebook_id))
        }
        comments = {
            c.cell_id: c for c in session.scalars(select(Comment).where(Comment.notebook_id == notebook_id))
        }
        now, before = answers(notebook), answers(previous) if previous is not None else None
        for cell in notebook.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            if utils.is_grade(cell) and name in self._graded:
                grade, answer = grades[self._graded[name]], answer_to(name, now)
                by_hand = (grade.manual_score or 0.0) + (grade.extra_credit or 0.0)
                if set_mark(grade, utils.determine_grade(cell)[0], answer, answer_to(name, before)):
                    dropped[name] = by_hand
            if (utils.is_solution(cell) or utils.is_task(cell)) and name in self._commented:
                untouched = cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell)
                comment = comments[self._commented[name]]
                comment.auto_comment = NO_RESPONSE if untouched and not utils.is_task(cell) else None
        session.flush()
        return dropped

    def _marks(self, found: SubmittedNotebook) -> Marks:
        marks = Marks(points=self.points, penalty=found.late_submission_penalty or 0.0)
        grades = self.gradebook.db.scalars(select(Grade).where(Grade.notebook_id == found.id))
        by_cell = {grade.cell_id: grade for grade in grades}
        for name, cell_id in self._graded.items():
            grade = by_cell.get(cell_id)
            score = None
            if grade is not None:
                score = grade.auto_score if grade.manual_score is None else grade.manual_score
                score = None if score is None else score + (grade.extra_credit or 0.0)
            marks.scores[name] = score
        return marks

    def _penalty(self, found: SubmittedNotebook) -> float | None:
        """What nbgrader's step for late submissions would store, with its plugin, within this transaction."""
        submission = found.assignment
        if submission.timestamp is None or submission.assignment.duedate is None:
            return None
        late = submission.total_seconds_late
        if not late > 0:
            return None
        step = AssignLatePenalties(config=self.config)
        step.init_plugin()
        penalty = step.plugin_inst.late_submission_penalty(submission.student_id, found.score, late)
        return None if penalty is None else step._check_late_penalty(found, penalty)
