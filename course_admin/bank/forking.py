"""The helper behind `runner.run`: setup once, then one forked child for each answer, under limits of time and memory.

Never imported by the process that asks: it redirects its own output and loads torch.
"""

import contextlib
import gc
import json
import linecache
import os
import resource
import selectors
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any
from unittest import mock

import numpy  # noqa: F401  (loaded here so that every child has it)
import torch
from course_utils.checking import CheckFailed, InProcess, NotAnswered, checking, scoreboard, using
from course_utils.runtime import seed_everything

from course_admin.bank.runner import MESSAGE_LIMIT, Outcome, Task

MEMORY = 4 * 2**30  # bytes that an answer may take on top of what the helper holds


class LimitedInProcess(InProcess):
    """`InProcess` with the limit on computing time that the sandbox enforces for each call.

    Args:
        most: seconds for one call, where the check allows more.
    """

    def __init__(self, namespace: dict[str, Any], cells: list[str], most: float):
        super().__init__(namespace, cells)
        self.most, self.depth, self.expired = most, 0, False

    def ask(self, request: dict, call_back: Callable[[dict], dict], seconds: float) -> dict:
        if self.depth:  # a callback of the test that asks again: the outer call's clock runs on
            return super().ask(request, call_back, seconds)
        self.depth, self.expired = 1, False
        try:
            with _computing_time(min(seconds, self.most), self._expire):
                answer = super().ask(request, call_back, seconds)
        except KeyboardInterrupt:
            answer = {"interrupted": True}
        finally:
            self.depth = 0
        return {"timeout": seconds} if self.expired else answer

    def _expire(self, *_: Any) -> None:
        self.expired = True
        raise KeyboardInterrupt


@contextlib.contextmanager
def _computing_time(seconds: float, expire: Callable[..., None]) -> Iterator[None]:
    signal.signal(signal.SIGPROF, expire)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def judge(namespace: dict[str, Any], setup: str, task: Task) -> Outcome:
    """Run the answer cell, then its test cell. The answer may raise, as in a notebook; the test decides."""
    cell_error = ""
    try:
        with _computing_time(min(task.cpu_seconds / 2, task.call_seconds), _interrupt):
            exec(_compiled(task.candidate, "<answer>"), namespace)
    except BaseException as error:
        cell_error = f"{type(error).__name__}: {error}"[:300]
    kind, message, score = "passed", "", task.points
    scoreboard.results.clear()
    seed_everything(0)
    try:
        with (
            _stopping(task.stop_seconds),
            using(LimitedInProcess(namespace, [setup, task.candidate], task.call_seconds)),
        ):
            exec(_compiled(task.test, "<test>"), {"__name__": "__main__"})
    except CheckFailed as failure:
        kind = "not-answered" if isinstance(failure, NotAnswered) else "failed"
        message = str(failure)
        if failure.broken:
            kind, message = "test-error", message + "\n" + "\n".join(failure.broken)
        score = (
            min(task.points, task.points * failure.earned / failure.total) if failure.total else 0.0
        )  # as grading
    except BaseException as error:
        place = [
            frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "<test>"
        ]
        line = f" (line {place[-1]} of the test cell)" if place else ""
        kind, message, score = "test-error", f"{type(error).__name__}: {error}{line}", 0.0
    totals = [result.total for result in scoreboard.results.values()]
    return Outcome(score, kind, message[:MESSAGE_LIMIT], sum(totals) if totals else None, cell_error)


@contextlib.contextmanager
def _stopping(seconds: float | None) -> Iterator[None]:
    """Begin no part of the test cell once a point is lost and this much computing is done: the mutant is dead."""
    if seconds is None:
        yield
        return
    begin_part, started = checking.part, time.process_time()

    def part(self: checking, label: str, points: float = 0) -> contextlib.AbstractContextManager[None]:
        if self.earned < self.total and time.process_time() - started > seconds:
            raise CheckFailed(self.summary() + "\n(stopped here: a point is lost)")
        return begin_part(self, label, points)

    with mock.patch.object(checking, "part", part):
        yield


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def _compiled(text: str, name: str) -> Any:
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    return compile(text, name, "exec", dont_inherit=True)


def serve() -> None:
    """Read one order from standard input; write one line of JSON for each task as it ends."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    order = json.load(sys.stdin)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    torch.set_num_threads(1)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    try:
        exec(_compiled(order["setup"], "<setup>"), namespace)
    except BaseException as error:
        reply = {"setup_error": f"the setup cell raised {type(error).__name__}: {error}"[:2000]}
        print(json.dumps(reply), file=out, flush=True)
        return
    torch.optim.Adam(
        [torch.zeros(1, requires_grad=True)]
    )  # its first use loads much of torch: once, not in every child
    gc.collect()
    gc.freeze()  # children then copy fewer pages
    tasks = [Task(**task) for task in order["tasks"]]
    for index, outcome in _children(namespace, order["setup"], tasks, order["jobs"]):
        print(json.dumps({"index": index, **asdict(outcome)}), file=out, flush=True)


class _Child:
    """One forked answer and what it has written so far."""

    def __init__(self, index: int, task: Task, namespace: dict[str, Any], setup: str):
        self.index, self.started, self.data = index, time.monotonic(), b""
        self.deadline = (
            self.started + 3 * task.cpu_seconds + 5
        )  # for one that sleeps; computing is limited below
        self.read_end, write_end = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.read_end)
            _answer_and_leave(namespace, setup, task, write_end)
        os.close(write_end)
        with contextlib.suppress(OSError):
            os.setpgid(self.pid, self.pid)  # the child does it too; whoever comes first

    def end(self, expired: bool) -> Outcome:
        """Collect the process and say how it ended."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        os.close(self.read_end)
        seconds = time.monotonic() - self.started
        try:
            return Outcome(**{**json.loads(self.data), "seconds": round(seconds, 3)})
        except ValueError:
            out_of_time = expired or (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU)
            kind = "timeout" if out_of_time else "died"
            said = "did not finish in time" if out_of_time else "ended the process it ran in"
            return Outcome(0.0, kind, f"the answer {said}", seconds=round(seconds, 3))


def _answer_and_leave(namespace: dict[str, Any], setup: str, task: Task, write_end: int) -> None:
    try:
        os.setpgid(0, 0)
        held = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY, held + MEMORY))
        cpu = max(1, round(task.cpu_seconds))
        resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 2))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        data = json.dumps(asdict(judge(namespace, setup, task))).encode()
        while data:
            data = data[os.write(write_end, data) :]
    finally:
        os._exit(0)


def _children(
    namespace: dict[str, Any], setup: str, tasks: list[Task], jobs: int
) -> Iterator[tuple[int, Outcome]]:
    waiting = list(enumerate(tasks))[::-1]
    running: dict[int, _Child] = {}
    with selectors.DefaultSelector() as selector:
        while waiting or running:
            while waiting and len(running) < jobs:
                index, task = waiting.pop()
                child = _Child(index, task, namespace, setup)
                running[child.read_end] = child
                selector.register(child.read_end, selectors.EVENT_READ)
            now = time.monotonic()
            ready = selector.select(max(0.0, min(child.deadline for child in running.values()) - now))
            ended = []
            for key, _ in ready:
                child = running[key.fd]
                block = os.read(key.fd, 2**16)
                child.data += block
                if not block:
                    ended.append((child, False))
            if not ready:
                ended = [(c, True) for c in running.values() if c.deadline <= time.monotonic()]
            for child, expired in ended:
                selector.unregister(child.read_end)
                del running[child.read_end]
                yield child.index, child.end(expired)
