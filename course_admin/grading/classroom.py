"""Grade a class: the heavy part of every submission in parallel, then nbgrader's own autograde, which writes the marks.

Each submission's result is a pure function of its bytes and the source, so it can be computed anywhere; only this
coordinator touches files and the gradebook.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from course_admin.build_release import tools_on_path
from course_admin.grading.config import configure_grading
from course_admin.grading.examiner import WorkerFailed, grade_in_process
from course_admin.grading.limits import Limits
from course_admin.grading.preprocessors import SandboxedExecute
from course_admin.grading.reading import Unreadable, read_submission, unlink_links
from course_admin.grading.reassemble import reassemble
from course_admin.grading.worker import Job, Result


@dataclass
class Graded:
    """One graded submission.

    Attributes:
        scores: grade id → points, None where a person has yet to mark.
        points: grade id → most points.
        flags: for the instructor.
        error: why there is no mark; empty where there is one.
    """

    student: str
    scores: dict[str, float | None] = field(default_factory=dict)
    points: dict[str, float] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)
    seconds: float = 0.0
    error: str = ""

    @property
    def total(self) -> float:
        return sum(score or 0.0 for score in self.scores.values())

    @property
    def to_mark(self) -> int:
        return sum(score is None for score in self.scores.values())


@dataclass
class Course:
    """A course folder and the notebook to grade."""

    root: Path
    notebook: str

    def submitted(self) -> list[str]:
        """Students who handed the notebook in, by name."""
        folder = self.root / "submitted"
        return sorted(
            p.parent.name for p in folder.glob(f"*/{self.notebook}") if not p.parent.name.startswith(".")
        )

    def source(self) -> dict:
        return self._read("source")

    def release(self) -> dict:
        return self._read("release")

    def _read(self, folder: str) -> dict:
        path = self.root / folder / self.notebook / f"{self.notebook}.ipynb"
        if not path.exists():
            raise FileNotFoundError(
                f"{folder}/{self.notebook} is not built; run: coursework build {self.notebook[:2]}"
            )
        return json.loads(path.read_text(encoding="utf-8"))

    def autograded(self, student: str) -> Path:
        return self.root / "autograded" / student / self.notebook / f"{self.notebook}.ipynb"


def prepare(course: Course, student: str, source: dict, release: dict, limits: dict, unsafe: bool) -> Job:
    """The job for one submission: what its sandboxed execution needs, and nothing else."""
    path = course.root / "submitted" / student / course.notebook / f"{course.notebook}.ipynb"
    try:
        submission: dict = read_submission(path)
    except Unreadable:
        submission = {"cells": []}
    made = reassemble(submission, source, release)
    return Job(notebook=made.notebook, records=made.records, limits=limits, unsafe=unsafe)


def grade_class(
    course: Course,
    students: list[str],
    *,
    jobs: int | None = None,
    limits: dict | None = None,
    unsafe: bool = False,
    config: Any = None,
    on_done: Callable[[Graded], None] = lambda graded: None,
) -> list[Graded]:
    """Grade submissions and store their marks in nbgrader's gradebook.

    Args:
        jobs: submissions at a time; the number of cores if None.
        limits: deviations from the default limits.
        config: nbgrader's configuration; the course's own if None.
        on_done: called after each submission.
    """
    from nbgrader.apps import NbGraderAPI

    Limits.from_dict(limits or {})
    config = config if config is not None else nbgrader_config(course.root)
    config.SandboxedExecute.limits = limits or {}
    config.SandboxedExecute.unsafe = unsafe
    api = NbGraderAPI(config=config)
    source, release = course.source(), course.release()
    with tools_on_path(), api.gradebook as gradebook:
        if course.notebook not in [assignment.name for assignment in gradebook.assignments]:
            raise FileNotFoundError(
                f"the gradebook does not know {course.notebook}; run: coursework build {course.notebook[:2]}"
            )
    graded = []
    for student in students:
        unlink_links(course.root / "submitted" / student)
    for student, result in _results(course, students, source, release, limits or {}, unsafe, jobs):
        record = Graded(student)
        if isinstance(result, Exception):
            record.error = str(result)
        else:
            SandboxedExecute.ready[course.notebook, student] = result
            outcome = api.autograde(course.notebook, student, force=True, create=True)
            if not outcome["success"]:
                record.error = why_failed(outcome)
            else:
                _read_marks(api, course, record)
        graded.append(record)
        on_done(record)
    return sorted(graded, key=lambda record: record.student)


def _results(
    course: Course,
    students: list[str],
    source: dict,
    release: dict,
    limits: dict,
    unsafe: bool,
    jobs: int | None,
) -> Iterator[tuple[str, Any]]:
    """(student, result or exception) in the order in which they finish. Each runs in a process of its own."""

    def work(student: str) -> Result:
        return grade_in_process(prepare(course, student, source, release, limits, unsafe))

    with ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool:
        waiting: dict[Future, str] = {pool.submit(work, student): student for student in students}
        for future in as_completed(waiting):
            error = future.exception()
            if error is not None and not isinstance(error, WorkerFailed | OSError | ValueError):
                raise error
            yield waiting[future], error if error is not None else future.result()


def _read_marks(api: Any, course: Course, record: Graded) -> None:
    with api.gradebook as gradebook:
        submission = gradebook.find_submission_notebook(course.notebook, course.notebook, record.student)
        for grade in submission.grades:
            pending = grade.auto_score is None and grade.manual_score is None
            record.scores[grade.name] = None if pending else grade.score
            record.points[grade.name] = grade.max_score
    notes = json.loads(course.autograded(record.student).read_text(encoding="utf-8"))["metadata"].get(
        "course", {}
    )
    record.flags = list(notes.get("flags", []))
    record.seconds = float(notes.get("seconds", 0.0))


def why_failed(outcome: dict) -> str:
    """The last exception in what nbgrader logged; its own error only points there."""
    lines = (str(outcome.get("log") or "") + "\n" + str(outcome.get("error") or "")).splitlines()
    said = [line for line in lines if re.match(r"[\w.]+(Error|Exception|Failed|Unavailable)\b", line)]
    return said[0][:500] if said else "\n".join(lines)[-500:]


def nbgrader_config(root: Path) -> Any:
    """The course's nbgrader configuration, with `root` as the course folder. Whatever its file says, grading is sandboxed."""
    from traitlets.config import Config, PyFileConfigLoader

    file = root / "nbgrader_config.py"
    config = PyFileConfigLoader(file.name, path=str(root)).load_config() if file.exists() else Config()
    configure_grading(config)
    config.CourseDirectory.root = str(root)
    return config


def feedback(course: Course, students: list[str], config: Any = None) -> dict[str, str]:
    """Write feedback/<student>/<notebook>/….html for graded submissions.

    Returns:
        Student → error, for those that failed.
    """
    from nbgrader.apps import NbGraderAPI

    api = NbGraderAPI(config=config if config is not None else nbgrader_config(course.root))
    failed = {}
    for student in students:
        outcome = api.generate_feedback(course.notebook, student, force=True)
        if not outcome["success"]:
            failed[student] = why_failed(outcome)
    return failed
