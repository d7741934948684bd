"""What `faults.py` and the tests break: a class graded by a process that can be killed, and a Dask cluster that can be."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

from tests.grading import tiny

REPOSITORY = Path(__file__).resolve().parents[2]
LIMITS = {"cell_cpu_s": 20.0, "test_cpu_s": 20.0, "memory_mb": 1500, "file_mb": 64, "output_kb": 256}
PATIENCE_S = 240.0  # a busy machine is slow; whatever takes longer hangs


# A course and what a run leaves of it ------------------------------------------------------------------------------------


def make_course(root: Path, students: int) -> tiny.Tiny:
    """The tiny course with submissions that earn different marks; every third equals another."""
    course = tiny.Tiny(root, tiny.OURS.format(limits=LIMITS))
    course.generate()
    answers = [
        {},
        {"scale": "def scale(x, k):\n    return np.asarray(x) + k"},
        {"step": tiny.STUBS["step"], "why": tiny.STUBS["why"]},
        {"tasks": "review = 'one-to-many'"},
        {"scale": "import os\nos._exit(1)"},
        {"step": "def step(x, h, w, u):\n    return torch.tanh(x @ w + h @ u) + 0 * torch.rand(1)"},
    ]
    for number in range(students):
        notebook = course.right(**answers[number % len(answers)])
        course.submit(f"s{number:03d}", b"{" if number % 10 == 9 else notebook)
    return course


def marks(root: Path) -> tuple[dict[str, dict[str, Any]], int]:
    """What the gradebook holds: student → grade id → its columns; and how many rows there are more than once."""
    from nbgrader.api import Grade, Gradebook, SubmittedAssignment, SubmittedNotebook

    found: dict[str, dict[str, Any]] = {}
    twice = 0
    with Gradebook(f"sqlite:///{root}/gradebook.db") as gradebook:
        owners = Counter(row.student_id for row in gradebook.db.query(SubmittedAssignment))
        twice += sum(count - 1 for count in owners.values())
        books = Counter(row.assignment_id for row in gradebook.db.query(SubmittedNotebook))
        twice += sum(count - 1 for count in books.values())
        for grade in gradebook.db.query(Grade):
            cells = found.setdefault(grade.notebook.student.id, {})
            twice += grade.cell.name in cells
            cells[grade.cell.name] = [
                grade.auto_score, grade.manual_score, grade.extra_credit, grade.needs_manual_grade
            ]  # fmt: skip
    return found, twice


def notebooks(root: Path) -> dict[str, Any]:
    """Student → the graded notebook without its seconds; every file there must be whole."""
    found: dict[str, Any] = {}
    for path in sorted(root.glob(f"autograded/*/{tiny.NAME}/*")):
        if path.is_dir():
            continue
        name = "/".join(path.relative_to(root / "autograded").parts)
        if path.name != f"{tiny.NAME}.ipynb":  # it came beside the notebook, whatever it is
            found[name] = path.read_bytes()
            continue
        found[name] = json.loads(path.read_text(encoding="utf-8"))
        found[name]["metadata"]["course"].pop("seconds")
    return found


def audited(root: Path) -> tuple[Counter[str], int]:
    """How many lines with a mark each student has, and how many lines are torn."""
    lines: Counter[str] = Counter()
    torn = 0
    for line in (root / "audit.jsonl").read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            torn += 1
            continue
        lines[entry["student"]] += "marks" in entry
    return lines, torn


def compare(root: Path, reference: Path) -> dict[str, int]:
    """Counts of what a run that was cut left, beside one that was not."""
    ours, twice = marks(root)
    theirs, _ = marks(reference)
    lines, torn = audited(root)
    return {
        "submissions": len(list((root / "submitted").iterdir())),
        "students with marks": len(ours),
        "duplicate rows": twice,
        "different marks": sum(ours.get(name) != theirs.get(name) for name in ours.keys() | theirs.keys()),
        "different notebooks": len(different_notebooks(root, reference)),
        "students without a line": len(theirs.keys() - {name for name, count in lines.items() if count}),
        "second lines": sum(count - 1 for count in lines.values() if count > 1),
        "torn lines, passed over": torn,
    }


def different_notebooks(root: Path, reference: Path) -> list[str]:
    """Students whose graded notebooks differ."""
    books, whole = notebooks(root), notebooks(reference)
    return sorted(name for name in books.keys() | whole.keys() if books.get(name) != whole.get(name))


# The coordinator, in a process that can be killed --------------------------------------------------------------------------


class Coordinator:
    """A process that grades a course folder, resuming. It says `done STUDENT [resumed]` for each submission.

    Args:
        temporary: its folder for temporary files; a process that holds its name belongs to the run.
        step: let it kill itself at this step of recording: a commit, a synchronized file or a renamed one.
        limits: what a submission may use.
    """

    def __init__(
        self,
        root: Path,
        temporary: Path,
        scheduler: str = "",
        step: int = 0,
        limits: dict[str, Any] | None = None,
    ):
        self.temporary = temporary
        self.said: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.breaking", str(root),
             "--scheduler", scheduler, "--step", str(step), "--limits", json.dumps(limits or LIMITS)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
            env={**os.environ, "TMPDIR": str(temporary), "PYTHONWARNINGS": "ignore"},
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        self.said += (line.strip() for line in self._process.stdout)

    @property
    def pid(self) -> int:
        return self._process.pid

    def alive(self) -> bool:
        return self._process.poll() is None

    def graded(self) -> list[str]:
        """Students whom this very run graded."""
        return [
            said.split()[1] for said in self.said if said.startswith("done") and not said.endswith("resumed")
        ]

    def until(self, done: int) -> None:
        """Return when so many submissions are done or the process has ended."""
        wait_until(lambda: not self.alive() or len(self.graded()) >= done)

    def kill(self) -> bool:
        """SIGKILL; whether it ended so, by our hand or its own, and not because it was done."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        return self._process.returncode == -signal.SIGKILL

    def wait(self) -> int:
        """Its exit status."""
        wait_until(lambda: not self.alive(), 10 * PATIENCE_S)
        self._reader.join()
        return self._process.returncode


def coordinate(root: Path, scheduler: str, step: int, limits: dict[str, Any]) -> None:
    """What the process does."""
    from course_admin.grading.classroom import Course, Graded, grade_class

    if step:
        _die_at(step)
    course = Course(root, tiny.NAME)

    def on_done(graded: Graded) -> None:
        print("done", graded.student, graded.error or ("resumed" if graded.resumed else "now"), flush=True)

    def on_trouble(said: str) -> None:
        print("trouble", said, flush=True)

    grade_class(
        course,
        course.submitted(),
        jobs=2,
        scheduler=scheduler or None,
        resume=True,
        limits=limits,
        on_done=on_done,
        on_trouble=on_trouble,
    )


def _die_at(step: int) -> None:
    """Let this process kill itself before or after the call that is number `step` of those that make a mark last."""
    from sqlalchemy.orm import Session

    calls = iter(range(1, 10**9))

    def deadly(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            if next(calls) == step:
                os.kill(os.getpid(), signal.SIGKILL)
            result = function(*args, **options)
            if next(calls) == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call

    os.fsync, os.replace = deadly(os.fsync), deadly(os.replace)
    Session.commit = deadly(Session.commit)  # type: ignore[method-assign]


def survivors(temporary: Path) -> list[psutil.Process]:
    """Processes that belong to a run: its folder stands in their command line, environment or mounts."""
    name, found = str(temporary), []
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        with contextlib.suppress(psutil.Error, OSError):
            own = Path(f"/proc/{process.pid}")
            texts = (own / part for part in ("cmdline", "environ", "mountinfo"))
            if process.status() != psutil.STATUS_ZOMBIE and any(
                name in os.fsdecode(t.read_bytes()) for t in texts
            ):
                found.append(process)
    return found


def wait_until(true: Callable[[], Any], seconds: float = PATIENCE_S) -> None:
    """Raises TimeoutError if it never becomes true."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds:.0f} s")
        time.sleep(0.05)


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder with a short name: sockets lie below it."""
    with tempfile.TemporaryDirectory(prefix="cwt-", dir="/tmp", ignore_cleanup_errors=True) as name:
        yield Path(name)


# A cluster that can be killed ------------------------------------------------------------------------------------------------


class Grid:
    """A Dask scheduler on a port of its own and workers, each a process in a folder of its own; the dead are replaced.

    Use as a context manager.
    """

    def __init__(self, folder: Path, workers: int, settings: dict[str, str] | None = None):
        with socket.socket() as any_socket:
            any_socket.bind(("127.0.0.1", 0))
            self.port = any_socket.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.restarts: Counter[str] = Counter()
        self._folder, self._ending = folder, False
        path = os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")])
        self._environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", **(settings or {})}
        self._processes: dict[str, subprocess.Popen] = {}
        self._lock = threading.Lock()
        for name in ("scheduler", *(f"worker-{number}" for number in range(workers))):
            self.add(name)
        self._keeper = threading.Thread(target=self._keep, daemon=True)

    def __enter__(self) -> Grid:
        self._keeper.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending = True
        self._keeper.join()
        for process in self._processes.values():
            process.kill()
            process.wait()

    def kill(self, name: str) -> None:
        """SIGKILL to `scheduler` or `worker-N`; another takes its place."""
        with self._lock:
            self._processes[name].kill()

    def end(self, name: str) -> None:
        """SIGKILL, and none takes its place."""
        with self._lock:
            process = self._processes.pop(name, None)
            if process is not None:
                process.kill()
                process.wait()

    def _keep(self) -> None:
        while not self._ending:
            with self._lock:
                dead = [name for name, process in self._processes.items() if process.poll() is not None]
            for name in dead:
                if name in self._processes:
                    self.restarts[name.split("-")[0]] += 1
                    self.add(name)
            time.sleep(0.1)

    def add(self, name: str) -> None:
        """Start `scheduler` or `worker-N`."""
        folder = self._folder / name
        folder.mkdir(parents=True, exist_ok=True)
        if name == "scheduler":
            what = ["scheduler", "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard"]
        else:
            what = ["worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1",
                    "--memory-limit", "0", "--local-directory", str(folder), "--death-timeout", "60"]  # fmt: skip
        with open(folder / "log", "ab") as log, self._lock:
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", "dask", *what],
                cwd=folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("--scheduler", default="")
    parser.add_argument("--step", type=int, default=0)
    parser.add_argument("--limits", type=json.loads, default=LIMITS)
    options = parser.parse_args()
    coordinate(options.root, options.scheduler, options.step, options.limits)
