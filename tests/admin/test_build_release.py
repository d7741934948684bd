"""source → release through nbgrader: stubs, one gradebook, no stale state, the same bytes twice."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from nbgrader.preprocessors import LockCells
from nbgrader.utils import compute_checksum, determine_grade

from course_admin.build import BuildError, build_release, build_source
from course_admin.build_release import course_config, tools_on_path


def gradebook(course):
    return Gradebook(f"sqlite:///{course.root / 'gradebook.db'}")


def cell_of(path, name):
    return next(cell for cell in nbformat.read(path, as_version=4).cells if cell.id == name)


def test_a_release_shows_stubs_and_visible_checks_only(built):
    cells = {cell.id: cell for cell in nbformat.read(built.release, as_version=4).cells}
    assert cells["count"].source == "total = ...  # how many parameters"
    assert 'raise NotImplementedError("Exercise double: Double a number")' in cells["double"].source
    assert cells["counter"].source.count("NotImplementedError") == 3
    assert "an array" not in cells["double-test"].source and "three" in cells["double-test"].source
    assert cells["why"].source.rstrip().endswith("*Your answer here.*") and "Rubric" in cells["why"].source
    assert cells["setup"].metadata.editable is False and cells["double-test"].metadata.deletable is False
    assert nbformat.read(built.release, as_version=4).metadata.course == {"notebook": "01_tiny"}


def test_the_same_bytes_twice(built):
    first = built.release.read_bytes()
    build_release(built.root, "01")
    assert built.release.read_bytes() == first
    assert not list((built.root / "build").iterdir())


def test_the_gradebook_knows_the_cells(built):
    with gradebook(built) as book:
        notebook = book.find_notebook("01_tiny", "01_tiny")
        points = {cell.name: cell.max_score for cell in notebook.grade_cells}
        assert points == {"tasks-test": 2, "count-test": 1, "double-test": 3, "counter-test": 2, "why": 2}
        stored = {cell.name: cell.source for cell in notebook.source_cells}
    assert "BEGIN HIDDEN TESTS" in stored["double-test"]  # put back before grading
    assert "mark" not in stored["why"].lower() and "serves every step" not in stored["why"]


def test_a_blank_written_answer_is_known_for_one(built):
    """The gradebook's checksum is that of the stub, so nobody has to mark a blank by hand."""
    cell = cell_of(built.release, "why")
    with gradebook(built) as book:
        stored = book.find_source_cell("why", "01_tiny", "01_tiny").checksum
    assert stored == compute_checksum(cell) == cell.metadata.nbgrader.checksum
    assert determine_grade(cell) == (0, 2)


def test_a_change_reaches_release_and_gradebook(built):
    built.change('"zero", points=1', '"nought", points=1')
    built.change("You need about", "Plan for")
    build_source(built.root, "01")
    build_release(built.root, "01")
    assert "Plan for" in built.release.read_text()
    with gradebook(built) as book:
        assert '"nought"' in book.find_source_cell("double-test", "01_tiny", "01_tiny").source


def drop_count(course):
    """Take the question `count` away, in manuscript and syllabus."""
    text = course.manuscript.read_text()
    start, end = (
        text.index('# %% role="answer" grade_id="count"'),
        text.index('# %% role="answer" grade_id="double"'),
    )
    course.manuscript.write_text(text[:start] + text[end:])
    syllabus = (course.root / "syllabus.toml").read_text()
    start = syllabus.index('[[question]]\nid = "count"')
    end = syllabus.index('[[question]]\nid = "double"')
    (course.root / "syllabus.toml").write_text(syllabus[:start] + syllabus[end:])
    build_source(course.root, "01")


def test_a_question_that_is_gone_leaves_the_gradebook(built):
    drop_count(built)
    build_release(built.root, "01")
    with gradebook(built) as book:
        assert "count-test" not in [
            cell.name for cell in book.find_notebook("01_tiny", "01_tiny").grade_cells
        ]


def submit(course):
    with gradebook(course) as book:
        book.add_student("ada")
        book.add_submission("01_tiny", "ada")
        submission = book.find_submission("01_tiny", "ada")
        assert submission.notebooks


def test_with_submissions_text_and_points_change_but_no_cell_may_go(built):
    submit(built)
    built.change('"zero", points=1', '"nought", points=1')
    build_source(built.root, "01")
    build_release(built.root, "01")
    before = built.release.read_bytes()
    drop_count(built)
    with pytest.raises(
        BuildError, match=r"01_tiny: the gradebook holds submissions.*nbgrader db assignment remove"
    ):
        build_release(built.root, "01")
    assert built.release.read_bytes() == before
    with gradebook(built) as book:
        assert "count-test" in [cell.name for cell in book.find_notebook("01_tiny", "01_tiny").grade_cells]


def test_nothing_to_release_before_the_source_is_built(course):
    with pytest.raises(BuildError, match=r"source/01_tiny/01_tiny\.ipynb not found; build the source first"):
        build_release(course.root, "01")


def test_what_nbgrader_refuses_is_said_in_a_line(built):
    text = built.source.read_text().replace('"schema_version": 3', '"schema_version": 2', 1)
    built.source.write_text(text)
    with pytest.raises(BuildError, match=r"generate_assignment failed: .+") as caught:
        build_release(built.root, "01")
    assert len(caught.value.problems) == 1 and "\n" not in caught.value.problems[0]


def test_alembic_is_found_whatever_the_path(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with tools_on_path():
        assert subprocess.run(["alembic", "--version"], capture_output=True).returncode == 0
    assert os.environ["PATH"] == "/nowhere"


def test_a_courses_own_settings_count(built):
    (built.root / "nbgrader_config.py").write_text(
        "c = get_config()\n"
        'c.CourseDirectory.db_url = "sqlite:///" + __file__.replace("nbgrader_config.py", "other.db")\n'
        "c.LockCells.lock_all_cells = True\n"
    )
    config = course_config(built.root)
    assert config.LockCells.lock_all_cells and LockCells(config=config).lock_all_cells
    build_release(built.root, "01")
    assert (built.root / "other.db").exists()
    assert cell_of(built.release, "text-08c22873").metadata.editable is False


SETTINGS = """\
from course_admin.build_release import configure_release

c = get_config()
configure_release(c)
"""


@pytest.mark.parametrize("leak", [False, True])
def test_nbgraders_own_command_line_builds_the_same_and_refuses_leaks(built, leak):
    (built.root / "nbgrader_config.py").write_text(SETTINGS)
    first = built.release.read_bytes()
    if leak:
        built.change("        student.total  # noqa: B018\n", "        assert student.total == 8192\n")
        build_source(built.root, "01")
    nbgrader = Path(sys.executable).with_name("nbgrader")
    run = subprocess.run(
        [nbgrader, "generate_assignment", "01_tiny", "--force"],
        cwd=built.root,
        capture_output=True,
        text=True,
    )
    assert (run.returncode != 0) == leak, run.stderr
    if leak:
        assert "compared with its right value" in run.stderr and not built.release.exists()
    else:
        assert built.release.read_bytes() == first
