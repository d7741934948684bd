"""Where the time of grading one submission goes: `python -m tests.bench.where [--submissions 20]`.

Simulated submissions of section 01 and of the longest section are graded one after another by this process, with a warm nursery
beside it, and each step is timed on the clock; nothing else should run. The student's cells and the answers to questions are
the student's own code, the tests are ours; the rest is overhead. Writes build/bench/where.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from course_admin.grading import warm, worker
from course_admin.grading.classroom import Course, Recorder, nbgrader_config, tasks_for
from course_admin.grading.graded_files import write_notebook
from course_admin.grading.limits import Limits
from course_admin.grading.nursery import warm_torch
from course_admin.grading.session import StudentKernel
from course_admin.grading.submission import finish, pack_course, prepare
from tests.bench.grading import REPOSITORY, make_class, sections

STEPS = {
    "read": "read and reassemble the submission",
    "start": "fork a kernel into its sandbox, until it answers",
    "cells": "student's cells, figures drawn",
    "questions": "questions of tests: student's code and the line to it",
    "tests": "tests: expected values, comparisons",
    "end": "end the kernel and all of its sandbox",
    "record": "gradebook, graded notebook",
}


class Stopwatch:
    """Seconds by step; a step within another is taken off the outer one."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self.count: dict[str, int] = defaultdict(int)
        self._open: list[list[Any]] = []

    def timed(self, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, its time put down to a step."""

        def run(*args: Any, **kwargs: Any) -> Any:
            began = time.perf_counter()
            self._open.append([step, 0.0])
            try:
                return function(*args, **kwargs)
            finally:
                took = time.perf_counter() - began
                _, within = self._open.pop()
                self.spent[step] += took - within
                self.count[step] += 1
                if self._open:
                    self._open[-1][1] += took

        return run


def measure(name: str, scratch: Path, count: int) -> dict[str, Any]:
    """Milliseconds of each step, the mean over submissions."""
    root = scratch / name
    students = make_class(root, name, 2 * count)[:count]
    course = Course(root, name)
    config = nbgrader_config(root)
    packed = pack_course(course.source(), course.release())
    watch = Stopwatch()
    patched = [
        (StudentKernel, "_start", "start"), (StudentKernel, "_stop", "end"), (StudentKernel, "run_cell", "cells"),
        (StudentKernel, "ask", "questions"), (worker, "run_test", "tests"),
    ]  # fmt: skip
    originals = [(owner, key, getattr(owner, key)) for owner, key, _ in patched]
    for owner, key, step in patched:
        setattr(owner, key, watch.timed(step, getattr(owner, key)))
    totals = []
    try:
        with Recorder(f"sqlite:///{root}/gradebook.db", "", name, config) as recorder:
            for number, task in enumerate(tasks_for(course, [students[0], *students], packed)):
                if number == 1:  # the first one warmed everything
                    watch.spent.clear()
                    watch.count.clear()
                began = time.perf_counter()
                job, flags = watch.timed("read", prepare)(task)
                home = warm.nursery(Limits.from_dict(job.limits), tuple(job.withheld))
                result = worker.grade(job)
                watch.timed("end", home.clear)()
                graded = finish(job.notebook, flags, result, unsafe=False)
                watch.timed("record", record)(recorder, course, task.student, graded)
                if number:
                    totals.append(time.perf_counter() - began)
    finally:
        for owner, key, original in originals:
            setattr(owner, key, original)
    steps = {step: 1000 * watch.spent[step] / len(totals) for step in STEPS}
    return {
        "section": name,
        "submissions": len(totals),
        "total_ms": 1000 * statistics.mean(totals),
        "steps_ms": steps,
        "questions": watch.count["questions"] / len(totals),
    }


def record(recorder: Recorder, course: Course, student: str, graded: dict) -> None:
    recorder.store(student, graded, None, None)
    write_notebook(course.autograded(student), graded, {})


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--submissions", type=int, default=20)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    warm_torch()
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        rows = [measure(name, Path(scratch), asked.submissions) for name in sections()]
    warm.close_nurseries()
    target = REPOSITORY / "build" / "bench" / "where.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    console = Console(width=120)
    for row in rows:
        shown = Table(title=f"{row['section']}: mean of {row['submissions']} submissions, one at a time")
        for title, side in (("step", "left"), ("ms", "right"), ("share", "right")):
            shown.add_column(title, justify=side)
        for step, text in STEPS.items():
            share = row["steps_ms"][step] / row["total_ms"]
            shown.add_row(text, f"{row['steps_ms'][step]:.0f}", f"{share:.0%}")
        shown.add_row("all", f"{row['total_ms']:.0f}", f"{row['questions']:.0f} questions")
        console.print(shown)


if __name__ == "__main__":
    main()
