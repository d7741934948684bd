"""Run answers beside their test cells, each in a process of its own, so that one that hangs or dies stops nothing.

`run` starts one clean helper (this module as a program), which loads torch and runs the notebook's setup cell once on a
single thread; each answer then runs in a child forked from it, which costs milliseconds. This is the quick check of the
bank, for answers that we wrote; a submission is graded in the sandbox (docs/seam.md).
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

CPU_SECONDS = 60  # of one answer with its whole test cell
MESSAGE_LIMIT = 8000


@dataclass(frozen=True)
class Task:
    """An answer cell and the test cell to run on it.

    Attributes:
        cpu_seconds: computing time for the answer and its whole test cell.
        call_seconds: at most this much for one call, where the test allows more.
        stop_seconds: after this much computing begin no further part once a point is lost; None: run every part.
    """

    candidate: str
    test: str
    points: float
    cpu_seconds: float = CPU_SECONDS
    call_seconds: float = CPU_SECONDS
    stop_seconds: float | None = None


@dataclass(frozen=True)
class Outcome:
    """How a test cell ended.

    Attributes:
        score: points earned.
        kind: `passed`; `failed`; `not-answered`; `test-error` (the test cell itself is broken); `timeout` or `died`.
        message: what the student would read; for a test error what it raised, and where.
        total: points of the test cell's parts, where it got that far.
        cell_error: what the answer cell raised while it ran, if anything.
        seconds: wall time.
    """

    score: float
    kind: str
    message: str = ""
    total: float | None = None
    cell_error: str = ""
    seconds: float = 0.0


class SetupError(RuntimeError):
    """The notebook's setup cell raised, so nothing can be checked."""


def run(setup: str, tasks: Sequence[Task], jobs: int = 1) -> Iterator[tuple[int, Outcome]]:
    """Run every task, at most `jobs` at once, and yield (index, outcome) as each ends.

    Raises:
        SetupError: the setup cell raised.
    """
    if not tasks:
        return
    root = Path(__file__).resolve().parents[2]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH", "")])),
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MPLBACKEND": "Agg",
        "COURSE_BUDGET": "quick",
    }
    command = [sys.executable, "-m", "course_admin.bank.runner"]
    order = {"setup": setup, "jobs": max(1, jobs), "tasks": [asdict(task) for task in tasks]}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True, encoding="utf-8"
    ) as helper:
        assert helper.stdin is not None and helper.stdout is not None
        try:
            json.dump(order, helper.stdin)
            helper.stdin.close()
            done = 0
            for line in helper.stdout:
                reply = json.loads(line)
                if "setup_error" in reply:
                    raise SetupError(reply["setup_error"])
                done += 1
                yield reply.pop("index"), Outcome(**reply)
            if done < len(tasks):
                raise SetupError(f"the helper process ended after {done} of {len(tasks)} answers")
        finally:
            helper.terminate()


if __name__ == "__main__":
    from course_admin.bank.forking import serve

    serve()
