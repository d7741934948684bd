"""Warm processes: nothing of one submission is there for the next, and none gets where it may not."""

import contextlib
import json
import os
import sys
from pathlib import Path

import psutil
import pytest

from course_admin.grading import warm
from course_admin.grading.examiner import (
    Examiner,
    grade_in_process,
)
from course_admin.grading.limits import Limits
from course_admin.grading.session import StudentKernel
from tests.grading.conftest import LIMITS
from tests.grading.leftovers import LEAVE, LOOK, MARK, TRUSTED_LEAVE, TRUSTED_LOOK, TRY
from tests.grading.processes import job, lives, nurses

pytestmark = [
    pytest.mark.sandbox,
    pytest.mark.skipif(sys.platform != "linux", reason="the sandbox needs Linux"),
]

# What no submission can change at all: the folder of its sockets (as root), its host's name, its keyrings.
UNREACHED = {"host name", "keys", *(["files beside the sockets"] if os.geteuid() == 0 else [])}


def printed(outputs):
    return "".join(output.get("text", "") for output in outputs)


def failed(outputs):
    return [output for output in outputs if output["output_type"] == "error"]


def seen_by(kernel):
    outputs = kernel.run_cell(LOOK)
    assert not failed(outputs), outputs
    return json.loads(printed(outputs))


def home():
    """The nursery of this process's kernels."""
    return warm.nursery(Limits(**LIMITS), StudentKernel().withheld)


@pytest.fixture
def student():
    """`student()`: a kernel of the same nursery, once all of the one before has ended."""
    with contextlib.ExitStack() as stack:

        def start():
            home().clear()
            return stack.enter_context(StudentKernel(limits=Limits(**LIMITS)))

        yield start


def sleepers():
    return [p for p in psutil.process_iter(["cmdline"]) if MARK in (p.info["cmdline"] or [])]


# One submission and the next -----------------------------------------------------------------------------------------------


def test_nothing_of_a_submission_reaches_the_next(student):
    before = seen_by(student())
    untidy = student()
    assert failed(untidy.run_cell(LEAVE)) == []
    during = seen_by(untidy)
    same = {kind for kind, value in during["seen"].items() if value == before["seen"][kind]}
    assert same == UNREACHED  # the eyes are open: everything else shows
    assert len(sleepers()) == 4

    after = student()  # clears first, while the untidy one is still there
    assert sleepers() == []
    seen = seen_by(after)
    assert seen["seen"] == before["seen"]
    if os.geteuid() == 0:
        assert len({before["uid"], during["uid"], seen["uid"], 0}) == 4


def test_clear_ends_every_process(student):
    bombs = student()
    bombs.run_cell(LEAVE)
    first = psutil.Process(bombs._kernel._manager.provisioner.pid)
    inside = [first, *first.children(recursive=True)]
    assert len(inside) > 5
    home().clear()
    assert not any(lives(p) for p in inside)
    assert list(home().folder.iterdir()) == []


def test_a_nursery_is_not_changed_by_its_children(student):
    """Open descriptors, mounts and processes of the warm process itself, as the host sees them."""

    def state():
        home().clear()
        (nurse,) = nurses(psutil.Process(home()._process.pid))
        own = Path(f"/proc/{nurse.pid}")
        return (
            len(list((own / "fd").iterdir())),
            (own / "mountinfo").read_text(),
            len(nurse.children()),
            nurse.num_threads(),
        )

    student()
    before = state()
    student().run_cell(LEAVE)
    assert state() == before


RANDOM = "import random, numpy, torch\nprint(random.random(), numpy.random.rand(3), torch.rand(3), {'a', 'b', 'c'}, hash('a'))"


def test_equal_submissions_get_equal_random_numbers():
    first, second = (grade_in_process(job(RANDOM, test=RANDOM)) for _ in range(2))
    texts = [printed(cell["outputs"]) for cell in first.notebook["cells"]]
    assert all(texts) and texts == [printed(cell["outputs"]) for cell in second.notebook["cells"]]


def test_how_often_a_kernel_is_asked_whether_it_is_there_does_not_matter(student):
    """On a busy machine it is asked more often; IPython's banner draws a tip each time."""
    said = []
    for asked in (0, 5):
        kernel = student()
        for _ in range(asked):
            kernel._kernel._client.kernel_info(reply=True, timeout=60)
        said.append(printed(kernel.run_cell(RANDOM)))
    assert said[0] == said[1] != ""


def test_what_a_test_changes_does_not_reach_the_next_job():
    examiner = Examiner()
    try:
        before = printed(examiner.grade(job(test=TRUSTED_LOOK)).notebook["cells"][-1]["outputs"])
        within = examiner.grade(job(test=TRUSTED_LEAVE + TRUSTED_LOOK))
        after = printed(examiner.grade(job(test=TRUSTED_LOOK)).notebook["cells"][-1]["outputs"])
    finally:
        examiner.close()
    assert (
        within.verdicts[0].outcome == "passed" and printed(within.notebook["cells"][-1]["outputs"]) != before
    )
    assert before.startswith("[False, 'expect_close', False") and after == before


# What a submission may not do ----------------------------------------------------------------------------------------------


def test_no_privileges_and_no_way_to_get_them(student):
    outputs = student().run_cell(TRY)
    assert not failed(outputs), outputs
    tried, status = (eval(line) for line in printed(outputs).splitlines())
    assert status == {f"Cap{kind}": 0 for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} | {
        "NoNewPrivs": 1,
        "Seccomp": 2,
    }
    assert tried.pop("end of process 1") in ("EPERM", True)  # it may be told, it does not listen
    assert tried.pop("other namespaces") == {"EPERM"}
    assert tried.pop("clone3") == "ENOSYS"
    assert tried.pop("shared memory without end") in ("ENOSPC", "ENOMEM")
    tried.pop("network")
    assert set(tried.values()) <= {"EPERM", "EACCES", "EINVAL"}, tried


def test_threads_and_processes_still_work_behind_the_filter(student):
    code = (
        "import subprocess, threading, multiprocessing as mp, torch\n"
        "thread = threading.Thread(target=print, args=('thread',)); thread.start(); thread.join()\n"
        "print(subprocess.run(['echo', 'process'], capture_output=True, text=True).stdout)\n"
        "child = mp.get_context('fork').Process(target=sum, args=([1],)); child.start(); child.join(); print(child.exitcode)\n"
        "loader = torch.utils.data.DataLoader([1, 2, 3], num_workers=2); print(sum(int(x) for x in loader))"
    )
    assert printed(student().run_cell(code)).split() == ["thread", "process", "0", "6"]


def test_two_submissions_do_not_meet(student):
    """Beside each other in one nursery: no process, socket or file of the other, and no signal reaches it."""
    one = student()
    with StudentKernel(limits=Limits(**LIMITS)) as two:
        one.run_cell(
            "import socket\nheard = socket.socket(socket.AF_UNIX); heard.bind('\\0left'); heard.listen()"
        )
        one.run_cell(
            "port = socket.socket(); port.bind(('127.0.0.1', 4567)); port.listen(); open('/tmp/left', 'w').close()"
        )
        folder, pid = one._kernel.folder, one._kernel.processes.python.pid
        code = f"""
import os, signal, socket
def tried(call, *args):
    try:
        return call(*args)
    except OSError as error:
        return type(error).__name__
print(sorted(os.listdir({str(folder.parent)!r})) == [{two._kernel.folder.name!r}])
print(tried(socket.socket(socket.AF_UNIX).connect, {str(folder / "line")!r}))
print(tried(socket.socket(socket.AF_UNIX).connect, "\\0left"), tried(socket.socket().connect, ("127.0.0.1", 4567)))
print(tried(os.kill, {pid}, 0), tried(os.kill, {os.getpid()}, 0), os.path.exists("/tmp/left"))
print([p for p in os.listdir("/proc") if p.isdigit() and int(p) not in (1, os.getpid())])
print(any("left" in line for line in open("/proc/net/unix")))
signal.signal(signal.SIGTERM, signal.SIG_IGN)
tried(os.kill, -1, signal.SIGKILL)
"""
        said = printed(two.run_cell(code)).splitlines()
        assert said == [
            "True",
            "FileNotFoundError",
            "ConnectionRefusedError ConnectionRefusedError",
            "ProcessLookupError ProcessLookupError False",
            "[]",
            "False",
        ]
        assert printed(one.run_cell("print('here')")) == "here\n"
        assert home().alive()
