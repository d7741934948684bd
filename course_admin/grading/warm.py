"""The trusted side of the nursery: start it once, let it fork a kernel for each submission, end what is left.

One nursery serves one submission at a time (a kernel that died may be followed by another of the same submission); `clear`
ends everything that still lives of it before the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import LocalProvisioner
from traitlets import Dict

from course_admin.grading.limits import Limits
from course_admin.grading.sandbox import NURSERY_INSIDE, Box, SandboxUnavailable, own_uid, remedy

START_S = 180.0
PREFIX = "cwn-"  # short: a socket's path has at most 107 bytes
_nurseries: dict[tuple[str, ...], Nursery] = {}  # by what they withhold


def nursery(limits: Limits, withheld: tuple[str, ...]) -> Nursery:
    """This process's nursery (its parent's, in a forked child), started when first asked for.

    Raises:
        SandboxUnavailable: it does not start, or it was the parent's and has died.
    """
    known = _nurseries.get(withheld)
    if known is not None and known.alive():
        return known
    if known is not None and known.owner != os.getpid():
        raise SandboxUnavailable(known._why())
    if known is not None:
        known.close()
    _nurseries[withheld] = Nursery(limits, withheld)
    return _nurseries[withheld]


def close_nurseries() -> None:
    """End the nurseries that this very process started."""
    for withheld, known in list(_nurseries.items()):
        if known.owner == os.getpid():
            known.close()
            del _nurseries[withheld]


def remove_leftovers() -> None:
    """Remove the folders of nurseries that were killed: those that nobody holds any more."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # not ours, not a folder, held, or gone meanwhile
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                if os.fstat(descriptor).st_uid == os.geteuid():
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    _remove(folder)
            finally:
                os.close(descriptor)


def _held_folder() -> tuple[Path, int]:
    """A new folder and the descriptor that holds it, until this process and its forks have ended."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        with contextlib.suppress(
            FileNotFoundError
        ):  # another process took it for a leftover before it was held
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if folder.exists():
                return folder, descriptor
            os.close(descriptor)


def _remove(folder: Path) -> None:
    """Remove a folder, parts of which a submission may have closed: where we are not root, its user is ours."""
    with contextlib.suppress(OSError):
        folder.chmod(0o700)
        for above, names, _ in os.walk(folder):  # goes into a folder only after this loop's body
            for path in (os.path.join(above, name) for name in names):
                if not os.path.islink(path):
                    os.chmod(path, 0o700)
    shutil.rmtree(folder, ignore_errors=True)


class Nursery:
    """A nursery behind bubblewrap.

    Raises:
        SandboxUnavailable: it does not start; the message says why and what to do.
    """

    def __init__(self, limits: Limits, withheld: tuple[str, ...]):
        self.owner = os.getpid()
        remove_leftovers()
        self.folder, self._hold = _held_folder()
        self.folder.chmod(0o711)  # others may pass through, not look
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  (lives as long as the nursery)
        self._control, theirs = socket.socketpair()
        self._unread = b""
        try:
            with theirs:
                inside = [sys.executable, NURSERY_INSIDE, str(theirs.fileno())]
                self._process = subprocess.Popen(
                    Box(self.folder, limits, withheld).command(inside),
                    stdin=subprocess.DEVNULL,
                    stdout=self._log,
                    stderr=self._log,
                    pass_fds=[theirs.fileno()],
                    env={},  # bwrap itself can be seen from no submission, but what need has it of ours?
                )
            self._life = os.pidfd_open(self._process.pid)  # can be asked by a forked child too
            self._control.settimeout(START_S)
            self._message("ready")
        except BaseException:
            self._control.close()  # a nursery that is still starting then ends
            shutil.rmtree(self.folder, ignore_errors=True)
            os.close(self._hold)
            raise

    def start(self, folder: Path, connection_file: Path, uid: int | None, limits: Limits) -> Child:
        """Fork a kernel that serves the connection file in `folder`, as user `uid`."""
        order = {
            "op": "start",
            "folder": str(folder),
            "connection_file": str(connection_file),
            "uid": uid,
            "limits": limits.as_dict(),
        }
        self._control.sendall(json.dumps(order).encode() + b"\n")
        _, descriptors = self._message("pid")
        return Child(_pid_here(descriptors[0]), descriptors[0])

    def clear(self) -> None:
        """End every process of the submissions so far; returns when they are gone."""
        self._control.sendall(b'{"op": "clear"}\n')
        self._message("cleared")
        for left in self.folder.iterdir():
            _remove(left)

    def alive(self) -> bool:
        return not select.select([self._life], [], [], 0)[0]

    def close(self) -> None:
        """End the nursery and with it every submission in it."""
        self._control.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(2)
        self._process.kill()
        self._process.wait()
        self._log.close()
        os.close(self._life)
        _remove(self.folder)
        os.close(self._hold)

    def _message(self, key: str) -> tuple[dict[str, Any], list[int]]:
        """The next message that holds `key`; others are leftovers of a submission that was cut off."""
        descriptors: list[int] = []
        while True:
            while b"\n" in self._unread:
                line, self._unread = self._unread.split(b"\n", 1)
                message = json.loads(line)
                if key in message:
                    return message, descriptors
                for descriptor in descriptors:
                    os.close(descriptor)
                descriptors = []
            try:
                data, received, _, _ = socket.recv_fds(self._control, 65536, 4)
            except TimeoutError:
                data, received = b"", []
            if not data:
                raise SandboxUnavailable(self._why())
            descriptors += received
            self._unread += data

    def _why(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        self._log.seek(0)
        said = self._log.read().decode(errors="replace").strip()[-600:]
        return f"the sandbox (bubblewrap) does not start or has died: {said}. {remedy(said)}"


def _pid_here(descriptor: int) -> int:
    """The number that a process has on this side; the nursery, in a PID namespace of its own, knows it by another."""
    lines = Path(f"/proc/self/fdinfo/{descriptor}").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pid:"))


class Child:
    """Process 1 of one submission, seen from outside; when it ends, all that it held has ended. Speaks as Popen does."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, descriptor: int):
        self.pid, self._descriptor = pid, descriptor
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """None while it lives; its true status is the nursery's to know."""
        if self.returncode is None and select.select([self._descriptor], [], [], 0)[0]:
            self.returncode = 0
            os.close(self._descriptor)
        return self.returncode

    def wait(self) -> int:
        if self.poll() is None:
            select.select([self._descriptor], [], [])
        return self.poll() or 0

    def send_signal(self, signum: int) -> None:
        if self.poll() is None:
            signal.pidfd_send_signal(self._descriptor, signum)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    terminate = kill


class SandboxProvisioner(LocalProvisioner):
    """Gets its kernel from a nursery. Named `course-sandbox` among jupyter_client's kernel provisioners."""

    box = Dict(help="folder, limits and withheld, as plain values").tag(config=True)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        limits = Limits.from_dict(self.box["limits"])
        folder = Path(self.box["folder"])
        uid = own_uid()
        if uid is not None:
            for path in (folder, *folder.iterdir()):
                os.chown(path, uid, uid)
        home = nursery(limits, tuple(self.box["withheld"]))
        child = home.start(folder, folder / "connection.json", uid, limits)
        self.process: Any = child
        self.pid, self.pgid = child.pid, None
        return self.connection_info

    async def wait(self) -> int | None:
        while self.process is not None and self.process.poll() is None:
            await asyncio.sleep(0.005)
        self.process = None
        return 0
