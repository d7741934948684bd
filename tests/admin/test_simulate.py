"""The simulated class: the same bytes twice, every kind of student, and expectations that hold."""

import json
import re

import pytest
from bank_course import NAME, BankCourse

from course_admin.bank.notebook import NotebookError
from course_admin.simulate import SimulatedStudent, load_simulated, simulate, student_names
from course_admin.simulate_breaks import BREAKS


@pytest.fixture
def bank_course(tmp_path) -> BankCourse:
    return BankCourse(tmp_path)


def make(course: BankCourse, students: int = 50, seed: int = 3) -> list[SimulatedStudent]:
    return simulate(course.root, "01", students, seed, course.root / "submitted")


def read(course: BankCourse, student: str) -> str:
    return (course.root / "submitted" / student / NAME / f"{NAME}.ipynb").read_text()


def sources(course: BankCourse, student: str) -> dict[str, str]:
    cells = json.loads(read(course, student))["cells"]
    return {cell["metadata"]["nbgrader"]["grade_id"]: cell["source"] for cell in cells if cell["metadata"]}


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(bank_course):
    first = make(bank_course)
    before = {student.student: read(bank_course, student.student) for student in first}
    assert make(bank_course) == first
    assert {student.student: read(bank_course, student.student) for student in first} == before
    assert make(bank_course, seed=4) != first


def test_forty_five_students_hold_every_kind(bank_course):
    kinds = {student.kind for student in make(bank_course, 45)}
    assert kinds >= {"right", "partial", "mostly-wrong", "untouched", *BREAKS}


def test_scores_come_from_the_bank(bank_course):
    for student in make(bank_course):
        if student.kind == "right":
            assert student.scores == {"total": 2, "running-sum": 4, "why": None} and student.total == 6
        if student.kind == "untouched":
            assert student.scores == {"total": 0, "running-sum": 0, "why": 0.0}
            released = json.loads((bank_course.root / "release" / NAME / f"{NAME}.ipynb").read_text())[
                "cells"
            ]
            given = json.loads(read(bank_course, student.student))["cells"]
            assert [cell["source"] for cell in given] == ["".join(cell["source"]) for cell in released]
        if student.answers["total"] == "wrong 1" and student.kind in ("partial", "mostly-wrong"):
            assert student.scores["total"] == 0
            assert sources(bank_course, student.student)["total"].endswith("total = 15")


def test_an_answer_with_another_questions_table_is_left_to_the_bank(bank_course):
    """Its score supposes that the other question records nothing."""
    table = '[[right]]\nwhy = "with a table"\ncode = \'total = 6; record("%s", [1])\'\n'
    for name, chosen in (("study", False), ("total", True)):
        bank_course.put("total/answers.toml", table % name)
        made = make(bank_course)
        assert (
            any(
                "record(" in sources(bank_course, student.student).get("total", "")
                for student in made
                if student.kind == "right"
            )
            == chosen
        )


def test_nothing_hidden_reaches_a_submission(bank_course):
    for student in make(bank_course):
        text = read(bank_course, student.student)
        assert "MARK SCHEME" not in text and "SOLUTION" not in text


def test_written_answers_come_in_qualities(bank_course):
    texts = {}
    for student in make(bank_course):
        if student.kind in ("right", "partial", "mostly-wrong"):
            texts.setdefault(student.answers["why"], sources(bank_course, student.student)["why"])
    assert set(texts) == {"strong", "fair", "weak", "blank"}
    assert "each costs one addition" in texts["strong"]
    assert "That is all" in texts["strong"] and "That is all" not in texts["fair"]
    assert all(text.startswith("**Why?** One point a reason.") for text in texts.values())


def test_breaks_are_what_they_say(bank_course):
    made = {student.kind: student for student in make(bank_course)}
    with pytest.raises(json.JSONDecodeError):
        json.loads(read(bank_course, made["truncated-file"].student))
    assert set(made["truncated-file"].scores.values()) == {0.0}
    assert not sources(bank_course, made["metadata-lost"].student)
    victim = made["syntax-error"].note.split(":")[0]
    assert made["syntax-error"].scores[victim] == 0
    with pytest.raises(SyntaxError):
        compile(sources(bank_course, made["syntax-error"].student)[victim], "cell", "exec")
    deleted = made["test-deleted"]
    gone = deleted.note.split(":")[0] + "-test"
    assert gone not in sources(bank_course, deleted.student)
    assert any(re.search(flag, f"{gone}: the cell was missing and was put back") for flag in deleted.flags)
    cells = json.loads(read(bank_course, made["cells-duplicated"].student))["cells"]
    ids = [cell["id"] for cell in cells]
    assert len(cells) == 8 and len(set(ids)) == 8
    for kind in BREAKS:
        assert made[kind].note


def test_the_record_is_read_back_and_real_submissions_are_safe(bank_course):
    made = make(bank_course, 12)
    assert load_simulated(bank_course.root, NAME) == made
    real = bank_course.root / "submitted" / "real-person" / NAME / f"{NAME}.ipynb"
    real.parent.mkdir(parents=True)
    real.write_text("{}")
    smaller = make(bank_course, 2, seed=9)
    kept = {path.name for path in (bank_course.root / "submitted").iterdir()}
    assert kept == {"real-person", *(student.student for student in smaller)}
    taken = student_names(1, seed=77)[0]
    other = bank_course.root / "submitted" / taken / NAME / f"{NAME}.ipynb"
    other.parent.mkdir(parents=True)
    other.write_text("{}")
    with pytest.raises(NotebookError, match=f"submissions of {taken} that were not simulated"):
        make(bank_course, 1, seed=77)
    assert other.read_text() == "{}"


def test_without_a_release_it_says_what_to_run(bank_course):
    (bank_course.root / "release" / NAME / f"{NAME}.ipynb").unlink()
    with pytest.raises(NotebookError, match="coursework build 01"):
        make(bank_course)


def test_names_are_unique_in_a_class_of_any_size():
    names = student_names(1500, seed=1)
    assert len(set(names)) == 1500
