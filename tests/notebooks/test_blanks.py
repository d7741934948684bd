"""A blank exercise costs its own points and no others: every question of every notebook is left blank in turn, and graded."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from course_admin.grading.submission import Task, course_version, grade_submission, pack_course, withheld_for
from course_admin.syllabus import load_syllabus
from course_utils.checking.records import RECORD_MIME

ROOT = Path(__file__).parents[2]
NAMES = [notebook.name for notebook in load_syllabus(ROOT / "syllabus.toml").notebooks]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.sandbox,
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed"),
]


def read(folder: str, name: str) -> dict[str, Any]:
    path = ROOT / folder / name / f"{name}.ipynb"
    if not path.exists():
        pytest.skip(f"{name} is not written yet")
    return json.loads(path.read_text(encoding="utf-8"))


def grade_id(cell: dict[str, Any]) -> str | None:
    return cell["metadata"].get("nbgrader", {}).get("grade_id")


def handed_in(name: str, blank: str | None) -> dict[str, Any]:
    """The release with the reference's answers, but for one, and with the outputs of the executed solution."""
    release = read("release", name)
    answers = {grade_id(cell): cell["source"] for cell in read("source", name)["cells"] if grade_id(cell)}
    outputs = {
        cell["id"]: cell["outputs"]
        for cell in read("solutions", name)["cells"]
        if cell["cell_type"] == "code"
    }
    for cell in release["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("solution") and grade_id(cell) != blank:
            cell["source"] = answers[grade_id(cell)]
        if cell["cell_type"] == "code":
            made = outputs.get(cell["id"], [])
            cell["outputs"] = [o for o in made if o.get("data", {}).get(RECORD_MIME, {}).get("name") != blank]
    return release


def marks(name: str, blank: str | None = None) -> dict[str, tuple[float, float]]:
    """Question → points earned and possible, as grading gives them."""
    source, release = read("source", name), read("release", name)
    task = Task(
        "ada",
        name,
        pack_course(source, release),
        json.dumps(handed_in(name, blank)).encode(),
        withheld=withheld_for(release),
        version=course_version(),
    )
    outcome = grade_submission(task)
    assert outcome.graded is not None, outcome.error
    verdicts = outcome.graded["metadata"]["course"]["verdicts"]
    return {v["grade_id"].removesuffix("-test"): (v["earned"], v["points"]) for v in verdicts}


@pytest.mark.parametrize("name", NAMES)
def test_each_blank_costs_its_own_points_alone(name: str) -> None:
    full = marks(name)
    assert {question: earned for question, (earned, points) in full.items() if earned != points} == {}
    for blank in full:
        found = marks(name, blank)
        assert found.pop(blank)[0] == 0, f"{blank}: the stub earns points"
        lost = {question: earned for question, (earned, points) in found.items() if earned != points}
        assert lost == {}, f"{blank} was left blank, and others lost points"
