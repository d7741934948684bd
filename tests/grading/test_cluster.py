"""Tasks over workers that die and a scheduler that comes back: each result once, and the same as without."""

import hashlib
import importlib.util
import os
import random
import shutil
import threading
import time
from pathlib import Path

import pytest

from course_admin.grading import cluster
from course_admin.grading.classroom import Course, grade_class
from course_admin.grading.cluster import SchedulerGone, grade_tasks
from course_admin.grading.submission import Outcome, Task, WrongVersion, course_version
from tests.bench.breaking import Grid, compare, make_course, wait_until
from tests.grading import tiny
from tests.grading.conftest import LIMITS

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None, reason="dask is not installed"
)
FAST = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}


# What workers do here. They import this module by name. ------------------------------------------------------------------------


def digest_work(data: bytes) -> bytes:
    """A quick task with a result that depends on all of its bytes; some take longer than others."""
    task = Task.from_bytes(data)
    number = int.from_bytes(hashlib.sha256(task.submission).digest()[:2], "big")
    time.sleep(number % 5 * 0.02)
    return Outcome(task.student, {"digest": hashlib.sha256(data).hexdigest()}).to_bytes()


def deadly_work(data: bytes) -> bytes:
    """Kills its worker when the submission says so."""
    task = Task.from_bytes(data)
    if task.submission == b"kill":
        os.kill(os.getpid(), 9)
    return digest_work(data)


def failing_work(data: bytes) -> bytes:
    raise KeyError("no such thing")


def versioned_work(data: bytes) -> bytes:
    from course_admin.grading.submission import grade_bytes

    return grade_bytes(data)


def tasks(count: int, **more) -> list[Task]:
    return [Task(f"s{n:03d}", tiny.NAME, b"course", f"answer {n}".encode(), **more) for n in range(count)]


def plain(outcomes) -> list[tuple]:
    return sorted((o.student, o.graded and o.graded["digest"], o.error) for o in outcomes)


@pytest.fixture(scope="module")
def expected():
    return plain(Outcome.from_bytes(digest_work(task.to_bytes())) for task in tasks(200))


@pytest.fixture
def grid(tmp_path):
    with Grid(tmp_path / "grid", 3, FAST) as made:
        yield made


def test_a_local_cluster_gives_each_result_once(expected):
    assert plain(grade_tasks(iter(tasks(200)), jobs=4, work=digest_work)) == expected


def test_workers_die_and_the_scheduler_restarts(grid, expected):
    """A worker is killed every few results, the scheduler three times; the dead are replaced as a cluster would do it."""
    chance, said, found = random.Random(3), [], []
    for outcome in grade_tasks(
        iter(tasks(200)), scheduler=grid.address, work=digest_work, on_trouble=said.append
    ):
        found.append(outcome)
        if len(found) % 12 == 0:
            grid.kill(f"worker-{chance.randrange(3)}")
        if len(found) in (30, 90, 150):
            grid.kill("scheduler")
    assert plain(found) == expected
    assert grid.restarts["worker"] >= 10 and grid.restarts["scheduler"] == 3


def test_a_task_that_kills_its_workers_is_the_only_one_without_a_mark(grid, expected):
    killers = [Task(name, tiny.NAME, b"course", b"kill") for name in ("killer-1", "killer-2")]
    given = tasks(40)
    given[5:5], given[20:20] = killers[:1], killers[1:]
    said: list[str] = []
    found = plain(grade_tasks(iter(given), scheduler=grid.address, work=deadly_work, on_trouble=said.append))
    assert [row for row in found if not row[2]] == expected[:40]
    assert [row[0] for row in found if row[2]] == ["killer-1", "killer-2"]
    assert all("died" in row[2] for row in found if row[2])
    assert any("killer-1" in line for line in said)


def test_a_task_that_always_fails_says_why():
    (outcome,) = grade_tasks(iter(tasks(1)), jobs=1, work=failing_work)
    assert outcome.graded is None and "KeyError" in outcome.error and "no such thing" in outcome.error


def test_tasks_are_taken_only_as_workers_become_free():
    """A class of thousands is never in memory at once, however fast it can be read."""
    taken = done = most = 0

    def reading():
        nonlocal taken, most
        for task in tasks(150):
            taken += 1
            most = max(most, taken - done)
            yield task

    for _ in grade_tasks(reading(), jobs=2, work=digest_work):
        done += 1
    assert done == taken == 150
    assert 2 <= most <= 7  # three for each of two threads, and the one just read


def test_a_slow_reader_of_results_does_not_let_them_pile_up():
    taken = 0

    def reading():
        nonlocal taken
        for task in tasks(60):
            taken += 1
            yield task

    outcomes = grade_tasks(reading(), jobs=2, work=digest_work)
    next(outcomes)
    time.sleep(1)
    assert taken <= 6
    outcomes.close()


def test_workers_that_come_late_are_waited_for(tmp_path, expected):
    said: list[str] = []
    with Grid(tmp_path / "grid", 0) as grid:
        found: list[Outcome] = []
        given = grade_tasks(iter(tasks(10)), scheduler=grid.address, work=digest_work, on_trouble=said.append)
        thread = threading.Thread(target=lambda: found.extend(given), daemon=True)
        thread.start()
        wait_until(lambda: any("no worker" in line for line in said))
        grid.add("worker-0")
        thread.join(240)
    assert plain(found) == expected[:10]


def test_no_scheduler_at_the_address(monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_S", 1.0)
    with pytest.raises(SchedulerGone, match=r"tcp://127.0.0.1:9 .*dask scheduler.*dask worker"):
        list(grade_tasks(iter(tasks(1)), scheduler="tcp://127.0.0.1:9"))
    with pytest.raises(SchedulerGone, match="no Dask scheduler"):
        list(grade_tasks(iter(tasks(1)), scheduler="what is this"))


def test_a_scheduler_that_does_not_come_back(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "WAIT_S", 3.0)
    with Grid(tmp_path / "grid", 1) as grid, pytest.raises(SchedulerGone, match="--resume"):
        for _ in grade_tasks(iter(tasks(200)), scheduler=grid.address, work=digest_work):
            grid.end("scheduler")


def test_another_version_of_the_course_is_refused(tmp_path):
    with (
        Grid(tmp_path / "grid", 1) as grid,
        pytest.raises(WrongVersion, match=f"{course_version()}.*another"),
    ):
        list(grade_tasks(iter(tasks(3, version="another")), scheduler=grid.address, work=versioned_work))


@pytest.mark.sandbox
@pytest.mark.slow
def test_real_grading_on_workers_elsewhere(tmp_path):
    """A scheduler and two workers in folders of their own grade as a local run does, and touch nothing of the course."""
    course = make_course(tmp_path / "course", 6)
    reference = tmp_path / "reference"
    shutil.copytree(course.root, reference)
    with Grid(tmp_path / "grid", 2) as grid:
        names = Course(course.root, tiny.NAME).submitted()
        there = grade_class(Course(course.root, tiny.NAME), names, scheduler=grid.address, limits=LIMITS)
        left = {
            p.name for worker in ("worker-0", "worker-1") for p in Path(tmp_path / "grid" / worker).iterdir()
        }
    here = grade_class(Course(reference, tiny.NAME), names, jobs=2, limits=LIMITS)
    assert [(g.student, g.scores, g.flags, g.error) for g in there] == [
        (g.student, g.scores, g.flags, g.error) for g in here
    ]
    counts = compare(course.root, reference)
    assert (counts.pop("submissions"), counts.pop("students with marks")) == (6, 6)
    assert set(counts.values()) == {0}, counts
    assert left <= {"log", "dask-scratch-space"}
