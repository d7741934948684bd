"""A class: marks in the gradebook, flags for the instructor, and no submission that stops or changes another's."""

import json

import pytest

from course_admin.grading.audit import Audit
from course_admin.grading.classroom import Course, feedback, grade_class
from course_admin.grading.examiner import close_examiners
from tests.grading import tiny
from tests.grading.conftest import LIMITS

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]


@pytest.fixture
def grade(course):
    def run(**options):
        return {
            g.student: g
            for g in grade_class(
                Course(course.root, tiny.NAME), options.pop("students"), limits=LIMITS, **options
            )
        }

    return run


def test_a_class_with_every_sort_of_submission(course, grade):
    course.submit("ann", course.right(why="One set of weights."))
    course.submit("bob", course.submission())
    course.submit("cas", b"{")
    course.submit("dan", course.right(scale="import os\nos._exit(1)"))
    (course.folder("eve")).mkdir(parents=True)
    (course.folder("eve") / f"{tiny.NAME}.ipynb").symlink_to(course.source)
    course.folder("fay").mkdir(parents=True)
    (course.folder("fay") / "01_tiny (1).ipynb").write_text(json.dumps(course.right()))
    course.folder("hal").mkdir(parents=True)
    for name in ("a.ipynb", "b.ipynb"):
        (course.folder("hal") / name).write_text(json.dumps(course.right()))
    course.submit("ivy", course.right())
    (course.folder("ivy") / "old.ipynb").write_text(json.dumps(course.submission()))
    course.folder("jon").mkdir(parents=True)
    odd = course.right()
    odd["cells"].append({"cell_type": "code", "source": "x", "metadata": {}, "outputs": 5})
    course.submit("gus", odd)
    found = Course(course.root, tiny.NAME).submitted()
    assert found == ["ann", "bob", "cas", "dan", "eve", "fay", "gus", "hal", "ivy", "jon"]
    done: list[str] = []
    graded = grade(students=found, on_done=lambda record: done.append(record.student))

    assert sorted(done) == found
    assert (graded["ann"].total, graded["ann"].to_mark, graded["ann"].flags) == (7.0, 1, [])
    assert (graded["bob"].total, graded["bob"].to_mark, graded["bob"].flags) == (0.0, 0, [])
    assert graded["cas"].total == 0 and "not JSON" in graded["cas"].flags[0]
    assert graded["dan"].total == 4 and any("killed its kernel" in flag for flag in graded["dan"].flags)
    assert graded["eve"].total == 0 and graded["eve"].flags
    (flag,) = graded["fay"].flags
    assert graded["fay"].total == 7 and "01_tiny (1).ipynb" in flag and not graded["fay"].error
    assert [path.name for path in course.folder("fay").iterdir()] == ["01_tiny (1).ipynb"]
    assert graded["hal"].total == 0 and "a.ipynb, b.ipynb): rename one" in graded["hal"].flags[0]
    assert graded["ivy"].total == 7 and "not used: old.ipynb" in graded["ivy"].flags[0]
    assert graded["jon"].total == 0 and "No such file" in graded["jon"].flags[0]
    assert course.graded("fay")["metadata"]["course"]["flags"] == [flag]
    assert {path.name for path in course.root.glob("autograded/*/*/*")} == {"01_tiny.ipynb"}
    assert graded["gus"].total == 7 and not graded["gus"].error
    assert tiny.ANSWERS["scale"] in "".join(json.loads(course.source.read_text())["cells"][4]["source"])

    again = grade(students=["ann", "dan"])  # the same marks, whatever was graded before
    for name in again:
        assert (again[name].scores, again[name].flags) == (graded[name].scores, graded[name].flags)


def test_manual_marks_survive_and_feedback_is_written(course, grade):
    from nbgrader.api import Gradebook

    course.submit("ann", course.right(why="One set of weights."))
    grade(students=["ann"])
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as gradebook:
        mark = gradebook.find_grade("why", tiny.NAME, tiny.NAME, "ann")
        mark.manual_score, mark.needs_manual_grade = 1.5, False
        gradebook.db.commit()
    assert grade(students=["ann"])["ann"].scores["why"] == 1.5
    assert feedback(Course(course.root, tiny.NAME), ["ann"]) == {}
    page = next(course.root.glob("feedback/ann/*/*.html")).read_text(encoding="utf-8")
    assert tiny.MARKER not in page and tiny.SCHEME not in page and "One set of weights" in page


def test_why_there_is_no_mark_stands_in_the_audit(course, grade):
    long = "x" * 140
    course.submit(long, course.submission())
    assert "rename the folder" in grade(students=[long])[long].error
    assert "rename the folder" in Audit(course.root).failures(tiny.NAME)[long]


def test_without_bubblewrap_nobody_gets_a_mark(course, grade, tmp_path, monkeypatch):
    course.submit("ann", course.right())
    close_examiners()  # those of other tests are inside already
    monkeypatch.setenv("PATH", str(tmp_path))
    try:
        said = grade(students=["ann"])["ann"].error
    except Exception as refusal:
        said = str(refusal)
    assert "apt install bubblewrap" in said
    assert not Course(course.root, tiny.NAME).autograded("ann").exists()


def test_a_course_that_is_not_built(tmp_path):
    with pytest.raises(FileNotFoundError, match="is not built"):
        grade_class(Course(tmp_path, tiny.NAME), [])
