"""What is committed under source/, release/ and solutions/ is what the manuscript builds; the bank proves its tests."""

import json
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from course_admin.bank.check import check_bank
from course_admin.build import build_release, build_source, solutions_state
from course_admin.coverage import coverage
from course_admin.syllabus import load_syllabus

ROOT = Path(__file__).parents[2]
NAMES = sorted(path.stem for path in (ROOT / "manuscript").glob("[0-9][0-9]_*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_a_fresh_build_gives_the_committed_bytes(name: str, tmp_path: Path) -> None:
    for part in ("manuscript", "syllabus.toml", "nbgrader_config.py"):
        (shutil.copytree if (ROOT / part).is_dir() else shutil.copy)(ROOT / part, tmp_path / part)
    for folder, built in (
        ("source", build_source(tmp_path, name)),
        ("release", build_release(tmp_path, name)),
    ):
        committed = ROOT / folder / name / f"{name}.ipynb"
        assert built.read_bytes() == committed.read_bytes(), f"{folder}/ is stale; run: coursework build"


@pytest.mark.parametrize("name", NAMES)
def test_solutions_were_executed_from_these_inputs(name: str) -> None:
    assert solutions_state(ROOT, name) == "fresh", "run: coursework build --solutions"


@pytest.mark.parametrize("name", NAMES)
def test_every_item_of_a_written_notebook_is_covered(name: str) -> None:
    syllabus = load_syllabus(ROOT / "syllabus.toml")
    report = coverage(syllabus, ROOT / "source")
    assert [problem for problem in report.problems if name in problem] == []
    covered = {item for question in syllabus.questions_of(name) for item in question.covers}
    assert {item.name for item in syllabus.items_of(name)} <= covered


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_hidden_tests_accept_right_answers_and_reject_wrong_ones(name: str, tmp_path: Path) -> None:
    figures = tmp_path / "bank.json"
    log = (tmp_path / "log").open("w")
    code = check_bank(ROOT, name, jobs=2, json_file=figures, console=Console(file=log, width=140))
    log.close()
    assert code == 0, (tmp_path / "log").read_text()[-3000:]
    assert json.loads(figures.read_text())
