"""Two links to student code, behind one fixture: in process, and a real sandboxed kernel (started once a module)."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from course_utils.checking import InProcess, using

NO_SANDBOX = "bubblewrap is not installed, so no sandboxed kernel can be started"


class _Near:
    """Student code in this process."""

    def __init__(self) -> None:
        self.namespace: dict[str, Any] = {"__name__": "student"}
        self.ran: list[str] = []
        self.link = InProcess(self.namespace, self.ran)

    def run(self, code: str) -> None:
        exec(compile(code, "<cell>", "exec"), self.namespace)
        self.ran.append(code)


class _Far:
    """Student code in a sandboxed kernel."""

    def __init__(self, kernel: Any) -> None:
        self.link = kernel

    def run(self, code: str) -> None:
        outputs = self.link.run_cell(code)
        assert not [o for o in outputs if o["output_type"] == "error"], outputs


@pytest.fixture(scope="module")
def kernel() -> Iterator[Any]:
    if shutil.which("bwrap") is None:
        pytest.skip(NO_SANDBOX)
    from course_admin.grading.limits import Limits
    from course_admin.grading.session import StudentKernel

    limits = Limits(cell_cpu_s=10, test_cpu_s=1000, memory_mb=1500, restarts=30)
    with StudentKernel(limits=limits) as started:
        yield started


@pytest.fixture(params=["near", pytest.param("far", marks=pytest.mark.sandbox)])
def run(request: pytest.FixtureRequest) -> Iterator[Callable[[str], None]]:
    """`run(code)` executes a student's cell; inside the test `student` speaks to where it ran."""
    side = _Near() if request.param == "near" else _Far(request.getfixturevalue("kernel"))
    with using(side.link):
        yield side.run
