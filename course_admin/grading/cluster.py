"""Spread a class over workers with dask.distributed: bytes out, bytes back, and nothing lost on the way.

Any of them may die: a worker (its task goes to another), the scheduler (the coordinator waits for it and hands the unfinished
tasks out again), the coordinator (`--resume`). A task may so be computed twice; its result is the same both times and is
recorded once. A task whose workers keep dying is tried once more when nothing else is out, so that no task is blamed for
another's deed.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from course_admin.grading.submission import Outcome, Task, WrongVersion, grade_bytes

TRIES = 5  # of a task that fails on its workers
AHEAD = 3  # tasks handed out per worker thread: enough to keep it busy, few enough to keep memory flat
CONNECT_S = 30.0  # for the first answer of a scheduler
WAIT_S = 600.0  # for a scheduler that is gone


class SchedulerGone(RuntimeError):
    """There is no scheduler, or it did not come back; `--resume` goes on where this run stopped."""


@dataclass
class _Try:
    """A task and what became of it so far."""

    task: Task
    failures: int = 0
    suspect: bool = False  # workers died while they had it


def grade_tasks(
    tasks: Iterable[Task],
    *,
    jobs: int | None = None,
    scheduler: str | None = None,
    work: Callable[[bytes], bytes] = grade_bytes,
    on_dashboard: Callable[[str], None] = lambda link: None,
    on_trouble: Callable[[str], None] = lambda said: None,
) -> Generator[Outcome, None, None]:
    """Grade tasks, in whatever order they finish.

    Args:
        tasks: taken as workers become free.
        jobs: threads of a local cluster, each with a grading process of its own; the number of cores if None.
        scheduler: address of a Dask scheduler; its workers are used instead of local ones.
        work: what a worker does with a task's bytes.
        on_dashboard: gets the address of Dask's dashboard.
        on_trouble: gets a sentence when something was lost and is done again.

    Raises:
        SchedulerGone: no scheduler answers, or it did not come back.
        SandboxUnavailable, WrongVersion: a worker cannot grade at all.
    """
    pool = _Pool(jobs, scheduler, work, on_trouble)
    try:
        if link := pool.dashboard():
            on_dashboard(link)
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
        dask.config.set(
            {
                "distributed.admin.tick.limit": "1h",
                "distributed.admin.low-level-log-length": 16,  # Dask would keep the last 1000 tasks, bytes and all
                "distributed.worker.memory.terminate": False,
            }
        )
        if scheduler is None:
            # Threads that wait: the heavy work of each is in a grading process of its own.
            self._cluster = LocalCluster(
                processes=False,
                n_workers=1,
                threads_per_worker=jobs or os.cpu_count() or 1,
                memory_limit=0,
                dashboard_address="127.0.0.1:0",
            )
            self._client = Client(self._cluster)
        else:
            try:
                self._client = Client(scheduler, timeout=CONNECT_S)
            except (OSError, ValueError) as error:
                raise SchedulerGone(
                    f"no Dask scheduler answers at {scheduler} ({error}). Start one with `dask scheduler`, "
                    f"and workers with `dask worker {scheduler}`"
                ) from None
        self._out: dict[Any, _Try] = {}  # by future
        self._again: list[_Try] = []
        self._suspects: list[_Try] = []
        self._deserted = False
        self._news = threading.Event()

    def dashboard(self) -> str:
        """Its address; empty where a scheduler runs without."""
        if self._cluster is not None:  # it listens on this machine only, whatever Dask calls it
            return f"http://127.0.0.1:{self._cluster.scheduler.services['dashboard'].port}/status"
        try:
            return str(self._client.dashboard_link)
        except KeyError:
            return ""

    def close(self) -> None:
        for closing in (self._client, self._cluster):
            if closing is not None:
                with contextlib.suppress(Exception):
                    closing.close(timeout=5)

    def outcomes(self, tasks: Iterator[Task]) -> Iterator[Outcome]:
        """Keep the workers busy until all tasks are done."""
        while True:
            if self._client.status != "running":
                self._reconnect()
            room = self._room()
            while len(self._out) < room and (one := self._next(tasks)) is not None:
                self._submit(one)
            if not self._out:
                return
            self._news.wait(0.5)
            self._news.clear()
            for future in [future for future in self._out if future.status != "pending"]:
                outcome = self._collect(future)
                if outcome is not None:
                    yield outcome

    def _room(self) -> int:
        """How many tasks may be out."""
        threads = 0
        with contextlib.suppress(Exception):
            threads = sum(self._client.nthreads().values())
            if threads == 0 and not self._deserted:
                self._say("the scheduler has no worker; waiting for one")
            self._deserted = threads == 0
        return max(2, AHEAD * threads)

    def _next(self, tasks: Iterator[Task]) -> _Try | None:
        """What to hand out next; a suspect only when nothing else is out."""
        if self._again:
            return self._again.pop(0)
        task = next(tasks, None)
        if task is not None:
            return _Try(task)
        return self._suspects.pop(0) if self._suspects and not self._out else None

    def _submit(self, one: _Try) -> None:
        # Dask keeps statistics for every first part of a key: one for all.
        name = ("grade", one.task.notebook, one.task.student, os.urandom(4).hex())
        future = self._client.submit(self._work, one.task.to_bytes(), pure=False, key=name)
        self._out[future] = one
        future.add_done_callback(lambda _: self._news.set())

    def _collect(self, future: Any) -> Outcome | None:
        """The outcome of a future that is no longer pending; None if its task is to be done again."""
        from distributed import KilledWorker

        from course_admin.grading.sandbox import SandboxUnavailable

        one = self._out.pop(future)
        student = one.task.student
        try:
            if future.status == "finished":
                return Outcome.from_bytes(future.result(timeout=60))
            if future.status == "error":
                raise future.exception(timeout=60)
        except (SandboxUnavailable, WrongVersion):
            raise
        except KilledWorker:
            if one.suspect:
                return Outcome(
                    student, None, error="the workers that graded it died, also with nothing beside it"
                )
            one.suspect = True
            self._suspects.append(one)
            self._say(f"{student}: the workers that had it died; it is tried again when nothing else is out")
            return None
        except Exception as error:
            if future.status in ("finished", "error") and self._client.status == "running":
                one.failures += 1
                if one.failures == TRIES:
                    return Outcome(
                        student, None, error=f"failed {TRIES} times: {type(error).__name__}: {error}"
                    )
                self._say(f"{student}: {type(error).__name__}: {error}; it is handed out again")
        finally:
            future.release()
        self._again.append(one)  # failed, or forgotten by a scheduler that was gone
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
