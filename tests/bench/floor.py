"""What the cells of submissions cost by themselves: python -m tests.bench.floor ROOT NAME STUDENT…

Each submission runs in a fork of this process, which has the libraries loaded: the student's cells as plain Python, the tests
against them in the same process. Prints a list of CPU seconds.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from pathlib import Path

import matplotlib.pyplot  # noqa: F401  (loaded before the forks)
import torch

import course_utils.training  # noqa: F401
from course_admin.grading.classroom import Course, tasks_for
from course_admin.grading.nursery import warm_up
from course_admin.grading.submission import pack_course, prepare
from course_admin.grading.worker import is_test, only_definitions, only_shows, run_test
from course_utils import figures, plotting
from course_utils.checking import InProcess


def main() -> None:
    """Measure each student."""
    course = Course(Path(sys.argv[1]), sys.argv[2])
    torch.set_num_threads(1)
    warm_up()
    packed = pack_course(course.source(), course.release())
    seconds = []
    for task in tasks_for(course, sys.argv[3:], packed):
        job, _ = prepare(task)
        pid = os.fork()
        if pid == 0:
            try:
                run(job.notebook, job.seed)
            finally:
                os._exit(0)
        _, _, usage = os.wait4(pid, 0)
        seconds.append(usage.ru_utime + usage.ru_stime)
    print(json.dumps(seconds))


def run(notebook: dict, seed: int) -> None:
    namespace: dict = {"__name__": "__main__"}
    ran: list[str] = []
    link = InProcess(namespace, ran)
    plotting.show = lambda fig, alt: figures.to_png(
        fig
    )  # a picture is drawn where a kernel runs; here it counts as well
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        for number, cell in enumerate(cells):
            tags = cell["metadata"].get("tags", [])
            if is_test(cell):
                run_test(cell, link, seed, [])
                continue
            if "scoreboard" in tags or ("show" in tags and only_shows(cell["source"], cells[number + 1 :])):
                continue
            code = only_definitions(cell["source"]) if "experiment" in tags else cell["source"]
            with contextlib.suppress(Exception):
                ran.append(code)
                exec(compile(code, "<cell>", "exec"), namespace)


if __name__ == "__main__":
    main()
