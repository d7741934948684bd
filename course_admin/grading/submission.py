"""One submission, from bytes to bytes: what a worker anywhere does. It touches no file of the course and no gradebook.

A grade is a pure function of the submission's bytes, the source notebook, the version of the course, the limits and the seed;
`Task.key` names them all.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import course_utils
from course_admin.grading.reading import Unreadable, graded_as_empty, parse_submission
from course_admin.grading.reassemble import reassemble
from course_admin.grading.worker import SEED, Job, Result
from course_admin.shipping import ANSWERS, withheld


@dataclass(frozen=True)
class Task:
    """What grading one submission needs.

    Attributes:
        notebook: name of the notebook.
        course: the built notebooks, from `pack_course`.
        submission: the file's bytes; empty where it could not be read.
        unreadable: why it could not be read; empty where it could.
        version: of the course, from `course_version`.
        note: a flag about the files handed in; empty where there is nothing to say.
    """

    student: str
    notebook: str
    course: bytes
    submission: bytes
    unreadable: str = ""
    limits: dict[str, Any] = field(default_factory=dict)
    unsafe: bool = False
    withheld: tuple[str, ...] = ANSWERS
    seed: int = SEED
    version: str = ""
    note: str = ""

    def key(self) -> dict[str, Any]:
        """All that the grade depends on, as digests and settings."""
        return {
            "submission": digest(self.submission + self.unreadable.encode() + self.note.encode()),
            "course": digest(self.course),
            "version": self.version,
            "settings": digest(
                json.dumps([self.limits, self.unsafe, self.withheld], sort_keys=True).encode()
            ),
            "seed": self.seed,
        }

    def to_bytes(self) -> bytes:
        """The rest as a line of JSON, then the course, then the submission, compressed."""
        rest = {**self.__dict__, "course": len(self.course), "submission": None}
        return json.dumps(rest).encode() + b"\n" + self.course + zlib.compress(self.submission, 1)

    @classmethod
    def from_bytes(cls, data: bytes) -> Task:
        head, _, blocks = data.partition(b"\n")
        rest = json.loads(head)
        size = rest["course"]
        rest |= {"course": blocks[:size], "submission": zlib.decompress(blocks[size:])}
        return cls(**{**rest, "withheld": tuple(rest["withheld"])})


def withheld_for(release: dict) -> tuple[str, ...]:
    """The parts of the library that submissions of this notebook do not see."""
    return withheld(Path(course_utils.__file__).parent, release)


@dataclass
class Outcome:
    """A graded submission.

    Attributes:
        graded: the notebook with its outputs, verdicts and flags in its metadata under "course"; None where there is no mark.
        error: why there is no mark; empty where there is one.
        version: of the course that graded it.
    """

    student: str
    graded: dict[str, Any] | None
    flags: list[str] = field(default_factory=list)
    seconds: float = 0.0
    error: str = ""
    version: str = ""

    def to_bytes(self) -> bytes:
        return zlib.compress(json.dumps(asdict(self)).encode(), 1)

    @classmethod
    def from_bytes(cls, data: bytes) -> Outcome:
        return cls(**json.loads(zlib.decompress(data)))


class WrongVersion(RuntimeError):
    """The worker has another version of the course than the coordinator."""


def pack_course(source: dict, release: dict) -> bytes:
    """The built notebooks as a worker gets them."""
    return zlib.compress(json.dumps([source, release], sort_keys=True).encode(), 9)


def prepare(task: Task) -> tuple[Job, list[str]]:
    """The job for a task, and the flags that reading and reassembling it gave."""
    submission: dict = {"cells": []}
    unread = task.unreadable
    if not unread:
        try:
            submission = parse_submission(task.submission)
        except Unreadable as error:
            unread = str(error)
    source, release = unpack_course(task.course)
    made = reassemble(submission, source, release)
    flags = [graded_as_empty(unread)] if unread else made.flags
    flags = [task.note, *flags] if task.note else flags
    job = Job(
        notebook=made.notebook,
        records=made.records,
        limits=task.limits,
        unsafe=task.unsafe,
        withheld=list(task.withheld),
        seed=task.seed,
    )
    return job, flags


def finish(notebook: dict, flags: list[str], result: Result, unsafe: bool) -> dict:
    """The graded notebook: what was executed, with verdicts and flags for whoever reads it later."""
    graded = result.notebook
    graded["metadata"] = {
        **notebook["metadata"],
        "course": {
            "flags": [*flags, *result.flags],
            "verdicts": [asdict(verdict) for verdict in result.verdicts],
            "sandbox": not unsafe,
            "seconds": round(result.seconds, 2),
        },
    }
    return graded


def grade_submission(task: Task) -> Outcome:
    """Grade a submission in a process and a sandbox of its own.

    Raises:
        SandboxUnavailable: submissions cannot be isolated on this machine.
        WrongVersion: the task comes from another version of the course.
    """
    from course_admin.grading.examiner import WorkerFailed, grade_in_process

    here = course_version()
    if task.version and task.version != here:
        raise WrongVersion(f"this worker has version {here} of the course, the task asks for {task.version}")
    try:
        job, flags = prepare(task)
        result = grade_in_process(job)
    except (WorkerFailed, ValueError, OSError) as error:
        return Outcome(task.student, None, error=f"{type(error).__name__}: {error}", version=here)
    graded = finish(job.notebook, flags, result, task.unsafe)
    return Outcome(task.student, graded, graded["metadata"]["course"]["flags"], result.seconds, version=here)


def grade_bytes(data: bytes) -> bytes:
    """`grade_submission` for a worker on another machine."""
    return grade_submission(Task.from_bytes(data)).to_bytes()


def digest(data: bytes) -> str:
    """Name of some bytes: the first 16 hexadecimal digits of their SHA-256."""
    return hashlib.sha256(data).hexdigest()[:16]


@lru_cache(maxsize=1)
def course_version() -> str:
    """Digest of the code that grades: the library and the grading package."""
    folders = [Path(course_utils.__file__).parent, Path(__file__).parent]
    total = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            total.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()[:16]


@lru_cache(maxsize=4)
def unpack_course(course: bytes) -> tuple[dict, dict]:
    """Source and release, from `pack_course`. Shared by all who ask: not to be changed."""
    source, release = json.loads(zlib.decompress(course))
    return source, release
