"""A warm trusted process: it has torch and the checks loaded and forks itself for each submission.

The fork runs the submission's tests and ends; nothing that a test or an answer did is there for the next one. Beside it runs the
nursery (see `warm.py`), which forks the student's kernel.

    examiner = Examiner();  result = examiner.grade(job);  examiner.close()

or `grade_in_process(job)`, which keeps examiners for as long as this process lives.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import os
import queue
import resource
import select
import signal
import struct
import subprocess
import sys
import time
from dataclasses import asdict
from typing import IO, Any

from course_admin.grading.nursery import die_with_parent, name_process, warm_torch
from course_admin.grading.sandbox import SandboxUnavailable
from course_admin.grading.worker import Job, Result, Verdict

MOST_DATA = 8 * 2**30
SPARE_S = 60.0
LENGTH = struct.Struct("<Q")


class WorkerFailed(RuntimeError):
    """The trusted process itself broke; the submission has no mark and must be graded again."""


class ExaminerLost(WorkerFailed):
    """It ended before it answered: nothing is known of the submission, another examiner may well grade it."""


class Examiner:
    """Grades one job at a time, each in a process of its own. Not for several threads at once."""

    def __init__(self) -> None:
        # The instructor's settings decide no mark: hidden tests always see the same ones.
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "PYTHONWARNINGS": "ignore",
            "PYTHONHASHSEED": "0",
        }
        environment |= {"COURSE_BUDGET": "default", "COURSE_PROGRESS": "0"}
        warming = "import gc; gc.disable(); from course_admin.grading.examiner import serve; serve()"
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", warming],  # collecting garbage would take a third of the start
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            start_new_session=True,  # Ctrl+C is for the coordinator, which ends what it started
        )

    def grade(self, job: Job) -> Result:
        """Grade a job.

        Raises:
            SandboxUnavailable: submissions cannot be isolated on this machine.
            ExaminerLost: the grading process died.
            WorkerFailed: it hung, or the submission's kernel never started.
        """
        most = job.longest() + SPARE_S
        try:
            _write(self._process.stdin, json.dumps(asdict(job)).encode())
            answer = json.loads(_read(self._process.stdout, most))
        except TimeoutError as error:
            self.close()
            raise WorkerFailed(f"the grading process hung: {error}") from None
        except (OSError, EOFError, ValueError) as error:
            self.close()
            raise ExaminerLost(f"the grading process broke off ({type(error).__name__}: {error})") from None
        if "unavailable" in answer:
            self.close()  # once it is mended, another one will see
            raise SandboxUnavailable(answer["unavailable"])
        if "broken" in answer:
            raise WorkerFailed(answer["broken"])
        return result_from(answer["result"])

    def alive(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        """End the examiner and all that it started."""
        with contextlib.suppress(OSError):
            self._process.stdin.close()  # type: ignore[union-attr]
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(OSError):
                os.killpg(
                    self._process.pid, signal.SIGKILL
                )  # its children too; nurseries end with their parent
            self._process.wait()
        self._process.stdout.close()  # type: ignore[union-attr]


def result_from(data: dict[str, Any]) -> Result:
    """A `Result` from its plain form."""
    verdicts = [Verdict(**verdict) for verdict in data["verdicts"]]
    return Result(data["notebook"], verdicts, data["flags"], data["seconds"])


_idle: queue.SimpleQueue[Examiner] = queue.SimpleQueue()


def grade_in_process(job: Job) -> Result:
    """Grade a job with an examiner that is kept for the next one; from any thread. Raises as `Examiner.grade`."""
    job.longest()  # refuses unknown limits here, by name
    try:
        return _grade_with(_free_examiner(), job)
    except ExaminerLost:
        return _grade_with(Examiner(), job)  # a second one that is lost may well be the job's doing


def _free_examiner() -> Examiner:
    with contextlib.suppress(queue.Empty):
        while True:
            examiner = _idle.get_nowait()
            if examiner.alive():
                return examiner
            examiner.close()
    return Examiner()


def _grade_with(examiner: Examiner, job: Job) -> Result:
    try:
        return examiner.grade(job)
    finally:
        if examiner.alive():
            _idle.put(examiner)


@atexit.register
def close_examiners() -> None:
    """End the examiners kept by `grade_in_process`."""
    with contextlib.suppress(queue.Empty):
        while True:
            _idle.get_nowait().close()


# The other side: the warm process itself -----------------------------------------------------------------------------


def serve() -> None:
    """Read jobs from standard input, write results to standard output, until the input ends."""
    name_process("cw-examiner")
    jobs, results = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(2, 1)  # nothing that a test prints may reach a result
    import numpy.ma  # noqa: F401  (np.unique loads it)
    from jupyter_client.provisioning import KernelProvisionerFactory

    import course_utils.checking  # noqa: F401
    from course_admin.grading import warm

    KernelProvisionerFactory.instance()  # reads what all installed packages offer
    warm_torch()
    gc.collect()
    gc.freeze()
    gc.enable()

    with contextlib.suppress(
        EOFError, BrokenPipeError
    ):  # whoever asked is gone, and with them the reason to go on
        while True:
            job = Job(**json.loads(_read(jobs)))
            try:
                answer = _examine(job, jobs, results)
            except SandboxUnavailable as error:
                answer = json.dumps({"unavailable": str(error)}).encode()
            _write(results, answer)
    warm.close_nurseries()


def _examine(job: Job, jobs: IO[bytes], results: IO[bytes]) -> bytes:
    """The answer to a job; when it is known, all of the submission has ended."""
    from course_admin.grading import warm
    from course_admin.grading.limits import Limits
    from course_admin.grading.worker import foresee

    foresee(job.notebook)
    if job.unsafe:
        return _in_a_fork(job, jobs, results)
    for _ in range(2):
        home = warm.nursery(Limits.from_dict(job.limits), tuple(job.withheld))
        answer = _in_a_fork(job, jobs, results)
        try:
            home.clear()
            return answer
        except (OSError, SandboxUnavailable):  # the nursery died, and took the submission's kernel along
            warm.close_nurseries()
    return json.dumps({"broken": "the sandbox's warm process died twice under this submission"}).encode()


def _in_a_fork(job: Job, jobs: IO[bytes], results: IO[bytes]) -> bytes:
    """The answer of a fork to a job.

    Raises:
        EOFError: whoever asked is gone; the fork has been ended.
    """
    from course_admin.grading.watch import KernelDied
    from course_admin.grading.worker import grade

    read_end, write_end = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            name_process("cw-examination")
            _end_with(parent)
            for descriptor in (read_end, jobs.fileno(), results.fileno()):
                os.close(descriptor)
            # What a submission sends is bounded message by message; should it still fill this process, it is this one that ends.
            resource.setrlimit(resource.RLIMIT_DATA, (MOST_DATA, MOST_DATA))
            answer: dict[str, Any]
            try:
                answer = {"result": asdict(grade(job))}
            except KernelDied as death:
                answer = {"broken": str(death)}
            except BaseException as error:
                answer = {"broken": f"{type(error).__name__}: {error}"[:800]}
            with os.fdopen(write_end, "wb") as out:
                out.write(json.dumps(answer).encode())
        finally:
            os._exit(0)
    os.close(write_end)
    deadline = time.monotonic() + job.longest()
    data = bytearray()
    while True:
        ready = select.select([read_end, jobs.fileno()], [], [], max(0.0, deadline - time.monotonic()))[0]
        if not ready or time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            data[:] = json.dumps({"broken": f"grading did not end within {job.longest():.0f} s"}).encode()
            break
        if jobs.fileno() in ready:  # no job comes while one is on: the other end is closed
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise EOFError
        block = os.read(read_end, 2**20)
        if not block:
            break
        data += block
    os.close(read_end)
    _, status = os.waitpid(pid, 0)
    if not data:
        code = os.waitstatus_to_exitcode(status)
        return json.dumps({"broken": f"the grading process ended with {code} and no result"}).encode()
    return bytes(data)


def _end_with(parent: int) -> None:
    """Let the system end this process when its parent ends, however that happens."""
    if sys.platform == "linux":
        die_with_parent()
        if os.getppid() != parent:  # it had ended before
            os._exit(1)


def _write(stream: IO[bytes] | None, data: bytes) -> None:
    assert stream is not None
    stream.write(LENGTH.pack(len(data)) + data)
    stream.flush()


def _read(stream: IO[bytes] | None, seconds: float | None = None) -> bytes:
    """One message.

    Raises:
        EOFError: the stream ended.
        TimeoutError: nothing came in time.
    """
    assert stream is not None
    if seconds is not None and not select.select([stream], [], [], seconds)[0]:
        raise TimeoutError(f"no answer within {seconds:.0f} s")
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        raise EOFError("the other side closed")
    (length,) = LENGTH.unpack(head)
    data = stream.read(length)
    if len(data) < length:
        raise EOFError("the message broke off")
    return data
