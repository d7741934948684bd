"""Can one coordinator feed many workers? `python -m tests.bench.coordinator [--submissions 30000] [--real 8] [--short]`.

A few submissions of section 01 (or, short, of a tiny notebook) are graded for real. Then a class of the size asked for, each with
the bytes of one of them, is graded over a Dask scheduler by workers that answer at once with what was found before. What
remains is the coordinator's work: reading, handing out, the gradebook's transaction, the graded notebook, the audit line. It
prints the coordinator's CPU seconds and memory for each slice of the class, and how many worker threads one coordinator keeps
busy. Writes build/bench/coordinator.json.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import dask
import psutil
from rich.console import Console
from rich.table import Table

from course_admin.grading.classroom import Course, Graded, grade_class, nbgrader_config, tasks_for
from course_admin.grading.submission import (
    Outcome,
    Task,
    digest,
    grade_submission,
    pack_course,
)
from tests.bench.grading import REPOSITORY, make_class, sections
from tests.bench.thousand import make
from tests.grading import tiny

SLICES = 10


@lru_cache(maxsize=1)
def found_before(folder: str) -> dict[str, Outcome]:
    """Outcomes by the digest of the submission."""
    return {path.stem: Outcome.from_bytes(path.read_bytes()) for path in Path(folder).glob("*.outcome")}


class Replay:
    """What a worker does here in place of grading: it answers with the outcome of the same bytes."""

    def __init__(self, folder: str):
        self.folder = folder

    def __call__(self, data: bytes) -> bytes:
        task = Task.from_bytes(data)
        known = found_before(self.folder)[digest(task.submission)]
        return replace(known, student=task.student).to_bytes()


def main() -> None:
    """Grade a few, replay many, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--submissions", type=int, default=30_000)
    parser.add_argument("--real", type=int, default=8, help="submissions that are graded for real")
    parser.add_argument(
        "--short", action="store_true", help="submissions of a tiny notebook, not of section 01"
    )
    asked = parser.parse_args()
    name = tiny.NAME if asked.short else sections()[0]
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        root = Path(scratch) / "course"
        if asked.short:
            make(root, asked.real, broken=False)
            students = Course(root, name).submitted()
        else:
            students = make_class(root, name, 2 * asked.real)[: asked.real]
        course = Course(root, name)
        kept, cost = grade_for_real(course, students, Path(scratch) / "outcomes")
        many = multiply(course, students, asked.submissions)
        rows = replay(course, many, kept)
    graded_cpu = sum(cost) / len(cost)
    each = sum(row["cpu_s"] for row in rows) / asked.submissions
    result = {
        "section": name,
        "submissions": asked.submissions,
        "graded_for_real": len(students),
        "coordinator_cpu_s": round(each, 5),
        "wall_s": round(sum(row["wall_s"] for row in rows), 1),
        "submission_s": round(graded_cpu, 3),
        "cores_fed": round(graded_cpu / each, 1),
        "slices": rows,
    }
    target = REPOSITORY / "build" / "bench" / "coordinator.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    show(result)


def grade_for_real(course: Course, students: list[str], kept: Path) -> tuple[Path, list[float]]:
    """Outcomes written to a folder, and the seconds that each submission took."""
    kept.mkdir()
    seconds = []
    packed = pack_course(course.source(), course.release())
    for number, task in enumerate(tasks_for(course, [students[0], *students], packed)):
        began = time.monotonic()
        outcome = grade_submission(task)
        if number:  # the first one also started examiner and nursery
            seconds.append(time.monotonic() - began)
        (kept / f"{digest(task.submission)}.outcome").write_bytes(outcome.to_bytes())
    return kept, seconds


def multiply(course: Course, students: list[str], count: int) -> list[str]:
    """A class of `count`, each with the file of one of the students; the files are links to the same bytes."""
    names = []
    for number in range(count):
        name = f"s{number:05d}"
        path = course.submission(name)
        path.parent.mkdir(parents=True)
        os.link(course.submission(students[number % len(students)]), path)
        names.append(name)
    return names


def replay(course: Course, students: list[str], kept: Path) -> list[dict[str, Any]]:
    """Coordinator's CPU seconds, seconds and memory, slice by slice."""
    from distributed import LocalCluster

    me = psutil.Process()
    rows: list[dict[str, Any]] = []
    size = max(1, len(students) // SLICES)
    last = [time.process_time(), time.monotonic()]
    done = 0

    def on_done(graded: Graded) -> None:
        nonlocal done, last
        if graded.error:
            raise SystemExit(f"{graded.student}: {graded.error}")
        shutil.rmtree(course.autograded(graded.student).parent.parent)  # 30 000 of them would fill a disk
        done += 1
        if done % size == 0:
            now = [time.process_time(), time.monotonic()]
            rows.append(
                {
                    "done": done,
                    "cpu_s": round(now[0] - last[0], 3),
                    "wall_s": round(now[1] - last[1], 2),
                    "rss_mb": round(me.memory_info().rss / 2**20),
                }
            )
            last = now

    dask.config.set({"distributed.admin.low-level-log-length": 16})  # the scheduler is in this process too
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, memory_limit=0
    ) as cluster:
        grade_class(
            course,
            students,
            scheduler=cluster.scheduler_address,
            config=nbgrader_config(course.root),
            on_done=on_done,
            work=Replay(str(kept)),
        )
    return rows


def show(result: dict[str, Any]) -> None:
    """The slices as a table, and what follows from them."""
    shown = Table(
        title=f"One coordinator, {result['submissions']} submissions of {result['section']}, replayed"
    )
    for title in ("done", "CPU ms each", "ms each on the clock", "memory MB"):
        shown.add_column(title, justify="right")
    before = 0
    for row in result["slices"]:
        count, before = row["done"] - before, row["done"]
        shown.add_row(
            str(row["done"]),
            f"{1000 * row['cpu_s'] / count:.1f}",
            f"{1000 * row['wall_s'] / count:.1f}",
            str(row["rss_mb"]),
        )
    console = Console(width=120)
    console.print(shown)
    console.print(
        f"A submission takes {result['submission_s']} s of a worker and {1000 * result['coordinator_cpu_s']:.1f} ms of the "
        f"coordinator: it keeps {result['cores_fed']:.0f} worker threads busy."
    )


if __name__ == "__main__":
    main()
