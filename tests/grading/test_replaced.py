"""What is killed while it grades is replaced, takes its own along, and costs nobody a mark."""

import contextlib
import fcntl
import os
import sys
import tempfile
import threading
import time

import psutil
import pytest

from course_admin.grading import warm
from course_admin.grading.examiner import (
    Examiner,
    ExaminerLost,
    WorkerFailed,
    close_examiners,
    grade_in_process,
)
from tests.grading.processes import job, kernels, lives, nurses, until

pytestmark = [
    pytest.mark.sandbox,
    pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux"),
]


class Grading(threading.Thread):
    """A job that is graded meanwhile."""

    def __init__(self, function, made):
        super().__init__(daemon=True)
        self.function, self.made, self.result, self.error = function, made, None, None
        self.start()

    def run(self):
        try:
            self.result = self.function(self.made)
        except Exception as error:
            self.error = error


LONG = ("import time\nfor _ in range(30): time.sleep(0.1)", "answer = 42")
FAIR = "from course_utils.checking import *\nwith checking('q') as check:\n    expect_close(student.answer, 42, what='answer')"


@pytest.fixture
def examiner():
    made = Examiner()
    yield made
    made.close()


def test_a_nursery_that_is_killed_is_replaced(examiner):
    process = psutil.Process(examiner._process.pid)
    grading = Grading(examiner.grade, job(*LONG, test=FAIR))
    until(lambda: kernels(process) or not grading.is_alive())
    gone = nurses(process)[0]
    gone.kill()
    grading.join()
    assert grading.error is None and grading.result.verdicts[0].outcome == "passed"
    assert grading.result.flags == []  # it was none of the submission's doing
    assert [n.pid for n in nurses(process)] != [gone.pid] and len(nurses(process)) == 1


def test_a_nursery_that_dies_again_and_again_gives_no_mark(examiner):
    process = psutil.Process(examiner._process.pid)
    grading = Grading(examiner.grade, job(*LONG, test=FAIR))
    while grading.is_alive():
        with contextlib.suppress(psutil.Error, AttributeError):  # gone meanwhile
            for kernel in kernels(process):
                kernel.parent().parent().kill()
        time.sleep(0.05)
    assert isinstance(grading.error, WorkerFailed) and "died twice" in str(grading.error)
    assert examiner.grade(job("answer = 42", test=FAIR)).verdicts[0].outcome == "passed"


def test_an_examiner_that_is_killed_takes_all_of_its_own_along():
    examiner = Examiner()
    process = psutil.Process(examiner._process.pid)
    grading = Grading(examiner.grade, job(*LONG, test=FAIR))
    until(lambda: kernels(process) or not grading.is_alive())
    below = process.children(recursive=True)
    assert len(below) >= 5  # fork, bubblewrap, nursery, process 1, kernel
    process.kill()
    grading.join()
    assert isinstance(grading.error, ExaminerLost) and isinstance(grading.error, WorkerFailed)
    until(lambda: not any(lives(p) for p in below))


def test_an_examiner_ends_when_nobody_waits_for_it():
    """Also in the middle of an endless cell: whoever asked may have been killed."""
    examiner = Examiner()
    process = psutil.Process(examiner._process.pid)
    grading = Grading(examiner.grade, job("while True: pass", test=FAIR, cell_cpu_s=100_000.0))
    until(lambda: kernels(process) or not grading.is_alive())
    below = process.children(recursive=True)
    examiner._process.stdin.close()
    until(lambda: not any(lives(p) for p in [process, *below]))
    grading.join()
    assert isinstance(grading.error, WorkerFailed)
    examiner.close()


def test_a_lost_job_is_graded_again():
    close_examiners()
    grading = Grading(grade_in_process, job(*LONG, test=FAIR))
    own = psutil.Process()

    def examiners():
        return [p for p in own.children() if "course_admin.grading.examiner" in " ".join(p.cmdline())]

    until(lambda: any(kernels(e) for e in examiners()) or not grading.is_alive())
    (lost,) = [e for e in examiners() if kernels(e)]
    lost.kill()
    grading.join()
    assert grading.error is None and grading.result.verdicts[0].outcome == "passed"
    (idle,) = [e for e in examiners() if e.pid != lost.pid and e.status() != psutil.STATUS_ZOMBIE]
    idle.kill()  # one that waits for work
    assert grade_in_process(job("answer = 42", test=FAIR)).verdicts[0].outcome == "passed"


def test_folders_of_the_killed_are_removed_and_those_of_the_living_are_not(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left, held, elsewhere = tmp_path / "cwn-left", tmp_path / "cwn-held", tmp_path / "elsewhere"
    for folder in (left, held, elsewhere):
        (folder / "below").mkdir(parents=True)
    (tmp_path / "cwn-link").symlink_to(elsewhere)
    (tmp_path / "cwn-file").touch()
    mine, descriptor = warm._held_folder()
    other = os.open(held, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    warm.remove_leftovers()
    assert not left.exists()
    assert mine.is_dir() and (held / "below").is_dir() and (elsewhere / "below").is_dir()
    os.close(other)
    os.close(descriptor)
    warm.remove_leftovers()
    assert not held.exists() and not mine.exists() and (elsewhere / "below").is_dir()


@pytest.mark.slow
def test_sixty_jobs_leave_no_descriptors_and_no_memory_behind(examiner):
    process = psutil.Process(examiner._process.pid)

    def use():
        (nurse,) = nurses(process)
        return [(p.num_fds(), p.memory_info().rss / 2**20, len(p.children())) for p in (process, nurse)]

    seen = []
    for number in range(60):
        code = "answer = 42\nhoard = [bytearray(2**20) for _ in range(30)]\nkept = [open('/dev/null') for _ in range(50)]"
        assert examiner.grade(job(code, test=FAIR)).verdicts[0].outcome == "passed"
        if number in (9, 59):
            seen.append(use())
    for (files, memory, children), (files_then, memory_then, children_then) in zip(*seen, strict=True):
        assert (files_then, children_then) == (files, children)
        assert memory_then < memory + 8
    print("descriptors, MiB, children of examiner and nursery after 10 and 60 jobs:", seen)
