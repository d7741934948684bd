"""Who got which mark, when, from which version of what: one line of JSON a graded submission, only ever added to.

The line is written after gradebook and notebook; so what it says is done is done, and what a cut run left without a line is
simply graded again, with the same result. A short line before them says that the older mark no longer counts: a student who
hands in, after a cut, what was graded before the cut, is graded again too.
"""

from __future__ import annotations

import fcntl
import getpass
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FILE = "audit.jsonl"


class AlreadyGrading(RuntimeError):
    """Another run holds the course."""


class Audit:
    """The audit log of a course folder."""

    def __init__(self, root: Path):
        self.path = root / FILE

    @contextmanager
    def writing(self) -> Iterator[Audit]:
        """Hold the log: one run at a time grades a course.

        Raises:
            AlreadyGrading: another process holds it.
        """
        with open(self.path, "a+b") as self._file:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise AlreadyGrading(
                    f"another run is grading this course (it holds {self.path.name})"
                ) from None
            end = self._file.seek(0, os.SEEK_END)
            if end:
                self._file.seek(end - 1)
                if self._file.read(1) != b"\n":  # a run was cut within a line
                    self._file.write(b"\n")
            yield self

    def add(
        self,
        student: str,
        notebook: str,
        key: dict[str, Any],
        marks: dict[str, float | None],
        flags: list[str],
        penalty: float = 0.0,
    ) -> None:
        """Write a line; returns when it is on the disk.

        Args:
            key: what the mark depends on, from `Task.key`.
            marks: grade id → points, None where a person has yet to mark.
            penalty: points taken off because it came late; `total` is what is left.
        """
        total = sum(mark or 0.0 for mark in marks.values()) - penalty
        late = {"late": penalty} if penalty else {}
        self._write(
            student, notebook, {**key, "total": round(total, 4), **late, "marks": marks, "flags": flags}
        )

    def begin(
        self, student: str, notebook: str, key: dict[str, Any], held: dict[str, float | None] | None = None
    ) -> None:
        """Say that a mark is about to be stored; until `add`, `last` knows none for the student.

        Args:
            held: the marks that the gradebook holds now, among them those given by hand that may have to go.
        """
        self._write(student, notebook, {"begun": key, "held": held or {}})

    def fail(self, student: str, notebook: str, key: dict[str, Any], why: str) -> None:
        """Say that a submission got no mark, and why. A mark it had before stays what it was."""
        self._write(student, notebook, {"failed": key, "why": why[:2000]})

    def _write(self, student: str, notebook: str, what: dict[str, Any]) -> None:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        line = {"time": now, "by": _who(), "student": student, "notebook": notebook, **what}
        # A name that is no UTF-8 comes from the file system as half surrogates; "\udce9" is how JSON writes one.
        text = json.dumps(line, ensure_ascii=False).encode("utf-8", "backslashreplace")
        self._file.write(text + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def last(self, notebook: str) -> dict[str, dict[str, Any]]:
        """The newest line of each student for a notebook. Lines that a cut run tore are passed over.

        A student whose newest line is one of `begin` has none.
        """
        found: dict[str, dict[str, Any]] = {}
        for student, entry in self._entries(notebook):
            if "failed" in entry:
                continue
            found.pop(student, None)
            if "marks" in entry:
                found[student] = entry
        return found

    def failures(self, notebook: str) -> dict[str, str]:
        """Why the newest grading of a student's submission gave no mark, for those whose newest line says so."""
        newest = dict(self._entries(notebook))
        return {student: str(entry.get("why")) for student, entry in newest.items() if "failed" in entry}

    def _entries(self, notebook: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each line about a notebook, with its student, the oldest first."""
        if not self.path.exists():
            return
        with open(self.path, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                try:
                    entry = json.loads(line)
                except ValueError:
                    continue
                if isinstance(entry, dict) and entry.get("notebook") == notebook:
                    yield str(entry.get("student")), entry


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
