"""A thousand submissions, 15 % of them broken: `python -m tests.bench.thousand [--students 1000] [--kills 20]`.

Three runs over the tiny course that the attacks use. The first grades the good ones alone. The second grades all: each broken
one is of `tests/attacks/submissions/`, so endless loops, fork bombs, memory bombs, forged results and files that are no notebook
are among them. The third grades all again while the power is cut (SIGKILL to the coordinator) at random moments, each time
resumed. Counts who is accounted for and whose marks differ; prints seconds and memory along the second run. Writes
build/bench/thousand.json.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from tests.attacks.listener import listening
from tests.attacks.load import attacks
from tests.attacks.runners import LIMITS
from tests.bench.breaking import (
    REPOSITORY,
    Coordinator,
    compare,
    different_notebooks,
    marks,
    survivors,
    temporary_folder,
    wait_until,
)
from tests.grading import tiny

BROKEN = (3, 10, 17)  # of every twenty
SLICES = 10
HOURS = 3600.0
ANSWERS: list[dict[str, str]] = [
    {},
    {"scale": "def scale(x, k):\n    return np.asarray(x) + k"},
    {"step": tiny.STUBS["step"], "why": tiny.STUBS["why"]},
    {"tasks": "review = 'one-to-many'"},
    {"step": "def step(x, h, w, u):\n    return torch.tanh(x @ w) + h @ u"},
]


def make(root: Path, students: int, broken: bool) -> dict[str, str]:
    """A course with its submissions; returns what each broken one is."""
    course = tiny.Tiny(root, tiny.OURS.format(limits=LIMITS))
    course.generate()
    every, is_what = attacks(), {}
    for number in range(students):
        name = f"s{number:04d}"
        if number % 20 not in BROKEN:
            course.submit(name, course.right(**ANSWERS[number % len(ANSWERS)]))
        elif broken:
            attack = every[len(is_what) % len(every)]
            attack.submit(course, name)
            is_what[name] = attack.name
    return is_what


class Along(threading.Thread):
    """Seconds and memory of a run by the number of submissions done."""

    def __init__(self, run: Coordinator, total: int):
        super().__init__(daemon=True)
        self.run_, self.total, self.rows = run, total, []  # type: ignore[var-annotated]
        self.began = time.monotonic()
        self._memory: list[float] = []

    def run(self) -> None:
        while self.run_.alive():
            self._memory.append(held_mb(self.run_.pid))
            done = len(self.run_.graded())
            if done >= (len(self.rows) + 1) * self.total // SLICES:
                self.rows.append(
                    {
                        "done": done,
                        "seconds": round(time.monotonic() - self.began, 1),
                        "peak_mb": round(max(self._memory)),
                        "median_mb": round(sorted(self._memory)[len(self._memory) // 2]),
                    }
                )
                self._memory.clear()
            time.sleep(2)


def held_mb(pid: int) -> float:
    """Memory of a process and all below it; pages that they share count once."""
    held = 0
    try:
        processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return 0.0
    for process in processes:
        try:
            held += process.memory_full_info().pss
        except psutil.Error:
            continue
    return held / 2**20


def whole_run(root: Path, total: int) -> tuple[float, list[dict[str, Any]]]:
    """Grade a course without disturbance; returns seconds and what was seen on the way."""
    with temporary_folder() as temporary:
        run = Coordinator(root, temporary, limits=LIMITS)
        along = Along(run, total)
        along.start()
        wait_until(lambda: not run.alive(), HOURS)
        status = run.wait()
        if status:
            raise SystemExit(f"the run ended with status {status}: {run.said[-5:]}")
        along.join()
        return time.monotonic() - along.began, along.rows


def cut_run(root: Path, total: int, kills: int, chance: random.Random) -> dict[str, int]:
    """Grade a course while its coordinator is killed; resume until all is done."""
    counts, left = {"kills": 0, "runs": 0}, total
    with temporary_folder() as temporary:
        while True:
            run = Coordinator(root, temporary, limits=LIMITS)
            counts["runs"] += 1
            if counts["kills"] < kills:
                run.until(chance.randint(0, 2 * left // (kills - counts["kills"] + 2)))
                time.sleep(chance.uniform(0, 1))
                counts["kills"] += run.kill()
                left = max(0, left - len(run.graded()))
            else:
                wait_until(lambda run=run: not run.alive(), HOURS)
                if run.wait():
                    raise SystemExit(f"the last run failed: {run.said[-5:]}")
                return counts
            wait_until(lambda: not survivors(temporary))


def main() -> None:
    """Run three times, compare, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--students", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    console = Console(width=120)
    with tempfile.TemporaryDirectory(prefix="thousand-") as scratch, listening():
        clean, whole, cut = (Path(scratch) / name for name in ("clean", "whole", "cut"))
        make(clean, asked.students, broken=False)
        is_what = make(whole, asked.students, broken=True)
        shutil.copytree(whole, cut, symlinks=True)
        good = len(list((clean / "submitted").iterdir()))
        clean_s, _ = whole_run(clean, good)
        console.print(f"the {good} good ones alone: {clean_s:.0f} s")
        whole_s, rows = whole_run(whole, asked.students)
        console.print(f"all {asked.students}: {whole_s:.0f} s")
        alone, together = marks(clean)[0], marks(whole)[0]
        result: dict[str, Any] = {
            "submissions": asked.students,
            "broken": len(is_what),
            "ways": len(set(is_what.values())),
            "accounted_for": len(together),
            "good": good,
            "good_that_differ": sum(together.get(name) != alone[name] for name in alone),
            "clean_s": round(clean_s, 1),
            "whole_s": round(whole_s, 1),
            "along": rows,
        }
        if asked.kills:
            counts = cut_run(cut, asked.students, asked.kills, random.Random(asked.seed))
            result["cut"] = {**counts, **compare(cut, whole)}
            result["different_notebooks"] = [
                is_what.get(name, "good") for name in different_notebooks(cut, whole)
            ]
    target = REPOSITORY / "build" / "bench" / "thousand.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    show(console, result)


def show(console: Console, result: dict[str, Any]) -> None:
    """Three small tables."""
    counts = Table(title="All and the good ones alone", show_header=False)
    for key in (
        "submissions",
        "broken",
        "ways",
        "accounted_for",
        "good",
        "good_that_differ",
        "clean_s",
        "whole_s",
    ):
        counts.add_row(key.replace("_", " "), str(result[key]))
    along = Table(title="Along the run over all", show_lines=False)
    for title in ("done", "seconds", "peak MB", "median MB"):
        along.add_column(title, justify="right")
    for row in result["along"]:
        along.add_row(*(str(row[key]) for key in ("done", "seconds", "peak_mb", "median_mb")))
    console.print(counts, along)
    if "cut" in result:
        cut = Table(title="Cut and resumed, beside the run that was not", show_header=False)
        for key, value in result["cut"].items():
            cut.add_row(key, str(value))
        cut.add_row("whose notebooks differ", ", ".join(result["different_notebooks"]))
        console.print(cut)


if __name__ == "__main__":
    main()
