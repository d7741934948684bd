"""The trusted side of the nursery: start it once, let it fork a kernel for each submission, end what is left.

One nursery serves one submission at a time (a kernel that died may be followed by another of the same submission); `clear`
ends everything that still lives of it before the next.
"""

from __future__ import annotations

import asyncio
import contextlib
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
_nurseries: dict[tuple[int, tuple[str, ...], int], Nursery] = {}


def nursery(limits: Limits, withheld: tuple[str, ...]) -> Nursery:
    """This process's nursery (its parent's, in a forked child), started when first asked for."""
    for (_, hidden, _), known in _nurseries.items():
        if hidden == withheld and known.alive():
            return known
    made = Nursery(limits, withheld)
    _nurseries[os.getpid(), withheld, id(made)] = made
    return made


def close_nurseries() -> None:
    """End the nurseries that this very process started."""
    for key, known in list(_nurseries.items()):
        if key[0] == os.getpid():
            known.close()
            del _nurseries[key]


class Nursery:
    """A nursery behind bubblewrap.

    Raises:
        SandboxUnavailable: it does not start; the message says why and what to do.
    """

    def __init__(self, limits: Limits, withheld: tuple[str, ...]):
        # A short name: a socket's path has at most 107 bytes. Others may pass through, not look.
        self.folder = Path(tempfile.mkdtemp(prefix="cw-"))
        self.folder.chmod(0o711)
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
            shutil.rmtree(self.folder, ignore_errors=True)
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
        answer, descriptors = self._message("pid")
        return Child(answer["pid"], descriptors[0])

    def clear(self) -> None:
        """End every process of the submissions so far; returns when they are gone."""
        self._control.sendall(b'{"op": "clear"}\n')
        self._message("cleared")
        for left in self.folder.iterdir():
            shutil.rmtree(left, ignore_errors=True)

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
        shutil.rmtree(self.folder, ignore_errors=True)

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
