"""The student's kernel, as the trusted process sees it: run a cell, ask a question, survive whatever happens.

Every byte that comes back is untrusted: sizes are bounded, values are rebuilt by the codec, and nothing that the kernel says
about itself decides a mark.
"""

from __future__ import annotations

import ast
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import zmq
from jupyter_client import KernelManager
from jupyter_client.kernelspec import KernelSpec

from course_admin.grading.limits import Limits
from course_admin.grading.outputs import Collector, OutputFlood
from course_admin.grading.warm import nursery
from course_utils.checking.servant import CALLBACK_PROMPT

POLL_MS = 100
GRACE_S = 5.0
START_S = 120.0
MESSAGE_MB = 128
OUTPUT_MB = 32
MOST_INPUTS = 5000


class KernelDied(Exception):
    """The kernel is gone; the message says what is known."""


class OutOfTime(Exception):
    """A cell or call used up its time; `alive` tells whether the kernel came back after an interrupt."""

    def __init__(self, seconds: float, alive: bool):
        super().__init__(f"{seconds:g} s of computing")
        self.seconds, self.alive = seconds, alive


@dataclass
class StudentKernel:
    """One submission's kernel. Use as a context manager. Implements the seam's `Link`.

    Args:
        limits: what the submission may use.
        unsafe: run the kernel without a sandbox.
        hide_models: make `course_utils.models` unavailable.
    """

    limits: Limits = field(default_factory=Limits)
    unsafe: bool = False
    hide_models: bool = True
    flags: list[str] = field(default_factory=list)
    kept_records: dict[str, Any] = field(default_factory=dict)
    test_seconds: float = field(default=0.0, init=False)  # CPU that calls of the present test cell used
    _ran: list[str] = field(default_factory=list, init=False)
    _manager: KernelManager | None = field(default=None, init=False)
    _folder: Path | None = field(default=None, init=False)
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
        inside = None if self.unsafe else nursery(self.limits, self.hide_models).folder
        self._folder = Path(
            tempfile.mkdtemp(prefix="cw-", dir=inside)
        )  # short: a socket's path has at most 107 bytes
        context = zmq.Context()
        context.setsockopt(zmq.MAXMSGSIZE, MESSAGE_MB * 2**20)
        context.setsockopt(zmq.RCVHWM, 4)  # one reply at a time is due, and each may be large
        context.setsockopt(zmq.LINGER, 0)
        manager = KernelManager(
            kernel_name="student",
            transport="ipc",
            ip=str(self._folder / "s"),
            connection_file=str(self._folder / "connection.json"),
            context=context,
        )
        manager._kernel_spec = self._spec()
        manager.start_kernel(**({"env": self._plain_environment()} if self.unsafe else {}))
        self._manager = manager
        self._client = manager.blocking_client()
        self._client.context = context  # its own would know none of these limits
        self._client.shell_channel, self._client.stdin_channel, self._client.control_channel  # noqa: B018  (opens them)
        context.setsockopt(zmq.RCVHWM, 32)  # outputs come in numbers; more of them wait on the kernel's side
        context.setsockopt(zmq.MAXMSGSIZE, OUTPUT_MB * 2**20)
        self._client.start_channels(hb=False)  # a heartbeat thread may outlive the context
        self._process = psutil.Process(getattr(manager.provisioner, "pid", None))
        self._await_kernel()
        self._close_folder()

    def _await_kernel(self) -> None:
        """Return when the kernel answers on both channels that matter; a first message may be published before anyone listens."""
        client = self._client
        deadline = time.monotonic() + START_S
        pause = 0.05
        answered = heard = False
        while not (answered and heard):
            client.session.send(client.shell_channel.socket, "kernel_info_request", {})
            poller = zmq.Poller()
            for channel in (client.shell_channel, client.iopub_channel):
                poller.register(channel.socket, zmq.POLLIN)
            round_ends = time.monotonic() + pause
            pause = min(1.0, 2 * pause)
            while not (answered and heard) and time.monotonic() < round_ends:
                ready = dict(poller.poll(max(1, int(1000 * (round_ends - time.monotonic())))))
                if client.shell_channel.socket in ready:
                    client.shell_channel.get_msg(timeout=0)
                    answered = True
                if client.iopub_channel.socket in ready:
                    client.iopub_channel.get_msg(timeout=0)
                    heard = True
            assert self._manager is not None
            if not self._manager.is_alive() or time.monotonic() > deadline:
                raise KernelDied("the kernel did not start")

    def _close_folder(self) -> None:
        """The sockets stand: from now on the submission may not fill the folder. Without root `_Watch` sees to that."""
        assert self._folder is not None
        if not self.unsafe and os.geteuid() == 0:
            for path in (self._folder / "connection.json", self._folder):
                os.chown(path, 0, 0)
            self._folder.chmod(0o711)

    def _folder_bytes(self) -> int:
        assert self._folder is not None
        try:
            return sum(path.lstat().st_blocks * 512 for path in self._folder.rglob("*"))
        except OSError:
            return 0

    def _spec(self) -> KernelSpec:
        argv = [
            sys.executable,
            "-m",
            "ipykernel_launcher",
            "-f",
            "{connection_file}",
            "--HistoryManager.enabled=False",
        ]
        provisioner: dict[str, Any] = {"provisioner_name": "local-provisioner", "config": {}}
        if not self.unsafe:
            box = {
                "folder": str(self._folder),
                "limits": self.limits.as_dict(),
                "hide_models": self.hide_models,
            }
            provisioner = {"provisioner_name": "course-sandbox", "config": {"box": box}}
        return KernelSpec(
            argv=argv,
            display_name="student",
            language="python",
            interrupt_mode="message",
            metadata={"kernel_provisioner": provisioner},
        )

    def _plain_environment(self) -> dict[str, str]:
        return {**os.environ, "COURSE_BUDGET": "quick", "COURSE_PROGRESS": "0", "OMP_NUM_THREADS": "1"}

    def _stop(self) -> None:
        if self._manager is None:
            return
        self._client.stop_channels()
        self._end_kernel()
        self._manager.context.destroy(linger=0)
        self._manager = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _end_kernel(self) -> None:
        assert self._manager is not None
        process = getattr(self._manager.provisioner, "process", None)
        if self.unsafe or process is None:
            self._manager.shutdown_kernel(now=True)
        else:  # with process 1 everything in its namespace ends; nothing to be polite to
            process.kill()
            process.wait()

    def _restart(self) -> None:
        """A new kernel in the state that the cells run so far leave behind."""
        self._restarts += 1
        self._stop()
        if self._restarts > self.limits.restarts:
            raise KernelDied("the kernel died too often and was not started again")
        self._start()
        self._needs_replay = False
        for code in list(self._ran):
            try:
                self._execute(code, Collector(self.limits.output_kb * 1024), self.limits.cell_cpu_s)
            except (OutOfTime, OutputFlood):
                pass
            except KernelDied:
                self._ran.remove(code)
                self._restart()
                return

    def _ready(self) -> None:
        if self._manager is None:
            raise KernelDied("the kernel died too often and was not started again")
        if self._needs_replay or not self._manager.is_alive():
            self._restart()

    # Running cells --------------------------------------------------------------------------------------------------

    def run_cell(self, code: str) -> list[dict]:
        """Run a cell of the student; returns its outputs, cleaned and bounded. Never raises for what the cell does."""
        collector = Collector(self.limits.output_kb * 1024)
        if self.late():
            collector.error(
                "Timeout", f"not run: the {self.limits.submission_s:g} s of this submission are used up"
            )
            return collector.outputs
        try:
            self._ready()
            self._execute(code, collector, self.limits.cell_cpu_s)
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
        left = self.limits.test_cpu_s - self.test_seconds
        if left <= 0:
            return {"timeout": self.limits.test_cpu_s}
        if self.late():
            return {"timeout": self.limits.submission_s}
        inputs = 0

        def on_input(prompt: str) -> str:
            nonlocal inputs
            inputs += 1
            if inputs > MOST_INPUTS:
                raise OutputFlood
            if not prompt.startswith(CALLBACK_PROMPT):
                return ""
            try:
                message = json.loads(prompt.removeprefix(CALLBACK_PROMPT))
                return json.dumps(call_back(message)) if isinstance(message, dict) else "{}"
            except (ValueError, RecursionError):
                return json.dumps({"failed": "not a callback"})

        collector = Collector(
            self.limits.output_kb * 1024
        )  # prints during a check are dropped: they could show its inputs
        try:
            self._ready()
            numbered = json.dumps({**request, "first": self._restarts * 1_000_000})
            expression = (
                f"__import__('course_utils.checking.servant', fromlist=['serve']).serve({numbered!r})"
            )
            before = self._cpu_seconds()
            try:
                reply = self._execute("", collector, min(seconds, left), expression, on_input)
            finally:
                self.test_seconds += max(0.0, self._cpu_seconds() - before)
        except OutOfTime as late:
            self._needs_replay = not late.alive
            return {"timeout": late.seconds}
        except OutputFlood:
            self._needs_replay = True
            return {"unreadable": "output without end"}
        except KernelDied as death:
            self._needs_replay = True
            return {"crashed": str(death)}
        return self._answer_in(reply, min(seconds, left))

    def _answer_in(self, reply: dict, seconds: float) -> dict:
        try:
            result = reply["content"]["user_expressions"]["answer"]
            if result["status"] != "ok":
                return {"unreadable": f"{result.get('ename')}: {result.get('evalue')}"}
            answer = json.loads(ast.literal_eval(result["data"]["text/plain"]))
        except (KeyError, TypeError, ValueError, SyntaxError, RecursionError, MemoryError):
            answer = None
        if not isinstance(answer, dict):
            self.flags.append("an answer that is not the protocol's")
            return {"unreadable": "not an answer"}
        return {"timeout": seconds} if "interrupted" in answer else answer

    def cells(self) -> list[str]:
        return list(self._ran)

    def recorded(self, name: str) -> Any:
        return self.kept_records.get(name)

    def cause(self) -> None:
        return None

    # Messages ---------------------------------------------------------------------------------------------------------

    def _execute(
        self,
        code: str,
        collector: Collector,
        cpu_seconds: float,
        expression: str | None = None,
        on_input: Callable[[str], str] | None = None,
    ) -> dict:
        """Send one execute_request and wait for its reply.

        Raises:
            KernelDied, OutOfTime, OutputFlood.
        """
        client = self._client
        message_id = client.execute(
            code,
            store_history=expression is None,
            user_expressions={"answer": expression} if expression else {},
            allow_stdin=on_input is not None,
            stop_on_error=False,
        )
        channels = [client.iopub_channel, client.shell_channel, client.stdin_channel]
        poller = zmq.Poller()
        for channel in channels:
            poller.register(channel.socket, zmq.POLLIN)
        watch = _Watch(self, cpu_seconds)
        reply: dict | None = None
        idle = False
        while reply is None or not idle:
            ready = dict(poller.poll(POLL_MS))
            watch.check()
            for channel in channels:
                while channel.socket in ready and channel.socket.getsockopt(zmq.EVENTS) & zmq.POLLIN:
                    watch.check()  # first: a flood of foreign messages never gets further
                    try:
                        message = channel.get_msg(timeout=0)
                    except Exception:  # unsigned, not JSON, wrong parts: not from a kernel that behaves
                        continue
                    if message.get("parent_header", {}).get("msg_id") != message_id:
                        continue
                    kind, content = message.get("msg_type"), message.get("content", {})
                    if channel is client.iopub_channel:
                        if kind == "status":
                            idle = idle or content.get("execution_state") == "idle"
                        else:
                            collector.take(kind, content)
                    elif channel is client.shell_channel:
                        reply = message
                        watch.patience(GRACE_S)  # what is left to come is the idle message
                    elif on_input is not None and kind == "input_request":
                        client.input(on_input(str(content.get("prompt", ""))))
            if reply is not None and watch.impatient():
                break
        if watch.interrupted_at is not None:
            raise OutOfTime(cpu_seconds, alive=True)
        return reply

    def _cpu_seconds(self) -> float:
        return sum(cpu for cpu, _ in self._usage())

    def _usage(self) -> list[tuple[float, int]]:
        """CPU seconds and resident bytes of each process in the sandbox; shared pages count in each."""
        usage = []
        try:
            processes = [self._process, *self._process.children(recursive=True)]
        except psutil.Error:
            return []
        for process in processes:
            try:
                with process.oneshot():
                    times = process.cpu_times()
                    usage.append((times.user + times.system, process.memory_info().rss))
            except psutil.Error:
                continue
        return usage

    def _memory(self) -> int:
        """Bytes that the sandbox's processes hold together; pages they share count once."""
        total = 0
        for process in [self._process, *self._process.children(recursive=True)]:
            try:
                total += process.memory_full_info().pss
            except psutil.Error:
                continue
        return total


class _Watch:
    """Sees that one execution stays within its limits, and ends it when it does not."""

    def __init__(self, kernel: StudentKernel, cpu_seconds: float):
        self.kernel, self.cpu_seconds = kernel, cpu_seconds
        self.started = self.looked = time.monotonic()
        self.cpu_before = kernel._cpu_seconds()
        self.interrupted_at: float | None = None
        self.last_moment: float | None = None

    def patience(self, seconds: float) -> None:
        self.last_moment = self.last_moment or time.monotonic() + seconds

    def impatient(self) -> bool:
        return self.last_moment is not None and time.monotonic() > self.last_moment

    def check(self) -> None:
        now = time.monotonic()
        if now - self.looked < 0.1:
            return
        self.looked = now
        kernel, limits = self.kernel, self.kernel.limits
        assert kernel._manager is not None
        if not kernel._manager.is_alive():
            raise KernelDied("its process ended")
        if kernel._folder_bytes() > limits.file_mb * 2**20:
            self._kill(f"more than {limits.file_mb} MB of files")
        usage = kernel._usage()
        most = limits.memory_mb * 2**20
        if sum(rss for _, rss in usage) > most and kernel._memory() > most:
            self._kill(f"more than {limits.memory_mb} MB of memory")
        if len(usage) > limits.processes:
            self._kill(f"more than {limits.processes} processes")
        used = sum(cpu for cpu, _ in usage) - self.cpu_before
        too_long = now > min(
            kernel._deadline, self.started + max(60.0, limits.wall_factor * self.cpu_seconds)
        )
        if self.interrupted_at is not None:
            if now - self.interrupted_at > GRACE_S:
                kernel._end_kernel()
                raise OutOfTime(self.cpu_seconds, alive=False)
        elif used > self.cpu_seconds or too_long:
            self.interrupted_at = now
            kernel._manager.interrupt_kernel()

    def _kill(self, why: str) -> None:
        self.kernel._end_kernel()
        raise KernelDied(why)
