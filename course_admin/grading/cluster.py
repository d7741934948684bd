"""Spread a class over workers with dask.distributed: bytes out, bytes back, and nothing lost on the way.

Any of them may die: a worker (its task goes to another), the scheduler (the coordinator waits for it and hands the unfinished
tasks out again), the coordinator (`--resume`). A task may so be computed twice; its result is the same both times and is
recorded once.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from course_admin.grading.submission import Outcome, Task, WrongVersion, grade_bytes

TRIES = 5  # of a task whose workers keep dying
AHEAD = 3  # tasks handed out per worker thread: enough to keep it busy, few enough to keep memory flat
WAIT_S = 600.0  # for a scheduler that is gone


class SchedulerGone(RuntimeError):
    """The scheduler did not come back; `--resume` goes on where this run stopped."""


def grade_tasks(
    tasks: Iterable[Task],
    *,
    jobs: int | None = None,
    scheduler: str | None = None,
    work: Callable[[bytes], bytes] = grade_bytes,
    on_dashboard: Callable[[str], None] = lambda link: None,
    on_trouble: Callable[[str], None] = lambda said: None,
) -> Iterator[Outcome]:
    """Grade tasks, in whatever order they finish.

    Args:
        tasks: taken as workers become free.
        jobs: threads of a local cluster, each with a grading process of its own; the number of cores if None.
        scheduler: address of a Dask scheduler; its workers are used instead of local ones.
        work: what a worker does with a task's bytes.
        on_dashboard: gets the address of Dask's dashboard.
        on_trouble: gets a sentence when something was lost and is done again.

    Raises:
        SchedulerGone: the scheduler did not come back.
        SandboxUnavailable, WrongVersion: a worker cannot grade at all.
    """
    pool = _Pool(jobs, scheduler, work, on_trouble)
    try:
        on_dashboard(pool.dashboard())
        yield from pool.outcomes(iter(tasks))
    finally:
        pool.close()


class _Pool:
    """A client of a cluster, and the tasks that are out."""

    def __init__(
        self,
        jobs: int | None,
        scheduler: str | None,
        work: Callable[[bytes], bytes],
        on_trouble: Callable[[str], None],
    ):
        import dask
        from distributed import Client, LocalCluster

        for name in (
            "distributed",
            "distributed.client",
            "distributed.worker",
            "distributed.comm",
            "distributed.core",
        ):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters reaches `on_trouble`
        self._address, self._work, self._say = scheduler, work, on_trouble
        self._cluster: Any = None
        if scheduler is None:
            # Threads that wait: the heavy work of each is in a grading process of its own.
            with dask.config.set(
                {"distributed.admin.tick.limit": "1h", "distributed.worker.memory.terminate": False}
            ):
                self._cluster = LocalCluster(
                    processes=False,
                    n_workers=1,
                    threads_per_worker=jobs or os.cpu_count() or 1,
                    memory_limit=0,
                    dashboard_address="127.0.0.1:0",
                )
            self._client = Client(self._cluster)
        else:
            self._client = Client(scheduler, timeout=30)
        self._out: dict[Any, tuple[Task, int]] = {}  # future → task and how often it was tried
        self._again: list[tuple[Task, int]] = []
        self._news = threading.Event()

    def dashboard(self) -> str:
        if self._cluster is not None:  # it listens on this machine only, whatever Dask calls it
            return f"http://127.0.0.1:{self._cluster.scheduler.services['dashboard'].port}/status"
        return str(self._client.dashboard_link)

    def close(self) -> None:
        for closing in (self._client, self._cluster):
            if closing is not None:
                with contextlib.suppress(Exception):
                    closing.close(timeout=5)

    def outcomes(self, tasks: Iterator[Task]) -> Iterator[Outcome]:
        """Keep the workers busy until all tasks are done."""
        exhausted = False
        while True:
            if self._client.status != "running":
                self._reconnect()
            room = self._room()
            while len(self._out) < room and not (exhausted and not self._again):
                if self._again:
                    self._submit(*self._again.pop())
                else:
                    task = next(tasks, None)
                    if task is None:
                        exhausted = True
                    else:
                        self._submit(task, 1)
            if exhausted and not self._out and not self._again:
                return
            self._news.wait(0.5)
            self._news.clear()
            for future in [future for future in self._out if future.status != "pending"]:
                outcome = self._collect(future)
                if outcome is not None:
                    yield outcome

    def _room(self) -> int:
        with contextlib.suppress(Exception):
            return max(2, AHEAD * sum(self._client.nthreads().values()))
        return 2

    def _submit(self, task: Task, tries: int) -> None:
        name = f"{task.notebook}-{task.student}-{os.urandom(4).hex()}"
        future = self._client.submit(self._work, task.to_bytes(), pure=False, key=name)
        self._out[future] = (task, tries)
        future.add_done_callback(lambda _: self._news.set())

    def _collect(self, future: Any) -> Outcome | None:
        from distributed import KilledWorker

        from course_admin.grading.sandbox import SandboxUnavailable

        task, tries = self._out.pop(future)
        try:
            if future.status == "finished":
                outcome = Outcome.from_bytes(future.result(timeout=60))
                future.release()
                return outcome
            if future.status == "error":
                raise future.exception(timeout=60)
        except (SandboxUnavailable, WrongVersion):
            raise
        except KilledWorker:
            self._say(f"{task.student}: the workers that graded it died; it is handed out again")
        except Exception as error:
            self._say(f"{task.student}: {type(error).__name__}: {error}; it is handed out again")
        else:  # cancelled or lost: the scheduler forgot it
            tries -= 1
        if tries >= TRIES:
            return Outcome(task.student, None, error=f"its workers died or failed {TRIES} times")
        self._again.append((task, tries + 1))
        return None

    def _reconnect(self) -> None:
        """Wait for a scheduler at the same address and hand out what was not finished."""
        from distributed import Client

        self._say("the scheduler is gone; waiting for it")
        self._again += self._out.values()
        self._out.clear()
        with contextlib.suppress(Exception):
            self._client.close(timeout=1)
        if self._address is None:
            raise SchedulerGone("the local cluster stopped; go on with --resume")
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            try:
                self._client = Client(self._address, timeout=5)
                self._say(f"the scheduler is back; {len(self._again)} submissions are handed out again")
                return
            except (OSError, TimeoutError):
                time.sleep(1)
        raise SchedulerGone(
            f"no scheduler at {self._address} for {WAIT_S:.0f} s; start it and go on with --resume"
        )
