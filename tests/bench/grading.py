"""A class graded by stock `nbgrader autograde` and by `coursework grade`, in turns: `make bench-grading`.

Each round grades the same submissions with both, in fresh course folders, as an instructor would from a terminal; all of the time
counts, start included. CPU seconds are those of the whole process tree. The floor is what the cells that grading must run
(the students' and the tests', without experiments) cost in a process that has the libraries loaded: no kernel, no sandbox, no
seam, no gradebook. Overhead is what each further submission of a class costs us beyond it; what the start costs is told
apart (a class with one submission for each core is graded for that). Prints tables and writes build/bench/grading.json.

    python -m tests.bench.grading [--submissions 24] [--longest 24] [--rounds 2] [--many 1000]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from course_admin.simulate import load_simulated, simulate
from course_admin.syllabus import load_syllabus
from tests.bench.cpu import metered

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPTS = sysconfig.get_path("scripts")
STOCK_CONFIG = """\
c = get_config()
c.CourseDirectory.db_url = "sqlite:///gradebook.db"
c.ExecutePreprocessor.timeout = 900
"""


HONEST = ("right", "partial", "mostly-wrong", "untouched")  # simulated submissions that nothing broke
JOBS = os.cpu_count() or 1  # submissions at a time


@dataclass
class Run:
    """What grading one class took.

    Attributes:
        seconds: on the clock.
        cpu: seconds, of all processes that took part.
        peak_mb: most memory of all processes at one moment; pages they share count once.
        scores: student → grade id → points of autograded cells.
    """

    seconds: float
    cpu: float
    peak_mb: float
    scores: dict[str, dict[str, float]]


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--submissions", type=int, default=24, help="in each round")
    parser.add_argument("--longest", type=int, help="of the longest section, if other than of section 01")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--many", type=int, default=0, help="also grade so many, with ours alone")
    asked = parser.parse_args()
    console = Console(width=150)
    rows = []
    for number, section in enumerate(sections()):
        size = asked.longest if number and asked.longest else asked.submissions
        with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
            rows.append(compare(section, Path(scratch), size, asked.rounds))
            if asked.many:
                rows.append(alone(section, Path(scratch), asked.many))
    target = REPOSITORY / "build" / "bench" / "grading.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    console.print(table(rows))


def sections() -> list[str]:
    """Section 01 and the longest there is, by the minutes that its questions take."""
    syllabus = load_syllabus(REPOSITORY / "syllabus.toml")
    built = sorted(path.stem for path in (REPOSITORY / "source").glob("*/*.ipynb"))
    minutes = {name: sum(question.minutes for question in syllabus.questions_of(name)) for name in built}
    return list(dict.fromkeys([built[0], max(built, key=lambda name: minutes[name])]))


def compare(name: str, scratch: Path, count: int, rounds: int) -> dict[str, Any]:
    """Grade the same class with both, in turns."""
    template = scratch / f"template-{name}"
    students = make_class(template, name, count)
    count = len(students)
    stock, ours = [], []
    for number in range(rounds):
        stock.append(run_stock(template, scratch / f"stock-{number}", name))
        ours.append(run_ours(template, scratch / f"ours-{number}", name))
    made = [s for s in load_simulated(template, name) if s.kind in HONEST and s.student in students]
    honest = [s.student for s in made]
    other_table = {  # stock runs the experiment again, which writes another table than the wrong one that was handed in
        (s.student, f"{question}-test")
        for s in made
        for question in projects(name)
        if s.answers[question].startswith("wrong")
    }
    unlike = [
        found
        for found in differences(stock[-1].scores, ours[-1].scores, most_points(template), honest)
        if (found[0], found[1]) not in other_table
    ]
    floor = floor_cpu(template, name, students)
    first = run_ours(template, scratch / "ours-first", name, students[:JOBS])

    def each(runs: list[Run], what: str) -> float:
        return statistics.median(getattr(run, what) for run in runs) / count

    later = (statistics.median(run.cpu for run in ours) - first.cpu) / (count - JOBS)
    return {
        "section": name,
        "submissions": count,
        "rounds": rounds,
        "stock_s": round(each(stock, "seconds"), 3),
        "ours_s": round(each(ours, "seconds"), 3),
        "stock_cpu_s": round(each(stock, "cpu"), 3),
        "ours_cpu_s": round(each(ours, "cpu"), 3),
        "floor_cpu_s": round(floor, 3),
        "start_cpu_s": round(first.cpu - JOBS * later, 2),
        "overhead_cpu_s": round(later - floor, 3),
        "overhead_with_start_cpu_s": round(each(ours, "cpu") - floor, 3),
        "ratio": round(each(stock, "seconds") / each(ours, "seconds"), 2),
        "ratio_cpu": round(each(stock, "cpu") / each(ours, "cpu"), 2),
        "peak_mb": round(max(run.peak_mb for run in ours)),
        "scores_equal": not unlike,
        "unlike": unlike,
        "partial": partial(ours[-1].scores, most_points(template), honest),
        "honest": len(honest),
        "later_s": round(
            (statistics.median(run.seconds for run in ours) - first.seconds) / (count - JOBS), 3
        ),
        "start_s": round(first.seconds, 2),
        "spread_s": [[round(run.seconds / count, 3) for run in runs] for runs in (stock, ours)],
    }


def alone(name: str, scratch: Path, count: int) -> dict[str, Any]:
    """Grade a large class with ours only: cost must stay linear and memory flat."""
    template = scratch / f"many-{name}"
    make_class(template, name, count)
    run = run_ours(template, scratch / "many-run", name)
    return {
        "section": name,
        "submissions": count,
        "rounds": 1,
        "stock_s": None,
        "ours_s": round(run.seconds / count, 3),
        "ours_cpu_s": round(run.cpu / count, 3),
        "overhead_cpu_s": None,
        "ratio": None,
        "peak_mb": round(run.peak_mb),
        "scores_equal": None,
    }


def make_class(root: Path, name: str, count: int) -> list[str]:
    """A course folder with one section and a simulated class of at most `count`, less those whose files are broken."""
    root.mkdir(parents=True)
    for folder in ("manuscript", "source", "release"):
        (root / folder).mkdir()
    shutil.copy(REPOSITORY / "manuscript" / f"{name}.py", root / "manuscript")
    for folder in ("source", "release"):
        shutil.copytree(REPOSITORY / folder / name, root / folder / name)
    bank = Path("course_admin") / "bank" / name
    shutil.copytree(REPOSITORY / bank, root / bank)
    for file in ("syllabus.toml", "nbgrader_config.py"):
        shutil.copy(REPOSITORY / file, root)
    simulate(root, name, count, 1, root / "submitted")
    for made in load_simulated(root, name):  # one that is broken would end stock nbgrader's whole batch
        if made.kind not in HONEST:
            shutil.rmtree(root / "submitted" / made.student)
    run = subprocess.run(
        [sys.executable, "-m", "tests.bench.register", str(root), name],
        cwd=REPOSITORY, env=_environment(), capture_output=True, text=True,
    )  # fmt: skip
    if run.returncode:
        raise SystemExit(run.stderr[-2000:])
    return sorted(path.name for path in (root / "submitted").iterdir())


def run_stock(template: Path, root: Path, name: str) -> Run:
    shutil.copytree(template, root)
    (root / "nbgrader_config.py").write_text(STOCK_CONFIG)
    return measured([f"{SCRIPTS}/nbgrader", "autograde", name], root)


def run_ours(template: Path, root: Path, name: str, students: list[str] | None = None) -> Run:
    shutil.copytree(template, root)
    only = ["--students", ",".join(students)] if students else []
    return measured([f"{SCRIPTS}/coursework", "grade", name[:2], *only], root)


def measured(command: list[str], root: Path) -> Run:
    """Run a command to its end, in its course folder."""
    with metered() as meter, open(root / "log.txt", "wb") as log:
        started = time.monotonic()
        process = subprocess.Popen(
            command, cwd=root, env=_environment(), stdout=log, stderr=log, preexec_fn=meter.enter
        )
        peak = Peak(process.pid)
        peak.start()
        process.wait()
        seconds = time.monotonic() - started
        cpu = meter.seconds()
        peak.stopped.set()
        peak.join()
    scores = marks(root / "gradebook.db")
    if not scores:
        raise SystemExit((root / "log.txt").read_text()[-3000:])
    return Run(seconds, cpu, peak.most / 2**20, scores)


class Peak(threading.Thread):
    """Watches how much memory a process and all below it hold together."""

    def __init__(self, pid: int):
        super().__init__(daemon=True)
        self.pid, self.most, self.stopped = pid, 0, threading.Event()

    def run(self) -> None:
        while not self.stopped.wait(3.0):
            try:
                root = psutil.Process(self.pid)
                held = 0
                for process in [root, *root.children(recursive=True)]:
                    try:
                        held += process.memory_full_info().pss
                    except psutil.Error:
                        continue
                self.most = max(self.most, held)
            except psutil.Error:
                return


def marks(gradebook: Path) -> dict[str, dict[str, float]]:
    query = """
        SELECT submitted_assignment.student_id, base_cell.name, grade.auto_score FROM grade
        JOIN base_cell ON grade.cell_id = base_cell.id
        JOIN submitted_notebook ON grade.notebook_id = submitted_notebook.id
        JOIN submitted_assignment ON submitted_notebook.assignment_id = submitted_assignment.id
        WHERE grade.auto_score IS NOT NULL"""
    found: dict[str, dict[str, float]] = {}
    with sqlite3.connect(gradebook) as base:
        for student, cell, score in base.execute(query):
            found.setdefault(student, {})[cell] = score
    return found


def projects(name: str) -> list[str]:
    """Questions of a notebook whose marks rest on a recorded table too."""
    syllabus = load_syllabus(REPOSITORY / "syllabus.toml")
    return [q.id for q in syllabus.questions_of(name) if q.kind == "project"]


def most_points(root: Path) -> dict[str, float]:
    """Grade id → points a cell can earn."""
    with sqlite3.connect(root / "gradebook.db") as base:
        query = "SELECT name, max_score FROM base_cell JOIN grade_cells ON base_cell.id = grade_cells.id"
        return dict(base.execute(query))


def differences(
    stock: dict[str, dict[str, float]],
    ours: dict[str, dict[str, float]],
    most: dict[str, float],
    students: list[str],
) -> list[list[Any]]:
    """Cells whose marks differ: stock gives all or nothing, so a part of the points counts there as nothing."""
    return [
        [student, cell, stock.get(student, {}).get(cell), mark]
        for student in students
        for cell, mark in ours[student].items()
        if stock.get(student, {}).get(cell) != (mark if mark == most[cell] else 0)
    ]


def partial(ours: dict[str, dict[str, float]], most: dict[str, float], students: list[str]) -> int:
    """Cells for which ours gives a part of the points."""
    return sum(0 < mark < most[cell] for student in students for cell, mark in ours[student].items())


def floor_cpu(root: Path, name: str, students: list[str]) -> float:
    """Mean CPU seconds of the cells themselves, each submission in a fork of a process that has the libraries loaded.

    As many run at a time as when a class is graded: cores that are all at work share a memory.
    """
    command = [sys.executable, "-m", "tests.bench.floor", str(root), name]
    runs = [
        subprocess.Popen([*command, *students[first::JOBS]], cwd=REPOSITORY, env=_environment(), stdout=subprocess.PIPE)
        for first in range(min(JOBS, len(students)))
    ]  # fmt: skip
    said = [run.communicate()[0] for run in runs]
    if any(run.returncode for run in runs):
        raise SystemExit("the floor could not be measured")
    return statistics.mean(seconds for text in said for seconds in json.loads(text))


def _environment() -> dict[str, str]:
    return {
        **os.environ,
        "PATH": f"{SCRIPTS}:{os.environ.get('PATH', '')}",
        "COURSE_BUDGET": "quick",
        "COURSE_PROGRESS": "0",
        "OMP_NUM_THREADS": "1",
        "PYTHONWARNINGS": "ignore",
    }


def table(rows: list[dict[str, Any]]) -> Table:
    """The rows as a table."""
    shown = Table(title="A class graded by stock nbgrader and by ours; per submission", show_lines=False)
    columns = {
        "section": "section",
        "submissions": "submissions",
        "stock_s": "stock s",
        "ours_s": "ours s",
        "ratio": "ratio",
        "stock_cpu_s": "stock CPU s",
        "ours_cpu_s": "ours CPU s",
        "floor_cpu_s": "floor CPU s",
        "overhead_cpu_s": "overhead CPU s",
        "start_cpu_s": "start CPU s",
        "peak_mb": "peak MB",
        "scores_equal": "scores equal",
    }
    for title in columns.values():
        shown.add_column(title, justify="left" if title == "section" else "right")
    for row in rows:
        shown.add_row(*["" if row.get(key) is None else str(row[key]) for key in columns])
    return shown


if __name__ == "__main__":
    main()
