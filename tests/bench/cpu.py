"""CPU seconds of a command and of everything that it ever started.

What a process waited for is not enough: a sandbox is ended by killing process 1 of its namespace, and what lived in it is then
reaped by nobody who would add it up. A control group (version 2) counts every process, however it ended.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil


class Meter:
    """Counts the CPU seconds of the processes that enter it, and of all that they start.

    Attributes:
        whole_machine: no control group can be made here, so all that the machine does is counted.
    """

    def __init__(self) -> None:
        self._folder = _new_group()
        self.whole_machine = self._folder is None
        self._before = _machine()

    def enter(self) -> None:
        """Put the calling process in; for `preexec_fn` of `subprocess.Popen`."""
        if self._folder is not None:
            (self._folder / "cgroup.procs").write_text(str(os.getpid()))

    def seconds(self) -> float:
        """CPU seconds so far."""
        if self._folder is None:
            return _machine() - self._before
        fields = dict(line.split() for line in (self._folder / "cpu.stat").read_text().splitlines())
        return int(fields["usage_usec"]) / 1e6

    def close(self) -> None:
        """Forget it; processes that are left stay where they are."""
        if self._folder is not None:
            try:
                self._folder.rmdir()
            except OSError:
                return  # something still runs in it


@contextmanager
def metered() -> Iterator[Meter]:
    """A meter for the length of a block."""
    meter = Meter()
    try:
        yield meter
    finally:
        meter.close()


def _new_group() -> Path | None:
    """A control group below our own, or None where we may not make one."""
    try:
        mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
        root = next(Path(fields[1]) for fields in mounts if fields[2] == "cgroup2")
        lines = Path("/proc/self/cgroup").read_text().splitlines()
        own = next(line[3:] for line in lines if line.startswith("0::"))
        folder = root / own.lstrip("/") / f"bench-{uuid.uuid4().hex[:8]}"
        folder.mkdir()
    except (OSError, StopIteration):
        return None
    return folder


def _machine() -> float:
    """CPU seconds that the machine has worked since it started."""
    times = psutil.cpu_times()
    return times.user + times.nice + times.system + times.irq + times.softirq
