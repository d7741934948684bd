"""What one kernel uses, and the watch that ends what uses too much."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from course_admin.grading.kernel import Kernel

GRACE_S = 5.0
TICKS = os.sysconf("SC_CLK_TCK")


class KernelDied(Exception):
    """The kernel is gone; the message says what is known."""


class OutOfTime(Exception):
    """A cell or call used up its time; `alive` tells whether the kernel came back after an interrupt."""

    def __init__(self, seconds: float, alive: bool):
        super().__init__(f"{seconds:g} s of computing")
        self.seconds, self.alive = seconds, alive


class Processes:
    """A kernel's process and all below it.

    Args:
        pid: of the process that was started.
        inner: that one only holds the sandbox; Python runs in its first child.

    Raises:
        psutil.Error, OSError: it has ended.
    """

    def __init__(self, pid: int | None, inner: bool):
        self._first = psutil.Process(pid)
        children = self._first.children() if inner else []
        self.python = children[0] if children else self._first
        self._times: Any = None
        if sys.platform == "linux":
            self._times = open(f"/proc/{self.python.pid}/stat", "rb", buffering=0)  # noqa: SIM115  (see `close`)

    def close(self) -> None:
        if self._times is not None:
            self._times.close()

    def cpu(self) -> float:
        """CPU seconds of Python's process so far: a quick reading."""
        try:
            if self._times is None:
                return sum(self.python.cpu_times()[:4])
            fields = os.pread(self._times.fileno(), 4096, 0).rsplit(b")", 1)[1].split()
        except (OSError, psutil.Error):
            return 0.0  # it has ended
        return sum(map(int, fields[11:15])) / TICKS  # user, system, and those of children that have ended

    def usage(self) -> list[tuple[float, int]]:
        """CPU seconds and resident bytes of each process; shared pages count in each."""
        usage = []
        for process in self._all():
            try:
                with process.oneshot():
                    times = process.cpu_times()
                    usage.append((times.user + times.system, process.memory_info().rss))
            except psutil.Error:
                continue
        return usage

    def memory(self) -> int:
        """Bytes that they hold together; pages they share count once."""
        total = 0
        for process in self._all():
            try:
                total += process.memory_full_info().pss
            except psutil.Error:
                continue
        return total

    def _all(self) -> list[psutil.Process]:
        try:
            return [self._first, *self._first.children(recursive=True)]
        except psutil.Error:
            return []


class Watch:
    """Sees that one execution stays within its limits, and ends it when it does not."""

    def __init__(self, kernel: Kernel, cpu_seconds: float):
        self.kernel, self.cpu_seconds = kernel, cpu_seconds
        self.started = self.looked = time.monotonic()
        self.cpu_before: float | None = None
        self.interrupted_at: float | None = None
        self.last_moment: float | None = None

    def patience(self, seconds: float) -> None:
        self.last_moment = self.last_moment or time.monotonic() + seconds

    def impatient(self) -> bool:
        return self.last_moment is not None and time.monotonic() > self.last_moment

    def check(self) -> None:
        """Look, at most every tenth of a second.

        Raises:
            KernelDied: it ended, or was ended for what it uses.
            OutOfTime: it did not come back after an interrupt.
        """
        now = time.monotonic()
        if now - self.looked < 0.1:
            return
        self.looked = now
        kernel, limits = self.kernel, self.kernel.limits
        if not kernel.alive():
            raise KernelDied("its process ended")
        if kernel.files() > limits.file_mb * 2**20:
            self._kill(f"more than {limits.file_mb} MB of files")
        usage = kernel.processes.usage()
        most = limits.memory_mb * 2**20
        if sum(rss for _, rss in usage) > most and kernel.processes.memory() > most:
            self._kill(f"more than {limits.memory_mb} MB of memory")
        if len(usage) > limits.processes:
            self._kill(f"more than {limits.processes} processes")
        used = sum(cpu for cpu, _ in usage)
        if self.cpu_before is None:  # the first tenth of a second was not measured
            self.cpu_before = used - (now - self.started)
        too_long = now > min(kernel.deadline, self.started + max(60.0, limits.wall_factor * self.cpu_seconds))
        if self.interrupted_at is not None:
            if now - self.interrupted_at > GRACE_S:
                kernel.kill()
                raise OutOfTime(self.cpu_seconds, alive=False)
        elif used - self.cpu_before > self.cpu_seconds or too_long:
            self.interrupted_at = now
            kernel.interrupt()

    def _kill(self, why: str) -> None:
        self.kernel.kill()
        raise KernelDied(why)
