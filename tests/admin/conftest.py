"""A course small enough to build in a second: one question of each sort."""

import shutil
from pathlib import Path

import pytest

from course_admin.build_release import build_release
from course_admin.build_source import build_source

SYLLABUS = """\
[[text]]
name = "X"
title = "A text"
items = [{ name = "X 1", title = "Everything", notebooks = ["01"] }]

[[notebook]]
name = "01_tiny"
title = "A tiny notebook"

[[question]]
id = "tasks"
notebook = "01"
title = "Name two arrangements"
kind = "choice"
points = 2
minutes = 3
difficulty = 1
covers = ["X 1"]

[[question]]
id = "count"
notebook = "01"
title = "Count parameters"
kind = "number"
points = 1
minutes = 2
difficulty = 1
covers = ["X 1"]

[[question]]
id = "double"
notebook = "01"
title = "Double a number"
kind = "code"
points = 3
minutes = 5
difficulty = 1
covers = ["X 1"]

[[question]]
id = "counter"
notebook = "01"
title = "A counter with a \\"step\\""
kind = "project"
points = 2
minutes = 10
difficulty = 2
covers = ["X 1"]

[[question]]
id = "why"
notebook = "01"
title = "Say why weights are shared"
kind = "written"
points = 2
minutes = 4
difficulty = 2
covers = ["X 1"]
companion = "tasks"
"""

MANUSCRIPT = '''\
# %% [markdown]
# # A tiny notebook
#
# You need about {{minutes}} minutes.
#
# {{points}}

# %% role="setup" grade_id="setup"
import numpy as np

# %% [markdown]
# Which arrangement is each: `one-to-many`, `many-to-one` or `many-to-many`?

# %% role="answer" grade_id="tasks"
### BEGIN SOLUTION
# a review has many words and gets one label
task_review = "many-to-one"  # a) positive or negative "review" (#1)
task_caption = "one-to-many"  # b) a caption for a picture
### END SOLUTION

# %% role="test" grade_id="tasks-test" points=2
from course_utils.checking import checking, expect, expect_choice, student

options = ["one-to-many", "many-to-one", "many-to-many"]
with checking("tasks") as check:
    with check.part("both are choices"):
        expect(student.task_review in options and student.task_caption in options, f"choose among {options}")
    ### BEGIN HIDDEN TESTS
    for name, right in {"task_review": "many-to-one", "task_caption": "one-to-many"}.items():
        with check.part(f"the arrangement {name}", points=1):
            expect_choice(getattr(student, name), right, options, what=name)
    ### END HIDDEN TESTS

# %% role="answer" grade_id="count"
### BEGIN SOLUTION
total = 64 * 64 + 4096  # how many parameters
### END SOLUTION

# %% role="test" grade_id="count-test" points=1
from course_utils.checking import checking, expect_number, student

with checking("count") as check:
    with check.part("answered"):
        student.total  # noqa: B018
    ### BEGIN HIDDEN TESTS
    with check.part("one bias", points=1):
        expect_number(student.total, 8192, what="total")
    ### END HIDDEN TESTS

# %% role="answer" grade_id="double"
def double(x):
    """Twice `x`, an array of any shape."""
    ### BEGIN SOLUTION
    twice_as_much = np.asarray(x) + np.asarray(x)
    return twice_as_much
    ### END SOLUTION

# %% role="try"
double(3)

# %% role="test" grade_id="double-test" points=3
from course_utils.checking import checking, expect_close, student

with checking("double") as check:
    with check.part("three"):
        expect_close(student.double(3), 6, what="double(3)")
    ### BEGIN HIDDEN TESTS
    with check.part("an array", points=2):
        expect_close(student.double([1.5, -2.0]), [3.0, -4.0], what="double of an array")
    with check.part("zero", points=1):
        expect_close(student.double(0), 0, what="double(0)")
    ### END HIDDEN TESTS

# %% role="answer" grade_id="counter"
class Counter:
    """Counts up in steps."""

    def __init__(self, step=1):
        ### BEGIN SOLUTION
        self.step, self.value = step, 0
        ### END SOLUTION

    def tick(self):
        """One step up; returns the value."""
        if self.step is None:
            ### BEGIN SOLUTION
            raise ValueError("step is missing")
            ### END SOLUTION
        ### BEGIN SOLUTION
        self.value = self.value + self.step
        return self.value
        ### END SOLUTION

# %% role="test" grade_id="counter-test" points=2
from course_utils.checking import checking, expect_number, student

with checking("counter") as check:
    with check.part("starts at its step"):
        expect_number(student.Counter(2).tick(), 2, what="the first tick")
    ### BEGIN HIDDEN TESTS
    with check.part("keeps its value", points=2):
        counter = student.Counter(3)
        counter.tick()
        expect_number(counter.tick(), 6, what="the second tick")
    ### END HIDDEN TESTS

# %% role="experiment"
print("seen", double(4))

# %% [markdown] role="written" grade_id="why" points=2
# **Why are weights shared?** Rubric: any length (1), fewer parameters (1).
#
# ### BEGIN SOLUTION
# One set of weights serves every step, whatever the length.
# ### END SOLUTION
#
# ### BEGIN MARK SCHEME
# Half a point for translation in time.
# ### END MARK SCHEME

# %% role="scoreboard"
from course_utils.checking import scoreboard

scoreboard.show({{questions}})
'''


class Course:
    """A course in a temporary folder, with paths to its files; `change` edits one of them."""

    name = "01_tiny"

    def __init__(self, root: Path) -> None:
        self.root = root
        self.manuscript = root / "manuscript" / f"{self.name}.py"
        self.source = root / "source" / self.name / f"{self.name}.ipynb"
        self.release = root / "release" / self.name / f"{self.name}.ipynb"
        self.solutions = root / "solutions" / self.name / f"{self.name}.ipynb"
        if not self.manuscript.exists():
            self.manuscript.parent.mkdir(parents=True)
            self.manuscript.write_text(MANUSCRIPT)
            (root / "syllabus.toml").write_text(SYLLABUS)

    def change(self, old: str, new: str, *, file: str = "") -> int:
        """Replace text that stands there once; the line it stood in comes back."""
        path = self.root / file if file else self.manuscript
        text = path.read_text()
        assert text.count(old) == 1, f"{text.count(old)} times: {old!r}"
        path.write_text(text.replace(old, new))
        return text[: text.index(old)].count("\n") + 1


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return Course(tmp_path)


@pytest.fixture(scope="session")
def _built_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Source, release and gradebook of the tiny course: a course's first gradebook takes seconds to make."""
    course = Course(tmp_path_factory.mktemp("built") / "course")
    build_source(course.root, "01")
    build_release(course.root, "01")
    return course.root


@pytest.fixture
def built(_built_once: Path, tmp_path: Path) -> Course:
    """A copy of the tiny course with its source and release built."""
    return Course(shutil.copytree(_built_once, tmp_path / "course"))
