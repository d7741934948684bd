"""Jobs, and the processes that grade them as the host sees them."""

import contextlib
import time

import psutil

from course_admin.grading.worker import Job
from tests.grading.conftest import LIMITS


def job(*cells, test="", **more):
    """A job of some cells and a test."""
    grader = {"grade_id": "q-test", "points": 1, "grade": True, "solution": False}
    plain = [{"cell_type": "code", "source": code, "metadata": {}, "outputs": []} for code in cells]
    check = {"cell_type": "code", "source": test, "metadata": {"nbgrader": grader}, "outputs": []}
    return Job(notebook={"cells": [*plain, check]}, limits=LIMITS | more)


def lives(process):
    """Whether a process has not ended."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def nurses(above):
    """The warm processes in sandboxes below a process."""
    found = []
    for process in above.children(recursive=True):
        with contextlib.suppress(psutil.Error):
            names = process.name(), process.parent().name()
            if "/run/nursery.py" in process.cmdline() and names[1] == "bwrap" != names[0]:
                found.append(process)
    return found


def kernels(above):
    """Processes of submissions that have come to life below a process."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return [
            kernel for nurse in nurses(above) for child in nurse.children() for kernel in child.children()
        ]
    return []


def until(true, seconds=120):
    """Waits; a test that waits so long has failed."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.02)
