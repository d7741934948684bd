"""The report counts only what really stands in the notebooks."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from course_admin.coverage import COVERED, MISSING, PARTLY, coverage, print_coverage
from course_admin.syllabus import Syllabus, load_syllabus, parse_syllabus

ROOT = Path(__file__).parents[2]


def syllabus(written_points: float = 1) -> Syllabus:
    """Two notebooks, three items; "X 2" belongs to both."""
    base: dict[str, Any] = {"title": "A title", "notebook": "01", "minutes": 30, "difficulty": 1}
    return parse_syllabus(
        {
            "text": [
                {
                    "name": "X",
                    "title": "A text",
                    "items": [
                        {"name": "X 1", "title": "In one notebook", "notebooks": ["01"]},
                        {"name": "X 2", "title": "In both", "notebooks": ["01", "02"]},
                        {"name": "X 3", "title": "In the other", "notebooks": ["02"]},
                    ],
                }
            ],
            "notebook": [{"name": "01_one", "title": "One"}, {"name": "02_two", "title": "Two"}],
            "question": [
                {**base, "id": "pick", "kind": "choice", "points": 5, "covers": ["X 1"]},
                {
                    **base,
                    "id": "say",
                    "kind": "written",
                    "points": written_points,
                    "covers": ["X 1"],
                    "companion": "pick",
                },
                {**base, "id": "code", "kind": "code", "points": 4, "covers": ["X 2"]},
                {**base, "id": "more", "notebook": "02", "kind": "number", "points": 2, "covers": ["X 2"]},
            ],
        }
    )


def cell(grade_id: str, points: float = 0, **flags: bool) -> dict[str, Any]:
    tag = {"grade_id": grade_id, "grade": False, "solution": False, "task": False, "points": points, **flags}
    return {"cell_type": "code", "metadata": {"nbgrader": tag}, "source": ""}


def check_cell(question: str, points: float) -> dict[str, Any]:
    return cell(f"{question}-test", points, grade=True)


def written_cell(question: str, points: float) -> dict[str, Any]:
    return cell(question, points, grade=True, solution=True)


TEXT = {"cell_type": "markdown", "metadata": {}, "source": "words"}
ONE = [
    TEXT,
    cell("setup"),
    cell("pick", solution=True),
    check_cell("pick", 5),
    written_cell("say", 1),
    cell("code", solution=True),
    check_cell("code", 4),
]
TWO = [cell("more", solution=True), check_cell("more", 2)]


def write(source: Path, name: str, cells: list[dict[str, Any]]) -> None:
    path = source / name / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))


def show(source: Path, strict: bool = False, **options: Any) -> tuple[int, str]:
    out = io.StringIO()
    code = print_coverage(syllabus(), source, strict=strict, console=Console(file=out, width=100), **options)
    return code, out.getvalue()


def test_nothing_is_built(tmp_path: Path) -> None:
    report = coverage(syllabus(), tmp_path / "source")
    assert [row.state for row in report.rows] == [MISSING] * 3
    assert report.summary == "covered 0 of 3 items (0 partly, 3 missing)"
    assert report.rows[0].answers[0].missing == "notebook not built"
    assert report.rows[2].answers[0].missing == "no question yet"
    assert "run `coursework build 01`" in report.problems[0]


def test_one_notebook_of_two(tmp_path: Path) -> None:
    write(tmp_path, "01_one", ONE)
    report = coverage(syllabus(), tmp_path)
    assert [row.state for row in report.rows] == [COVERED, PARTLY, MISSING]
    assert report.summary == "covered 1 of 3 items (1 partly, 1 missing)"
    pick, say = report.rows[0].answers
    assert (pick.cell, pick.position, pick.graded, pick.kind) == ("pick-test", 4, "auto", "choice")
    assert (say.cell, say.position, say.graded, say.kind) == ("say", 5, "hand", "written")
    assert [(a.notebook, a.question, a.missing) for a in report.rows[1].answers] == [
        ("01_one", "code", None),
        ("02_two", "more", "notebook not built"),
    ]


def test_an_answer_cell_alone_covers_nothing(tmp_path: Path) -> None:
    write(tmp_path, "01_one", [c for c in ONE if c is not ONE[6]])
    write(tmp_path, "02_two", TWO)
    report = coverage(syllabus(), tmp_path)
    assert report.rows[1].state == PARTLY
    assert report.rows[1].answers[0].missing == "no grade cell"
    assert any('"code": no grade cell' in p and '"code-test"' in p for p in report.problems)


def test_a_cell_of_the_wrong_sort_covers_nothing(tmp_path: Path) -> None:
    write(tmp_path, "01_one", [cell("pick-test", 5, grade=True, solution=True), cell("say", 1, grade=True)])
    report = coverage(syllabus(), tmp_path)
    assert [answer.missing for answer in report.rows[0].answers] == ["cell is written", "cell is a test"]
    assert report.rows[0].state == MISSING


def test_points_of_cell_and_list_disagree(tmp_path: Path) -> None:
    write(tmp_path, "01_one", [*ONE[:6], check_cell("code", 3)])
    problems = coverage(syllabus(), tmp_path).problems
    assert any('cell "code-test" gives 3 points, the syllabus says 4; make them agree' in p for p in problems)


def test_a_graded_cell_that_the_list_does_not_know(tmp_path: Path) -> None:
    write(tmp_path, "01_one", [*ONE, check_cell("bonus", 3)])
    assert any('"bonus-test" is in no question' in p for p in coverage(syllabus(), tmp_path).problems)


def test_a_grade_id_that_stands_twice(tmp_path: Path) -> None:
    write(tmp_path, "01_one", [*ONE, check_cell("code", 4)])
    assert any('grade id "code-test" stands twice' in p for p in coverage(syllabus(), tmp_path).problems)


@pytest.mark.parametrize("content", ["not json", "[]", "{}", '{"cells": [1]}'])
def test_a_file_that_is_no_notebook(tmp_path: Path, content: str) -> None:
    write(tmp_path, "01_one", [])
    (tmp_path / "01_one" / "01_one.ipynb").write_text(content)
    report = coverage(syllabus(), tmp_path)
    assert report.count(COVERED) == 0
    assert report.problems[0].startswith("01_one.ipynb: not a notebook")


def test_points_per_notebook_and_share(tmp_path: Path) -> None:
    report = coverage(syllabus(), tmp_path)
    assert [(n.questions, n.points, n.auto_points, n.minutes) for n in report.notebooks] == [
        (3, 10, 9, 90),
        (1, 2, 2, 30),
    ]
    assert report.notebooks[0].auto_share == pytest.approx(0.9)
    assert not any("auto-graded" in p for p in report.problems)
    too_many = coverage(syllabus(written_points=3), tmp_path)
    assert any(
        p.startswith("01_one: 75% of the points are auto-graded, at least 80%") for p in too_many.problems
    )


def test_a_notebook_without_questions_has_no_share(tmp_path: Path) -> None:
    empty = parse_syllabus({"notebook": [{"name": "01_one", "title": "One"}]})
    assert coverage(empty, tmp_path).notebooks[0].auto_share is None
    assert coverage(empty, tmp_path).problems == ()


def test_strict_decides_the_exit_code(tmp_path: Path) -> None:
    write(tmp_path, "01_one", ONE)
    assert show(tmp_path)[0] == 0
    assert show(tmp_path, strict=True)[0] == 1


def test_strict_passes_only_when_all_is_well(tmp_path: Path) -> None:
    full = parse_syllabus(
        {
            "text": [
                {"name": "X", "title": "T", "items": [{"name": "X 1", "title": "Item", "notebooks": ["02"]}]},
            ],
            "notebook": [{"name": "02_two", "title": "Two"}],
            "question": [
                {
                    "id": "more",
                    "notebook": "02",
                    "title": "t",
                    "kind": "number",
                    "points": 2,
                    "minutes": 1,
                    "difficulty": 1,
                    "covers": ["X 1"],
                }
            ],
        }
    )
    quiet = Console(file=io.StringIO(), width=100)
    write(tmp_path, "02_two", TWO)
    assert print_coverage(full, tmp_path, strict=True, console=quiet) == 0
    write(tmp_path, "02_two", [*TWO, check_cell("bonus", 1)])
    assert print_coverage(full, tmp_path, strict=True, console=quiet) == 1


def test_the_table_fits_and_says_it_all(tmp_path: Path) -> None:
    write(tmp_path, "01_one", [*ONE, check_cell("bonus", 3)])
    text = show(tmp_path)[1]
    assert max(len(line) for line in text.splitlines()) <= 100
    for words in (
        "X 1",
        "In one notebook",
        "pick",
        "01 #4",
        "auto choice",
        "hand written",
        "(no question yet)",
    ):
        assert words in text
    assert text.rstrip().endswith("covered 1 of 3 items (1 partly, 1 missing)")


def test_json_is_complete_and_repeatable(tmp_path: Path) -> None:
    write(tmp_path / "source", "01_one", ONE)
    show(tmp_path / "source", json_file=tmp_path / "coverage.json")
    saved = (tmp_path / "coverage.json").read_text(encoding="utf-8")
    assert saved == coverage(syllabus(), tmp_path / "source").to_json()
    assert str(tmp_path) not in saved
    data = json.loads(saved)
    assert (data["total"], data["covered"], data["partly"], data["missing"]) == (3, 1, 1, 1)
    assert data["texts"] == {"X": {"covered": 1, "total": 3}}
    assert data["items"][0]["answers"][0]["cell"] == "pick-test"
    assert data["notebooks"][0]["auto_share"] == pytest.approx(0.9)


def test_the_course_itself_can_be_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    course = load_syllabus(ROOT / "syllabus.toml")
    assert print_coverage(course, tmp_path) == 0
    text = capsys.readouterr().out
    assert max(len(line) for line in text.splitlines()) <= 100
    assert f"covered 0 of {len(course.items)} items" in text
    assert "…" not in text  # nothing cut off
    assert all(item.title in text for item in course.items)  # each title on one line
