"""`coursework doctor`: what this machine has, what is missing and what to do about it. Really starts a sandbox and a kernel."""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from course_admin.grading.limits import Limits
from course_admin.grading.sandbox import SandboxUnavailable, probe

PACKAGES = ["torch", "numpy", "matplotlib", "jupyterlab", "nbgrader", "jupytext", "ipykernel", "psutil"]


@dataclass(frozen=True)
class Finding:
    """One thing looked at: whether it is fine, what was seen, and the remedy where it is not."""

    name: str
    fine: bool
    seen: str
    remedy: str = ""


def examine(root: Path) -> Iterator[Finding]:
    """Look at everything that building and grading need, one finding at a time.

    Args:
        root: the course folder.
    """
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("Python", sys.version_info >= (3, 11), version, "install Python 3.11 or later")
    for package in PACKAGES:
        try:
            yield Finding(package, True, importlib.metadata.version(package))
        except importlib.metadata.PackageNotFoundError:
            yield Finding(
                package, False, "not installed", "pip install -c constraints.txt -e '.[instructors]'"
            )
    beside = Path(sys.executable).with_name("alembic")
    found = shutil.which("alembic") or (str(beside) if beside.exists() else None)
    yield Finding(
        "alembic",
        found is not None,
        "found" if found else "missing",
        "pip install alembic (nbgrader's gradebook needs it)",
    )
    yield _tried("bubblewrap sandbox", _sandbox)
    yield _tried("kernel in the sandbox", _kernel)
    for folder in ("source", "release"):
        count = len(list((root / folder).glob("*/*.ipynb")))
        yield Finding(f"{folder}/", count > 0, f"{count} notebooks", "coursework build")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    seen = chromium or "missing (browser tests are skipped)"
    yield Finding("chromium", True, seen)


def _tried(name: str, attempt: Callable[[], str]) -> Finding:
    try:
        return Finding(name, True, attempt())
    except SandboxUnavailable as error:
        seen, _, remedy = str(error).partition(". ")
        return Finding(name, False, seen, remedy)
    except Exception as error:
        return Finding(
            name,
            False,
            f"{type(error).__name__}: {error}",
            "run again; if it stays, look at the system's log",
        )


def _sandbox() -> str:
    probe()
    return "starts"


def _kernel() -> str:
    from course_admin.grading.session import StudentKernel
    from course_utils.checking import student, using

    started = time.monotonic()
    with StudentKernel(limits=Limits(cell_cpu_s=30)) as kernel:
        outputs = kernel.run_cell("import torch\ndef twice(x):\n    return 2 * x")
        if outputs:
            raise RuntimeError(str(outputs[-1])[-300:])
        with using(kernel):
            if student.twice(21) != 42:
                raise RuntimeError("a call through the seam gave a wrong value")
        closed = kernel.run_cell("import socket\nsocket.create_connection(('192.0.2.1', 80), timeout=1)")
    if not any(output.get("output_type") == "error" for output in closed):
        raise RuntimeError("the sandbox has a network")
    return f"answers, without a network ({time.monotonic() - started:.1f} s)"
