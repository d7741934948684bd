"""The student's kernel, as the trusted process sees it: run a cell, ask a question, survive whatever happens.

Nothing that the kernel says about itself decides a mark. A kernel that dies is started again and put into the state that
the cells run so far leave behind.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from course_admin.grading.kernel import BadAnswer, Kernel
from course_admin.grading.limits import Limits
from course_admin.grading.outputs import Collector, OutputFlood
from course_admin.grading.watch import KernelDied, OutOfTime
from course_admin.shipping import ANSWERS
from course_utils.checking.cells import imports_only

GONE = "the kernel died too often and was not started again"


@dataclass
class StudentKernel:
    """One submission's kernel. Use as a context manager. Implements the seam's `Link`.

    Args:
        limits: what the submission may use.
        unsafe: run the kernel without a sandbox.
        withheld: parts of `course_utils` that are unavailable, see `course_admin.shipping`.
    """

    limits: Limits = field(default_factory=Limits)
    unsafe: bool = False
    withheld: tuple[str, ...] = ANSWERS
    flags: list[str] = field(default_factory=list)
    kept_records: dict[str, Any] = field(default_factory=dict)
    _test_began: float | None = field(
        default=None, init=False
    )  # the kernel's CPU when the present test cell began
    _test_before: float = field(default=0.0, init=False)  # what kernels that died meanwhile used for it
    _ran: list[str] = field(default_factory=list, init=False)
    _given: set[str] = field(default_factory=set, init=False)
    _kernel: Kernel | None = field(default=None, init=False)
    _restarts: int = field(default=0, init=False)
    _needs_replay: bool = field(default=False, init=False)
    _deadline: float = field(default=float("inf"), init=False)

    def __enter__(self) -> StudentKernel:
        self._deadline = time.monotonic() + self.limits.submission_s
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    # Life and death ------------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._kernel = Kernel(
            self.limits,
            unsafe=self.unsafe,
            withheld=self.withheld,
            deadline=self._deadline,
            first=self._restarts * 1_000_000,
        )
        self._test_began = self._kernel.processes.cpu()

    def _stop(self) -> None:
        if self._kernel is not None:
            used = self._kernel.processes.cpu()
            self._test_before += max(0.0, used - (self._test_began or 0.0))
            self._kernel.close()
            self._kernel = None

    def _restart(self) -> Kernel:
        """A new kernel in the state that the cells run so far leave behind."""
        self._restarts += 1
        self._stop()
        if self._restarts > self.limits.restarts:
            raise KernelDied(GONE)
        self._start()
        self._needs_replay = False
        assert self._kernel is not None
        for code in list(self._ran):
            try:
                self._kernel.run(code, Collector(self.limits.output_kb * 1024), self.limits.cell_cpu_s)
            except (OutOfTime, OutputFlood):
                pass
            except KernelDied:
                self._ran.remove(code)
                return self._restart()
        self._test_began = self._kernel.processes.cpu()
        return self._kernel

    def _ready(self) -> Kernel:
        if self._kernel is None:
            raise KernelDied(GONE)
        return self._restart() if self._needs_replay or not self._kernel.alive() else self._kernel

    def _at_rest(self) -> Kernel:
        """A kernel that has left the last check; what dies of that check's calls is not laid at the next cell's door."""
        kernel = self._ready()
        try:
            kernel.leave(self.limits.cell_cpu_s)
        except (KernelDied, OutOfTime, OutputFlood) as left:
            self.flags.append(f"what a call left behind ended the kernel: {left or 'output without end'}")
            kernel = self._restart()
        return kernel

    def begin_test(self) -> None:
        """A new test cell: what student code computes for it counts from here."""
        self._test_before = 0.0
        self._test_began = self._kernel.processes.cpu() if self._kernel is not None else 0.0

    def test_seconds(self) -> float:
        """CPU seconds that student code computed for the present test cell."""
        now = self._kernel.processes.cpu() - (self._test_began or 0.0) if self._kernel is not None else 0.0
        return self._test_before + max(0.0, now)

    # Running cells --------------------------------------------------------------------------------------------------

    def run_cell(self, code: str, given: bool = False) -> list[dict]:
        """Run a cell; returns its outputs, cleaned and bounded. Never raises for what the cell does.

        Args:
            given: the course wrote it, so what it defines is no part of an answer.
        """
        if given:
            self._given.add(code)
        collector = Collector(self.limits.output_kb * 1024)
        if self.late():
            collector.error(
                "Timeout", f"not run: the {self.limits.submission_s:g} s of this submission are used up"
            )
            return collector.outputs
        try:
            self._at_rest().run(code, collector, self.limits.cell_cpu_s)
            self._ran.append(code)
            self.kept_records = {**collector.records, **self.kept_records}  # what was handed in comes first
        except OutOfTime as late:
            collector.error("Timeout", f"this cell was stopped after {late}")
            self.flags.append(f"a cell was stopped after {late}")
            if late.alive:
                self._ran.append(code)
            else:
                self._needs_replay = True
        except OutputFlood:
            collector.error(
                "TooMuchOutput", f"this cell was stopped after printing {self.limits.output_kb} kB"
            )
            self.flags.append("a cell printed without end")
            self._needs_replay = True
        except KernelDied as death:
            collector.error("KernelDied", str(death))
            self.flags.append(f"a cell killed its kernel: {death}")
            self._needs_replay = True
        return collector.outputs

    def late(self) -> bool:
        """Whether the submission as a whole has had its time; flags it the first time."""
        if time.monotonic() < self._deadline:
            return False
        flag = f"the submission used up its {self.limits.submission_s:g} s; what came after was not run"
        if flag not in self.flags:
            self.flags.append(flag)
        return True

    # The seam -------------------------------------------------------------------------------------------------------

    def ask(self, request: dict, call_back: Callable[[dict], dict], seconds: float) -> dict:
        """See `course_utils.checking.handles.Link`."""
        left = self.limits.test_cpu_s - self.test_seconds()
        if left <= 0:
            return {"timeout": self.limits.test_cpu_s}
        if self.late():
            return {"timeout": self.limits.submission_s}
        try:
            return self._ready().ask(request, call_back, min(seconds, left))
        except OutOfTime as late:
            self._needs_replay = not late.alive
            return {"timeout": late.seconds}
        except OutputFlood:
            self._needs_replay = True
            return {"unreadable": "output without end"}
        except BadAnswer as bad:
            self._needs_replay = True
            self.flags.append(f"an answer that is not the protocol's: {bad}")
            return {"unreadable": str(bad)}
        except KernelDied as death:
            self._needs_replay = True
            return {"crashed": str(death)}

    def cells(self) -> list[str]:
        return [imports_only(code) if code in self._given else code for code in self._ran]

    def recorded(self, name: str) -> Any:
        return self.kept_records.get(name)

    def cause(self) -> None:
        return None
