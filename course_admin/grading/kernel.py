"""One kernel process: start it, run code in it, put questions to it, end it.

Cells travel as Jupyter's messages. Questions of a check are many and small; they travel over a line of their own
(`course_utils.checking.line`), which the servant in the kernel attends while a check runs. Every byte that comes back is
untrusted and bounded.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import select
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import zmq
from jupyter_client import KernelManager
from jupyter_client.kernelspec import KernelSpec

from course_admin.grading.limits import Limits
from course_admin.grading.outputs import Collector, OutputFlood
from course_admin.grading.warm import nursery
from course_admin.grading.watch import GRACE_S, KernelDied, OutOfTime, Processes, Watch
from course_utils.checking.line import HEAD, frame, take

POLL_MS = 100
AT_ONCE_MS = (
    20  # most answers to a question come within; only for one that does not, a closer look is worth its time
)
START_S = 120.0
MESSAGE_MB = 128
OUTPUT_MB = 32
MOST_CALLBACKS = 5000


class BadAnswer(Exception):
    """What came over the line is not the protocol's."""


class Kernel:
    """A running kernel, in a sandbox unless `unsafe`.

    Args:
        deadline: `time.monotonic()` at which the submission has had its time.
        first: number of the first object that its servant may refer to.

    Raises:
        KernelDied: it does not start.
    """

    def __init__(
        self, limits: Limits, *, unsafe: bool, withheld: tuple[str, ...], deadline: float, first: int
    ):
        self.limits, self.unsafe, self.deadline = limits, unsafe, deadline
        self._first, self._attending = first, ""
        self._line: socket.socket | None = None
        self._unread, self._heard = bytearray(), 0
        home = None if unsafe else nursery(limits, withheld).folder
        self.folder = Path(
            tempfile.mkdtemp(prefix="cw-", dir=home)
        )  # short: a socket's path has at most 107 bytes
        context = zmq.Context()
        context.setsockopt(zmq.MAXMSGSIZE, MESSAGE_MB * 2**20)
        context.setsockopt(zmq.RCVHWM, 4)  # one reply at a time is due, and each may be large
        context.setsockopt(zmq.LINGER, 0)
        context.setsockopt(zmq.RECONNECT_IVL, 10)  # ms; the kernel is not there yet when we connect
        self._manager = KernelManager(
            kernel_name="student",
            transport="ipc",
            ip=str(self.folder / "s"),
            connection_file=str(self.folder / "connection.json"),
            context=context,
        )
        self._manager._kernel_spec = _spec(self.folder, limits, unsafe, withheld)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self.folder / "line"))
        self._listener.listen(1)
        self._manager.start_kernel(**({"env": _plain_environment()} if unsafe else {}))
        self._client = self._manager.blocking_client()
        self._client.context = context  # its own would know none of these limits
        self._client.shell_channel, self._client.stdin_channel, self._client.control_channel  # noqa: B018  (opens them)
        context.setsockopt(zmq.RCVHWM, 32)  # outputs come in numbers; more of them wait on the kernel's side
        context.setsockopt(zmq.MAXMSGSIZE, OUTPUT_MB * 2**20)
        self._cut = self._client.iopub_channel.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        self._client.start_channels(hb=False)  # a heartbeat thread may outlive the context
        try:
            self._await()
            if not unsafe and os.geteuid() == 0:  # from now on the submission may not fill the folder
                for path in (self.folder / "connection.json", self.folder):
                    os.chown(path, 0, 0)
                self.folder.chmod(0o711)
            self.processes = Processes(getattr(self._manager.provisioner, "pid", None), inner=not unsafe)
        except BaseException as error:
            self.close()
            if isinstance(error, psutil.Error | OSError):
                raise KernelDied("the kernel did not start") from None
            raise

    def _await(self) -> None:
        """Return when the kernel answers and is heard; what it publishes before anyone listens is lost, so ask again."""
        client, started, pause = self._client, time.monotonic(), 0.05
        waiting = {
            client.shell_channel.socket: client.shell_channel,
            client.iopub_channel.socket: client.iopub_channel,
        }
        while waiting:
            client.session.send(client.shell_channel.socket, "kernel_info_request", {})
            poller = zmq.Poller()
            for one in waiting:
                poller.register(one, zmq.POLLIN)
            for ready, _ in poller.poll(int(1000 * pause)):
                waiting.pop(ready).get_msg(timeout=0)
            pause = min(1.0, 2 * pause)
            if not self.alive() or time.monotonic() > started + START_S:
                raise KernelDied("the kernel did not start")

    def alive(self) -> bool:
        process = getattr(self._manager.provisioner, "process", None)
        return process is not None and process.poll() is None

    def kill(self) -> None:
        """End the process and all that it started."""
        process = getattr(self._manager.provisioner, "process", None)
        if self.unsafe or process is None:
            self._manager.shutdown_kernel(now=True)
        else:  # with process 1 everything in its namespace ends; nothing to be polite to
            process.kill()
            process.wait()

    def close(self) -> None:
        """End the process, the connections and the folder."""
        for end in (self._line, getattr(self, "processes", None)):
            if end is not None:
                end.close()
        self._listener.close()
        self._client.stop_channels()
        self.kill()
        self._manager.context.destroy(linger=0)
        shutil.rmtree(self.folder, ignore_errors=True)

    # Cells ------------------------------------------------------------------------------------------------------------

    def run(self, code: str, collector: Collector, cpu_seconds: float) -> None:
        """Run a cell.

        Raises:
            KernelDied, OutOfTime, OutputFlood.
        """
        watch = Watch(self, cpu_seconds)
        message_id = self._client.execute(code, allow_stdin=False, stop_on_error=False)
        self._until_done(message_id, collector, watch)
        if watch.interrupted_at is not None:
            raise OutOfTime(cpu_seconds, alive=True)

    def _until_done(self, message_id: str, collector: Collector, watch: Watch) -> None:
        channels = [self._client.iopub_channel, self._client.shell_channel]
        poller = zmq.Poller()
        for channel in channels:
            poller.register(channel.socket, zmq.POLLIN)
        replied = idle = False
        while not (replied and idle):
            ready = dict(poller.poll(POLL_MS))
            self._refuse_huge_output()
            watch.check()
            for channel in channels:
                while channel.socket in ready and channel.socket.getsockopt(zmq.EVENTS) & zmq.POLLIN:
                    watch.check()  # first: a flood of foreign messages never gets further
                    message = self._received(channel, message_id)
                    if message is None:
                        continue
                    kind, content = message
                    if channel is self._client.shell_channel:
                        replied = True
                        watch.patience(GRACE_S)  # what is left to come is the idle message
                    elif kind == "status":
                        idle = idle or content.get("execution_state") == "idle"
                    else:
                        collector.take(kind, content)
            if replied and watch.impatient():
                break

    def _received(self, channel: Any, message_id: str) -> tuple[str, dict] | None:
        """Type and content of the next message, if it belongs to this request.

        `channel.get_msg` would also turn every text that looks like a date into one, which takes longer than all the rest.
        """
        session = self._client.session
        try:
            _, parts = session.feed_identities(channel.socket.recv_multipart(zmq.NOBLOCK))
            signature, header, parent, metadata, content = parts[:5]
            if not hmac.compare_digest(signature, session.sign([header, parent, metadata, content])):
                return None
            if json.loads(parent)["msg_id"] != message_id:
                return None
            kind, content = json.loads(header)["msg_type"], json.loads(content)
        except Exception:  # not JSON, wrong parts: not from a kernel that behaves
            return None
        return (kind, content) if isinstance(kind, str) and isinstance(content, dict) else None

    # Questions ------------------------------------------------------------------------------------------------------------

    def ask(self, request: dict, call_back: Callable[[dict], dict], cpu_seconds: float) -> dict:
        """Put a request to the servant in the kernel; serve its callbacks until the answer comes.

        Raises:
            KernelDied, OutOfTime, OutputFlood, BadAnswer.
        """
        watch = Watch(self, cpu_seconds)
        self._attend(watch)
        self._say(request, watch)
        for _ in range(MOST_CALLBACKS):
            message = self._hear(watch)
            if isinstance(message.get("answer"), dict):
                if watch.interrupted_at is not None or "interrupted" in message["answer"]:
                    raise OutOfTime(cpu_seconds, alive=True)
                return message["answer"]
            if not isinstance(message.get("callback"), dict):
                raise BadAnswer("neither an answer nor a callback")
            self._say(call_back(message["callback"]), watch)
        raise OutputFlood

    def _attend(self, watch: Watch) -> None:
        """Let the servant listen, if it does not yet."""
        if self._attending:
            return
        expression = (
            "__import__('course_utils.checking.servant', fromlist=['attend'])"
            f".attend({str(self.folder / 'line')!r}, {self._first})"
        )
        self._attending = self._client.execute(
            "",
            store_history=False,
            user_expressions={"left": expression},
            allow_stdin=False,
            stop_on_error=False,
        )
        if self._line is None:
            self._wait_for(self._listener, zmq.POLLIN, watch)
            self._line, _ = self._listener.accept()
            self._line.setblocking(False)
            self._answered = select.poll()
            self._answered.register(self._line, select.POLLIN)

    def leave(self, cpu_seconds: float) -> None:
        """Let the kernel go back to running cells.

        Raises:
            KernelDied, OutOfTime, OutputFlood: for what a check's calls left behind.
        """
        if self._attending:
            watch = Watch(self, cpu_seconds)
            with contextlib.suppress(BadAnswer):
                self._say({"op": "leave"}, watch)
            message_id, self._attending = self._attending, ""
            self._until_done(message_id, Collector(self.limits.output_kb * 1024), watch)

    def _say(self, message: dict, watch: Watch) -> None:
        assert self._line is not None
        data = memoryview(frame(message))
        while data:
            try:
                data = data[self._line.send(data) :]
            except BlockingIOError:
                self._wait_for(self._line, zmq.POLLOUT, watch)
            except OSError:
                self._lost()

    def _hear(self, watch: Watch) -> dict:
        assert self._line is not None
        self._heard += 1
        at_once = self._answered.poll(AT_ONCE_MS)
        if at_once and self._heard % 16 == 0:  # to look each time costs more than the answer
            self._drop_prints(self.limits.output_kb * 1024, watch)
        while True:
            if len(self._unread) >= HEAD.size and HEAD.unpack_from(self._unread)[0] > MESSAGE_MB * 2**20:
                raise BadAnswer(f"an answer of {HEAD.unpack_from(self._unread)[0] // 2**20} MiB")
            data = take(self._unread)
            if data is not None:
                try:
                    message = json.loads(data)
                except (ValueError, RecursionError, MemoryError):
                    message = None
                if not isinstance(message, dict):
                    raise BadAnswer("not an answer")
                return message
            try:
                block = self._line.recv(2**20)
            except BlockingIOError:
                self._wait_for(self._line, zmq.POLLIN, watch)
                continue
            except OSError:
                block = b""
            if not block:
                self._lost()
            self._unread += block

    def _refuse_huge_output(self) -> None:
        """A message above the limit is not received; all that is seen of it is that the connection ends."""
        if not self._cut.poll(0):
            return
        for _ in range(20):
            if not self.alive():
                raise KernelDied("its process ended")
            time.sleep(0.05)
        raise OutputFlood

    def _lost(self) -> None:
        for _ in range(20):  # the line closes a moment before the process has ended
            if not self.alive():
                raise KernelDied("its process ended")
            time.sleep(0.05)
        raise BadAnswer("the line was closed")

    def _wait_for(self, end: socket.socket, event: int, watch: Watch) -> None:
        """Until `end` is ready. Prints meanwhile are dropped: they could show a check's inputs."""
        poller = zmq.Poller()
        poller.register(end.fileno(), event)
        iopub, shell = self._client.iopub_channel.socket, self._client.shell_channel.socket
        poller.register(iopub, zmq.POLLIN)
        poller.register(shell, zmq.POLLIN)
        left = self.limits.output_kb * 1024
        while True:
            ready = dict(poller.poll(POLL_MS))
            if end.fileno() in ready:
                return
            self._refuse_huge_output()
            watch.check()
            if iopub in ready:
                left = self._drop_prints(left, watch)
            if shell in ready and self._received(self._client.shell_channel, self._attending):
                self._attending = ""
                raise BadAnswer("the servant left its place")

    def _drop_prints(self, left: int, watch: Watch) -> int:
        """Drop what waits to be shown; returns how many of the bytes allowed are left."""
        iopub = self._client.iopub_channel.socket
        while iopub.getsockopt(zmq.EVENTS) & zmq.POLLIN:
            left -= sum(len(part) for part in iopub.recv_multipart(zmq.NOBLOCK))
            watch.check()
            if left < 0:
                raise OutputFlood
        return left

    # What it uses ---------------------------------------------------------------------------------------------------------

    def files(self) -> int:
        """Bytes in its folder on this side."""
        try:
            return sum(path.lstat().st_blocks * 512 for path in self.folder.rglob("*"))
        except OSError:
            return 0

    def interrupt(self) -> None:
        self._manager.interrupt_kernel()


def _spec(folder: Path, limits: Limits, unsafe: bool, withheld: tuple[str, ...]) -> KernelSpec:
    box = {"folder": str(folder), "limits": limits.as_dict(), "withheld": list(withheld)}
    sandboxed = {"provisioner_name": "course-sandbox", "config": {"box": box}}
    plain = {"provisioner_name": "local-provisioner", "config": {}}
    return KernelSpec(
        argv=[
            sys.executable,
            "-m",
            "ipykernel_launcher",
            "-f",
            "{connection_file}",
            "--HistoryManager.enabled=False",
        ],
        display_name="student",
        language="python",
        interrupt_mode="message",
        metadata={"kernel_provisioner": plain if unsafe else sandboxed},
    )


def _plain_environment() -> dict[str, str]:
    return {**os.environ, "COURSE_BUDGET": "quick", "COURSE_PROGRESS": "0", "OMP_NUM_THREADS": "1"}
