"""What the gradebook holds for one notebook, read in a handful of queries whatever the size of the class."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

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
from sqlalchemy import select
from sqlalchemy.engine import make_url

from course_admin.grading.recorder import NO_RESPONSE


@dataclass
class Marks:
    """One student's marks.

    Attributes:
        name: family name and given name, where the gradebook knows them.
        scores: grade id → points, a person's in place of the machine's; None where a person has yet to mark.
        to_mark: answers that wait for a person, a second look included.
        untouched: ids of answer cells that still hold what the release holds.
        penalty: points taken off because it came late.
    """

    student: str
    name: str = ""
    scores: dict[str, float | None] = field(default_factory=dict)
    to_mark: int = 0
    untouched: set[str] = field(default_factory=set)
    penalty: float = 0.0

    @property
    def total(self) -> float:
        """Points of all questions, less the penalty; 0 stands for what a person has yet to mark."""
        return max(0.0, sum(score or 0.0 for score in self.scores.values()) - self.penalty)


def read_marks(db_url: str, course_id: str, notebook: str) -> tuple[dict[str, float], list[Marks]]:
    """Read a gradebook without changing it.

    Returns:
        Most points by grade id, and the marks of each student by name; both empty where the gradebook is not there or does not
        know the notebook.
    """
    url = make_url(db_url)
    if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).exists():
        return {}, []
    with Gradebook(db_url, course_id) as gradebook:
        session = gradebook.db
        book = session.scalars(
            select(Notebook.id).where(Notebook.name == notebook, Notebook.assignment.has(name=notebook))
        ).one_or_none()
        if book is None:
            return {}, []
        cells = session.scalars(select(BaseCell).where(BaseCell.notebook_id == book)).all()
        names = {cell.id: cell.name for cell in cells}
        points = {
            cell.name: float(cell.max_score) for cell in cells if cell.type in ("GradeCell", "TaskCell")
        }
        submissions = session.execute(
            select(
                SubmittedNotebook.id,
                SubmittedNotebook.late_submission_penalty,
                Student.id,
                Student.last_name,
                Student.first_name,
            )
            .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
            .join(Student, SubmittedAssignment.student_id == Student.id)
            .where(SubmittedNotebook.notebook_id == book)
        )
        found = {
            number: Marks(
                student,
                ", ".join(filter(None, (last, first))),
                dict.fromkeys(points),
                penalty=float(penalty or 0.0),
            )
            for number, penalty, student, last, first in submissions
        }
        ours = select(SubmittedNotebook.id).where(SubmittedNotebook.notebook_id == book)
        grades = select(
            Grade.notebook_id,
            Grade.cell_id,
            Grade.auto_score,
            Grade.manual_score,
            Grade.extra_credit,
            Grade.needs_manual_grade,
        ).where(Grade.notebook_id.in_(ours))
        for number, cell, machine, person, extra, wanted in session.execute(grades):
            score = machine if person is None else person
            found[number].scores[names[cell]] = None if score is None else score + (extra or 0.0)
            found[number].to_mark += bool(wanted or score is None)
        comments = select(Comment.notebook_id, Comment.cell_id).where(
            Comment.notebook_id.in_(ours), Comment.auto_comment == NO_RESPONSE
        )
        for number, cell in session.execute(comments):
            found[number].untouched.add(names[cell])
    return points, sorted(found.values(), key=lambda marks: (marks.name or marks.student).casefold())
