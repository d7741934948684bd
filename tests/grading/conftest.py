"""A tiny course, built once; each test that changes it gets a copy."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.grading import tiny

LIMITS = {
    "cell_cpu_s": 3.0,
    "test_cpu_s": 4.0,
    "memory_mb": 1500,
    "file_mb": 64,
    "output_kb": 256,
    "restarts": 4,
}
needs_sandbox = pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/grading" in str(item.path) and item.get_closest_marker("sandbox"):
            item.add_marker(needs_sandbox)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> tiny.Tiny:
    """The course as nbgrader's generate_assignment leaves it. Read only."""
    course = tiny.Tiny(tmp_path_factory.mktemp("course") / "tiny", tiny.OURS.format(limits=LIMITS))
    course.generate()
    return course


@pytest.fixture
def course(built: tiny.Tiny, tmp_path: Path) -> tiny.Tiny:
    """A copy of its own."""
    root = tmp_path / "course"
    shutil.copytree(built.root, root)
    copied = tiny.Tiny.__new__(tiny.Tiny)
    copied.root = root
    copied.release = root / "release" / tiny.NAME / f"{tiny.NAME}.ipynb"
    copied.source = root / "source" / tiny.NAME / f"{tiny.NAME}.ipynb"
    return copied


@pytest.fixture(scope="session")
def source(built: tiny.Tiny) -> dict:
    return json.loads(built.source.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def release(built: tiny.Tiny) -> dict:
    return json.loads(built.release.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def job(built: tiny.Tiny, source: dict, release: dict) -> Callable[..., Any]:
    """`job(scale="…")`: what grading a submission, right but for these cells, needs."""
    from course_admin.grading.reassemble import reassemble
    from course_admin.grading.worker import Job

    def make(**answers: str) -> Any:
        made = reassemble(built.right(**answers), source, release)
        return Job(notebook=made.notebook, records=made.records, limits=LIMITS)

    return make
