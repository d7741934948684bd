"""nbgrader's own command line, configured by `configure_grading`: autograde and feedback, as an instructor runs them."""

import os
import re
import subprocess
import sysconfig
from pathlib import Path

import pytest

from course_admin.grading.preprocessors import STYLE, without_hidden
from tests.grading import tiny

SCRIPTS = Path(sysconfig.get_path("scripts"))


def nbgrader(course, *arguments, **environment):
    path = f"{SCRIPTS}:{os.environ['PATH']}"
    return subprocess.run(
        [str(SCRIPTS / "nbgrader"), *arguments],
        cwd=course.root,
        env={**os.environ, "PATH": path, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )


def marks(course, student):
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as gradebook:
        notebook = gradebook.find_submission_notebook(tiny.NAME, tiny.NAME, student)
        return {grade.name: (grade.auto_score, grade.needs_manual_grade) for grade in notebook.grades}


@pytest.mark.sandbox
@pytest.mark.slow
def test_autograde_and_feedback_by_the_command_line(course):
    course.submit("ann", course.right(why="One set of weights <script>alert('zqx-script')</script>"))
    course.submit("bob", course.submission())
    course.submit("cas", b"not a notebook")
    display = (
        "from IPython.display import HTML, display\ndisplay(HTML(\"<script>alert('zqx-script')</script>\"))"
    )
    course.submit("dan", course.right(scale=f"{display}\ndef scale(x, k):\n    return np.asarray(x) + k"))
    done = nbgrader(course, "autograde", tiny.NAME)
    assert done.returncode == 0, done.stderr[-2000:]

    assert marks(course, "ann") == {
        "tasks-test": (1.0, False),
        "scale-test": (3.0, False),
        "step-test": (3.0, False),
        "why": (None, True),
    }
    assert marks(course, "bob") == {name: (0.0, False) for name in tiny.POINTS}
    assert marks(course, "cas") == {name: (0.0, False) for name in tiny.POINTS}
    assert marks(course, "dan")["scale-test"] == (0.0, False) and marks(course, "dan")["step-test"] == (
        3.0,
        False,
    )
    notes = course.graded("cas")["metadata"]["course"]
    assert "is not JSON" in notes["flags"][0] and notes["sandbox"] is True
    blank = [
        v for v in course.graded("bob")["metadata"]["course"]["verdicts"] if v["grade_id"] == "scale-test"
    ]
    assert blank[0]["outcome"] == "unanswered" and "Exercise scale" in blank[0]["message"]

    done = nbgrader(course, "generate_feedback", tiny.NAME)
    assert done.returncode == 0, done.stderr[-2000:]
    pages = {
        p.parent.parent.name: p.read_text(encoding="utf-8") for p in course.root.glob("feedback/*/*/*.html")
    }
    assert pages.keys() == {"ann", "bob", "cas", "dan"}
    for page in pages.values():
        assert tiny.MARKER not in page and tiny.SCHEME not in page and "HIDDEN TESTS" not in page
        assert not re.search(r"<script[^>]*>[^<]*zqx-script", page)
        assert "suspects=" not in page
        assert STYLE in page and ".highlight" in page
    assert "k is added, not multiplied" in pages["dan"]


def test_without_bubblewrap_autograde_refuses_and_says_why(course, tmp_path):
    course.submit("ann", course.right())
    hidden = tmp_path / "bin"
    hidden.mkdir()
    done = nbgrader(course, "autograde", tiny.NAME, PATH=f"{SCRIPTS}:{hidden}")
    assert done.returncode != 0 and "apt install bubblewrap" in done.stderr + done.stdout
    assert not (course.root / "autograded" / "ann" / tiny.NAME / f"{tiny.NAME}.ipynb").exists()


@pytest.mark.slow
def test_unsafe_is_said_in_the_result(course, tmp_path):
    course.submit("ann", course.right())
    (tmp_path / "bin").mkdir()
    done = nbgrader(
        course, "autograde", tiny.NAME, PATH=f"{SCRIPTS}:{tmp_path / 'bin'}", COURSEWORK_UNSAFE="1"
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert course.graded("ann")["metadata"]["course"]["sandbox"] is False
    assert marks(course, "ann")["step-test"] == (3.0, False)


def test_hidden_regions_and_mark_schemes_are_cut():
    text = "a\n### BEGIN HIDDEN TESTS\nb\n### END HIDDEN TESTS\nc\n### BEGIN MARK SCHEME\nd\n### END MARK SCHEME\n"
    assert without_hidden(text) == "a\nc"
    assert without_hidden("a\n    ### BEGIN HIDDEN TESTS\nb") == "a"
