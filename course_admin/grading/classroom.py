"""Grade a class: workers compute, the coordinator records.

Each submission's result is a pure function of its bytes and the course, so it can be computed anywhere (`cluster.py`); only this
coordinator touches files and the gradebook.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import find_all_files

from course_admin.build_release import tools_on_path
from course_admin.grading.audit import Audit
from course_admin.grading.cluster import grade_tasks
from course_admin.grading.config import configure_grading
from course_admin.grading.graded_files import handed_in, write_notebook
from course_admin.grading.limits import Limits
from course_admin.grading.outputs import shown_name
from course_admin.grading.reading import Unreadable, find_notebook, read_bytes, unlink_links, was_link
from course_admin.grading.recorder import Marks, Recorder
from course_admin.grading.submission import (
    Outcome,
    Task,
    course_version,
    pack_course,
    unpack_course,
    withheld_for,
)


@dataclass
class Graded:
    """One graded submission.

    Attributes:
        scores: grade id → points, None where a person has yet to mark.
        points: grade id → most points.
        flags: for the instructor.
        error: why there is no mark; empty where there is one.
        resumed: recorded by an earlier run and left as it is.
        penalty: points taken off for handing in late.
    """

    student: str
    scores: dict[str, float | None] = field(default_factory=dict)
    points: dict[str, float] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)
    seconds: float = 0.0
    error: str = ""
    resumed: bool = False
    penalty: float = 0.0

    @property
    def total(self) -> float:
        return sum(score or 0.0 for score in self.scores.values()) - self.penalty

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

    def submission(self, student: str) -> Path:
        return self.root / "submitted" / student / self.notebook / f"{self.notebook}.ipynb"

    def autograded(self, student: str) -> Path:
        return self.root / "autograded" / student / self.notebook / f"{self.notebook}.ipynb"


def tasks_for(
    course: Course, students: Iterable[str], packed: bytes, limits: dict | None = None, unsafe: bool = False
) -> Iterator[Task]:
    """What grading each student's submission needs, read as it is asked for.

    Args:
        packed: the built notebooks, from `pack_course`.
    """
    version = course_version()
    hidden = withheld_for(unpack_course(packed)[1])
    for student in students:
        raw, why, note = b"", "", ""
        try:
            path, note = find_notebook(course.submission(student))
            raw = read_bytes(path)
        except Unreadable as error:
            why = str(error)
        yield Task(
            student,
            course.notebook,
            packed,
            raw,
            why,
            limits or {},
            unsafe,
            hidden,
            version=version,
            note=note,
        )


def grade_class(
    course: Course,
    students: list[str],
    *,
    jobs: int | None = None,
    scheduler: str | None = None,
    resume: bool = False,
    limits: dict | None = None,
    unsafe: bool = False,
    config: Any = None,
    on_done: Callable[[Graded], None] = lambda graded: None,
    **options: Any,
) -> list[Graded]:
    """Grade submissions, store their marks in nbgrader's gradebook and write the graded notebooks.

    Args:
        jobs: submissions at a time on this machine; the number of cores if None.
        scheduler: address of a Dask scheduler whose workers grade instead.
        resume: leave out submissions whose mark is recorded and would come out the same: same bytes, same course, same settings.
        limits: deviations from the default limits; those of the configuration (`SandboxedExecute.limits`) if None.
        config: nbgrader's configuration; the course's own if None.
        on_done: called after each submission, also for those that `resume` leaves out.
        options: for `cluster.grade_tasks`.

    Raises:
        FileNotFoundError: the notebook is not built, or the gradebook does not know it.
        AlreadyGrading: another run grades this course.
        SandboxUnavailable: submissions cannot be isolated.
    """
    packed = pack_course(course.source(), course.release())
    config = config if config is not None else nbgrader_config(course.root)
    limits = dict(config.SandboxedExecute.get("limits", {})) if limits is None else limits
    Limits.from_dict(limits)
    directory = CourseDirectory(config=config)
    source_files = _other_files(course.root / "source" / course.notebook, directory.ignore)
    with (
        tools_on_path(),
        Audit(course.root).writing() as audit,
        Recorder(directory.db_url, directory.course_id, course.notebook, config) as recorder,
        contextlib.ExitStack() as stack,
    ):
        last = audit.last(course.notebook)
        out: dict[str, Task] = {}
        graded: list[Graded] = []

        def settle(record: Graded) -> None:
            graded.append(record)
            on_done(record)

        def to_do() -> Iterator[Task]:
            for task in tasks_for(course, students, packed, limits, unsafe):
                entry = last.get(task.student, {})
                if (
                    resume
                    and task.key().items() <= entry.items()
                    and course.autograded(task.student).exists()
                ):
                    when, _ = handed_in(course.submission(task.student).parent)
                    marks = None
                    with contextlib.suppress(OSError):  # it will say so when it is stored
                        marks = recorder.recorded(task.student, when)
                    if marks is not None:
                        late = marks.penalty or 0.0
                        settle(
                            Graded(
                                task.student,
                                marks.scores,
                                marks.points,
                                entry["flags"],
                                resumed=True,
                                penalty=late,
                            )
                        )
                        continue
                unlink_links(course.root / "submitted" / task.student)
                out[task.student] = task
                yield task

        outcomes = grade_tasks(to_do(), jobs=jobs, scheduler=scheduler, **options)
        for outcome in stack.enter_context(contextlib.closing(outcomes)):
            task = out.pop(outcome.student)
            record = Graded(outcome.student, seconds=outcome.seconds, error=outcome.error)
            if outcome.graded is not None:
                try:
                    held = recorder.held(outcome.student)
                    audit.begin(
                        outcome.student,
                        course.notebook,
                        task.key(),
                        held.scores if held is not None else None,
                    )
                    marks = _record(course, recorder, outcome, source_files, directory)
                except OSError as error:
                    record.error = f"its mark could not be stored: {error}"
                else:
                    record.scores, record.points, record.penalty = (
                        marks.scores,
                        marks.points,
                        marks.penalty or 0.0,
                    )
                    key, late = task.key(), marks.penalty
                    audit.add(outcome.student, course.notebook, key, marks.scores, outcome.flags, late)
                    record.flags += [
                        f"{name}: the answer changed; the {points:g} points given by hand for the earlier one are gone"
                        for name, points in marks.dropped.items()
                    ]
            if record.error:
                audit.fail(outcome.student, course.notebook, task.key(), record.error)
            record.flags = [*outcome.flags, *record.flags]
            settle(record)
    return sorted(graded, key=lambda record: record.student)


def _record(
    course: Course, recorder: Recorder, outcome: Outcome, source_files: dict[Path, Path], directory: Any
) -> Marks:
    """Gradebook first, then the notebook: a cut between them leaves what a second grading mends."""
    assert outcome.graded is not None
    path = course.autograded(outcome.student)
    previous = None
    if path.exists():
        with contextlib.suppress(ValueError):
            previous = json.loads(path.read_text(encoding="utf-8"))
    submitted = course.submission(outcome.student).parent
    timestamp, unread = handed_in(submitted)
    outcome.flags += [unread] if unread else []
    marks = recorder.store(outcome.student, outcome.graded, previous, timestamp)
    beside = _other_files(submitted, directory.ignore)
    if code := sorted(shown_name(str(path)) for path in beside if path.suffix == ".py"):
        outcome.flags.append(
            f"beside the notebook lies code, which grading does not use: {', '.join(code[:5])}"
        )
    if links := sorted(shown_name(str(name)) for name, path in beside.items() if was_link(path)):
        outcome.flags.append(
            f"beside the notebook stood links, which grading does not follow: {', '.join(links[:5])}"
        )
    extra = {**beside, **source_files}
    write_notebook(path, outcome.graded, {path.parent / target: origin for target, origin in extra.items()})
    return marks


def _other_files(folder: Path, ignore: list[str]) -> dict[Path, Path]:
    """Files beside the notebooks: relative path → path."""
    found = find_all_files(str(folder), [*ignore, "*.ipynb"]) if folder.is_dir() else []
    return {Path(name).relative_to(folder): Path(name) for name in found}


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
