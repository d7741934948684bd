"""A coordinator that is killed at any moment and run again with `--resume`: marks as if nothing had happened."""

import random
import shutil
import time
from pathlib import Path

import pytest

from course_admin.grading.classroom import Course, grade_class
from tests.bench.breaking import (
    Coordinator,
    audited,
    compare,
    make_course,
    survivors,
    temporary_folder,
    wait_until,
)
from tests.grading import tiny
from tests.grading.conftest import LIMITS

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]
STUDENTS = 6


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """A course, graded without a cut; and the same before it was graded."""
    folder = tmp_path_factory.mktemp("resume")
    make_course(folder / "fresh", STUDENTS)
    shutil.copytree(folder / "fresh", folder / "graded")
    with temporary_folder() as temporary:
        run = Coordinator(folder / "graded", temporary)
        assert run.wait() == 0 and len(run.graded()) == STUDENTS, run.said
        wait_until(lambda: not survivors(temporary))
        assert list(temporary.glob("cw*")) == []
    return folder


@pytest.fixture
def root(reference, tmp_path):
    shutil.copytree(reference / "fresh", tmp_path / "course")
    return tmp_path / "course"


def check(root: Path, reference: Path) -> None:
    """Each submission has one mark, as in a run that was not cut, and one line; every notebook is whole."""
    counts = compare(root, reference / "graded")
    assert (counts.pop("submissions"), counts.pop("students with marks")) == (STUDENTS, STUDENTS)
    counts.pop("torn lines, passed over")
    assert set(counts.values()) == {0}, counts
    strange = [
        path
        for path in root.rglob("*")
        if path.name.startswith((".writing", ".tmp")) or path.suffix == ".tmp"
    ]
    assert strange == []


def finish(root: Path, temporary: Path) -> Coordinator:
    run = Coordinator(root, temporary)
    assert run.wait() == 0, run.said
    wait_until(lambda: not survivors(temporary))
    assert list(temporary.glob("cw*")) == []  # also those of the runs that were killed
    return run


def test_killed_at_random_moments(root, reference):
    chance = random.Random(11)
    with temporary_folder() as temporary:
        graded: list[str] = []
        for done in (0, 1, 2):
            run = Coordinator(root, temporary)
            run.until(done)
            time.sleep(chance.uniform(0, 2))
            run.kill()
            graded += run.graded()
            wait_until(lambda: not survivors(temporary))  # examiners, nurseries, kernels: none outlives it
        last = finish(root, temporary)
    assert (
        len(graded) + len(last.graded()) >= STUDENTS - 3
    )  # of each killed run one mark may be stored and not yet told
    check(root, reference)


@pytest.mark.parametrize("step", [2, 4, 6, 8, 10])
def test_killed_between_the_steps_of_recording(root, reference, step):
    """After each commit, each synchronized file and each renamed one of the first marks."""
    with temporary_folder() as temporary:
        run = Coordinator(root, temporary, step=step)
        assert run.wait() == -9
        wait_until(lambda: not survivors(temporary))
        last = finish(root, temporary)
        assert set(run.graded()) | set(last.graded()) == {f"s{n:03d}" for n in range(STUDENTS)}
    check(root, reference)


def test_a_torn_line_is_passed_over(root, reference):
    with temporary_folder() as temporary:
        finish(root, temporary)
        path = root / "audit.jsonl"
        path.write_bytes(path.read_bytes()[:-40])  # the last student's line
        last = finish(root, temporary)
    assert len(last.graded()) == 1
    assert audited(root)[1] == 1
    check(root, reference)


def test_nothing_to_do(root, reference):
    """Resuming what is finished grades nothing and reports all of it; other settings are another grade."""
    course = Course(root, tiny.NAME)
    first = grade_class(course, course.submitted(), jobs=2, limits=LIMITS)
    again = grade_class(course, course.submitted(), jobs=2, limits=LIMITS, resume=True)
    assert all(g.resumed for g in again)
    assert [(g.student, g.scores, g.flags) for g in again] == [(g.student, g.scores, g.flags) for g in first]
    other = grade_class(course, course.submitted()[:1], jobs=1, limits=LIMITS | {"file_mb": 65}, resume=True)
    assert not other[0].resumed and other[0].scores == first[0].scores


def test_a_file_under_another_name(root):
    """Graded and left alone; given its right name, the same mark without the flag."""
    course = Course(root, tiny.NAME)
    (student, *_) = course.submitted()
    path = course.submission(student)
    other = path.rename(path.with_name(f"{tiny.NAME} (1).ipynb"))

    def run():
        (record,) = grade_class(course, [student], jobs=1, limits=LIMITS, resume=True)
        return record

    first, again = run(), run()
    assert not first.resumed and again.resumed
    assert other.name in first.flags[0] and again.flags == first.flags and again.scores == first.scores
    assert course.autograded(student).exists()
    other.rename(path)
    mended = run()
    assert not mended.resumed and mended.scores == first.scores and mended.flags == first.flags[1:]
