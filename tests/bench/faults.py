"""Grade a class while everything that can die is killed: `python -m tests.bench.faults [--students N] [--kills 20]`.

Half of the kills meet a coordinator with a local cluster, the other half one with a Dask scheduler and two workers, which
are killed and replaced meanwhile. Afterwards gradebook, graded notebooks and audit log are compared with those of a run that
nobody disturbed. Prints a table and writes build/bench/faults.json. 60 students and 20 kills take 10 to 30 minutes.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.bench.breaking import (
    REPOSITORY,
    Coordinator,
    Grid,
    compare,
    make_course,
    survivors,
    temporary_folder,
    wait_until,
)


def disturbed(root: Path, kills: int, chance: random.Random, grid: Grid | None = None) -> Counter[str]:
    """Grade a course while its coordinator is killed; then let it finish."""
    counts: Counter[str] = Counter()
    address = grid.address if grid else ""
    with temporary_folder() as temporary:
        for number in range(kills):
            step = chance.choice([0, chance.randint(1, 24)])
            run = Coordinator(root, temporary, address, step)
            run.until(10**9 if step else chance.randint(0, 2))
            if not step:
                time.sleep(chance.uniform(0, 3))
            if grid is not None:
                grid.kill(f"worker-{number % 2}")
                if number % 3 == 0:
                    grid.kill("scheduler")
            counts["coordinator runs"] += 1
            if not run.kill():
                break  # all is graded: nothing is left to disturb
            counts["coordinator killed"] += 1
            counts["of these while recording"] += bool(step)
            wait_until(lambda: not survivors(temporary))
        last = Coordinator(root, temporary, address)
        counts["last run's status"] = last.wait()
        counts["coordinator runs"] += 1
        counts["graded in the last run"] = len(last.graded())
        wait_until(lambda: not survivors(temporary))
        counts["folders of nurseries left"] = len(list(temporary.glob("cw*")))
    if grid is not None:
        counts["workers replaced"], counts["schedulers replaced"] = (
            grid.restarts["worker"],
            grid.restarts["scheduler"],
        )
    return counts


def measure(students: int, kills: int, seed: int, folder: Path) -> dict[str, dict[str, int]]:
    """Run twice among faults and compare with a run that has none."""
    chance = random.Random(seed)
    courses = {name: folder / name for name in ("reference", "local", "scheduler")}
    make_course(courses["reference"], students)
    for name in ("local", "scheduler"):
        shutil.copytree(courses["reference"], courses[name])
    with temporary_folder() as temporary:
        if Coordinator(courses["reference"], temporary).wait():
            raise RuntimeError("the run without faults failed")
    print("reference is done", flush=True)
    counts = {"local cluster": disturbed(courses["local"], kills - kills // 2, chance)}
    print("local cluster is done", flush=True)
    with Grid(folder / "grid", 2) as grid:
        counts["scheduler and workers"] = disturbed(courses["scheduler"], kills // 2, chance, grid)
    return {
        name: {**count, **compare(courses[course], courses["reference"])}
        for (name, count), course in zip(counts.items(), ("local", "scheduler"), strict=True)
    }


def main() -> None:
    """Read the command line, measure, print, write."""
    from rich.console import Console
    from rich.table import Table

    parser = argparse.ArgumentParser(description="Grade a class while everything that can die is killed.")
    parser.add_argument("--students", type=int, default=60)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # the cluster and the folders go too
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        counts = measure(options.students, options.kills, options.seed, Path(folder))
    table = Table("", *counts)
    for row in dict.fromkeys(key for count in counts.values() for key in count):
        table.add_row(row, *(str(count.get(row, "–")) for count in counts.values()))
    Console().print(table)
    target = REPOSITORY / "build" / "bench" / "faults.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({"seed": options.seed, **counts}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
