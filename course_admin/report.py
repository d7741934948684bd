"""`coursework report`: how a class did, on one page for the instructor, in report/NN_name.html.

Everything comes from what grading left: the gradebook (marks given by hand count), `audit.jsonl`, and the verdicts in the graded
notebooks. The page holds all students' names and marks and what hidden tests said; so it lies in a folder of its own, never in
feedback/, which students get. `report_page.py` makes the page.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbgrader.coursedir import CourseDirectory

from course_admin.grading.audit import Audit
from course_admin.grading.classroom import Course, nbgrader_config
from course_admin.report_marks import Marks, read_marks
from course_admin.report_messages import Group, failures_in, grouped
from course_admin.syllabus import load_syllabus

FOLDER = "report"
KINDS = {
    "choice": "theory",
    "number": "theory",
    "text": "theory",
    "code": "coding",
    "project": "project",
    "written": "written",
}
STATES = ("full", "partial", "none", "blank", "to mark")


class NothingGraded(LookupError):
    """No submission of the notebook has a mark."""


@dataclass(frozen=True)
class Question:
    """How the class did at one question.

    Attributes:
        kind: theory, coding, project or written; empty where the syllabus does not know the question.
        points: the most it gives.
        mean: of the points, over those who have a mark for it; None if nobody has.
        counts: how many answers are in each of `STATES`.
        said: what its tests told those who did not get all points.
    """

    grade_id: str
    title: str
    kind: str
    points: float
    mean: float | None
    counts: dict[str, int]
    said: list[Group]


@dataclass
class Report:
    """What the page shows.

    Attributes:
        submissions: handed in or graded.
        students: those with a mark, by name.
        flags: student → flags, for those who have any.
        unmarked: student → why there is no mark, or none of the newest submission.
        feedback: students whose feedback page is written.
        graded: time of the newest grading, ISO 8601 in UTC; empty where none is known.
        versions: of the course → how many marks come from it.
    """

    notebook: str
    title: str
    submissions: int
    students: list[Marks]
    questions: list[Question]
    flags: dict[str, list[str]] = field(default_factory=dict)
    unmarked: dict[str, str] = field(default_factory=dict)
    feedback: set[str] = field(default_factory=set)
    graded: str = ""
    versions: dict[str, int] = field(default_factory=dict)

    @property
    def points(self) -> float:
        """The most that all questions give together."""
        return sum(question.points for question in self.questions)


def write_report(course: Course, config: Any = None) -> Path:
    """Write the report on a graded section.

    Args:
        config: nbgrader's configuration; the course's own if None.

    Returns:
        The page, report/NN_name.html in the course folder.

    Raises:
        NothingGraded: no submission has a mark.
    """
    from course_admin.report_page import page

    text = page(collect(course, config))
    path = course.root / FOLDER / f"{course.notebook}.html"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def collect(course: Course, config: Any = None) -> Report:
    """All that the report on a section says.

    Raises:
        NothingGraded: no submission has a mark.
    """
    directory = CourseDirectory(config=config if config is not None else nbgrader_config(course.root))
    points, students = read_marks(directory.db_url, directory.course_id, course.notebook)
    if not students:
        raise NothingGraded(f"nothing is graded yet; run: coursework grade {course.notebook[:2]}")
    audit = Audit(course.root)
    last = audit.last(course.notebook)
    title, known = _described(course)
    order = {grade_id: place for place, grade_id in enumerate(known)}
    flags: dict[str, list[str]] = {}
    records: dict[str, dict[str, Any]] = {}
    for marks in students:
        record = _graded_record(course.autograded(marks.student))
        records[marks.student] = record["verdicts"]
        entry = last.get(marks.student, {})
        found = dict.fromkeys([*_texts(entry.get("flags")), *record["flags"]])
        if found:
            flags[marks.student] = list(found)
    questions = [
        _question(grade_id, points[grade_id], *known.get(grade_id, ("", "")), students, records)
        for grade_id in sorted(points, key=lambda name: order.get(name, len(order)))
    ]
    have = {marks.student for marks in students}
    handed_in = have | set(course.submitted())
    return Report(
        notebook=course.notebook,
        title=title,
        submissions=len(handed_in),
        students=students,
        questions=questions,
        flags=flags,
        unmarked=_unmarked(course, handed_in, have, audit),
        feedback={name for name in have if feedback_page(course, name).is_file()},
        graded=max((str(last[name].get("time", "")) for name in have & last.keys()), default=""),
        versions=dict(
            Counter(str(last[name].get("version", "")) or "not known" for name in have & last.keys())
        ),
    )


def feedback_page(course: Course, student: str) -> Path:
    """Where `coursework feedback` writes a student's page."""
    return course.root / "feedback" / student / course.notebook / f"{course.notebook}.html"


def _described(course: Course) -> tuple[str, dict[str, tuple[str, str]]]:
    """Title of the section; grade id → title and kind of its questions, in the order in which a student meets them."""
    file = course.root / "syllabus.toml"
    if not file.exists():
        return course.notebook, {}
    syllabus = load_syllabus(file)
    questions = syllabus.questions_of(course.notebook)
    known = {question.grade_cell: (question.title, KINDS[question.kind]) for question in questions}
    return f"{course.notebook[:2]} {syllabus.notebook(course.notebook).title}", known


def _graded_record(path: Path) -> dict[str, Any]:
    """Flags, and verdicts by grade id, from a graded notebook; empty where it holds none that can be read."""
    try:
        course = json.loads(path.read_bytes())["metadata"]["course"]
        verdicts = {str(verdict["grade_id"]): verdict for verdict in course["verdicts"]}
        return {"flags": _texts(course["flags"]), "verdicts": verdicts}
    except FileNotFoundError:
        return {"flags": [f"autograded/ holds no notebook of theirs: {path.name}"], "verdicts": {}}
    except (OSError, ValueError, KeyError, TypeError):
        return {"flags": ["its graded notebook holds no verdicts that can be read"], "verdicts": {}}


def _texts(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _question(
    grade_id: str,
    points: float,
    title: str,
    kind: str,
    students: list[Marks],
    records: Mapping[str, Mapping[str, Any]],
) -> Question:
    counts = dict.fromkeys(STATES, 0)
    messages: dict[str, list[str]] = {}
    for marks in students:
        score = marks.scores.get(grade_id)
        verdict = records[marks.student].get(grade_id, {})
        unanswered = verdict.get("outcome") == "unanswered"
        blank = unanswered or grade_id.removesuffix("-test") in marks.untouched
        counts[_state(score, points, blank)] += 1
        if not blank and (score is None or score < points) and verdict.get("outcome") not in (None, "passed"):
            messages[marks.student] = failures_in(str(verdict.get("message", "")))
    known = [score for marks in students if (score := marks.scores.get(grade_id)) is not None]
    mean = sum(known) / len(known) if known else None
    return Question(grade_id.removesuffix("-test"), title, kind, points, mean, counts, grouped(messages))


def _state(score: float | None, points: float, blank: bool) -> str:
    if score is None:
        return "to mark"
    if blank and not score:
        return "blank"
    return "full" if score >= points else "partial" if score > 0 else "none"


def _unmarked(course: Course, handed_in: set[str], have: set[str], audit: Audit) -> dict[str, str]:
    """Why submissions have no mark, by student."""
    failed = audit.failures(course.notebook)
    again = f"coursework grade {course.notebook[:2]} --resume"
    found = {}
    for student in sorted(handed_in):
        why = failed.get(student)
        if student in have:
            if why:
                found[student] = f"has the mark of an earlier grading; the newest one failed: {why}"
        else:
            found[student] = why or f"not graded yet; run: {again}"
    return found
