"""A course small enough to grade in seconds: a choice, two coding questions, an experiment and a written answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

NAME = "01_tiny"
MARKER = "zqx-hidden-test-text"  # stands in a hidden test; must never be found where students look
SCHEME = "zqx-mark-scheme-text"
POINTS = {"tasks-test": 1.0, "scale-test": 3.0, "step-test": 3.0, "why": 2.0}

SETUP = "import numpy as np\nimport torch\nfrom torch import nn"

ANSWERS = {
    "tasks": 'review = "many-to-one"  # which arrangement reads a review and rates it',
    "scale": "def scale(x, k):\n    return np.asarray(x) * k",
    "step": "def step(x, h, w, u):\n    return torch.tanh(x @ w + h @ u)",
    "why": "One set of weights serves every time step.",
}

STUBS = {
    "tasks": "review = ...  # which arrangement reads a review and rates it",
    "scale": 'def scale(x, k):\n    raise NotImplementedError("Exercise scale: multiply")',
    "step": 'def step(x, h, w, u):\n    raise NotImplementedError("Exercise step: one step")',
    "why": "*Your answer here.*",
}

EXPERIMENT = (
    "from course_utils.checking import record\n\n"
    "def study():\n    return [{'k': 1, 'error': 0.5}]\n\n"
    "record('study', study())\nopen('/tmp/experiment-ran', 'w').close()"
)

TASKS_TEST = """\
from course_utils.checking import checking, expect_choice, student

OPTIONS = ["one-to-many", "many-to-one", "many-to-many"]
with checking("tasks") as check:
    with check.part("is one of the three"):
        expect_choice(student.review, OPTIONS, OPTIONS, what="review") if student.review not in OPTIONS else None
    ### BEGIN HIDDEN TESTS
    with check.part("the right one", points=1):
        expect_choice(student.review, "many-to-one", OPTIONS, what="review")
    ### END HIDDEN TESTS"""

SCALE_TEST = """\
from course_utils.checking import checking, expect_close, student

with checking("scale") as check:
    with check.part("twice three"):
        expect_close(student.scale(3.0, 2), 6.0, what="scale(3, 2)")
    ### BEGIN HIDDEN TESTS
    secret = "@MARKER@"
    with check.part("an array", points=2):
        expect_close(student.scale([1.5, -2.0], 3), [4.5, -6.0], what="scale of an array",
                     suspects={"k is added, not multiplied": [4.5, 1.0]})
    with check.part("zero", points=1):
        expect_close(student.scale([0.0, 7.25], 0), [0.0, 0.0], what="scale by zero")
    ### END HIDDEN TESTS""".replace("@MARKER@", MARKER)

STEP_TEST = """\
import torch
from course_utils.checking import checking, expect_close, forbid, student

with checking("step") as check:
    with check.part("zeros stay zero"):
        zeros, ones = torch.zeros(1, 2), torch.eye(2)
        expect_close(student.step(zeros, zeros, ones, ones), zeros, what="step(0, 0)")
    ### BEGIN HIDDEN TESTS
    x, h, w, u = (torch.linspace(-1, 1, 4).reshape(2, 2) * factor for factor in (1.0, 0.5, -0.3, 2.0))
    with check.part("one step", points=2):
        with student.without("rnn"):
            got = student.step(x, h, w, u)
        forbid("step", "torch.nn.RNN*", why="write the step yourself")
        expect_close(got, torch.tanh(x @ w + h @ u), what="one step", suspects={"the tanh is missing": x @ w + h @ u})
    with check.part("gradient", points=1):
        with student.without("rnn"):
            g = student.backward(student.step, x, h, w, u)
        forbid("step", "torch.nn.RNN*", why="write the step yourself")
        v = torch.tanh(x @ w + h @ u)
        expect_close(g.inputs[0], (1 - v**2) @ w.T, what="gradient of x")
    ### END HIDDEN TESTS"""

WRITTEN = "**Why are weights shared?** Rubric: one set of weights (2).\n\n"


def grader(
    grade_id: str, kind: str, *, grade: bool, solution: bool, points: float | None = None
) -> dict[str, Any]:
    """nbgrader's metadata for one cell."""
    note: dict[str, Any] = {
        "cell_type": kind,
        "grade": grade,
        "grade_id": grade_id,
        "locked": not solution,
        "schema_version": 3,
        "solution": solution,
        "task": False,
    }
    return {"nbgrader": note | ({} if points is None else {"points": points})}


def source_notebook() -> Any:
    """The instructor's notebook."""
    cells = [
        new_markdown_cell("# Tiny", id="title"),
        new_code_cell(SETUP, id="setup", metadata=grader("setup", "code", grade=False, solution=False)),
    ]
    for name, test in (("tasks", TASKS_TEST), ("scale", SCALE_TEST), ("step", STEP_TEST)):
        answer = _answer_source(name)
        metadata = grader(name, "code", grade=False, solution=True)
        metadata["course"] = {"kind": "choice" if name == "tasks" else "code", "title": name}
        cells.append(new_code_cell(answer, id=name, metadata=metadata))
        test_id = f"{name}-test"
        note = grader(test_id, "code", grade=True, solution=False, points=POINTS[test_id])
        cells.append(new_code_cell(test, id=test_id, metadata=note))
    cells.append(new_code_cell(EXPERIMENT, id="study", metadata={"tags": ["experiment"]}))
    written = (
        f"{WRITTEN}### BEGIN SOLUTION\n{ANSWERS['why']}\n### END SOLUTION\n\n"
        f"### BEGIN MARK SCHEME\n{SCHEME}\n### END MARK SCHEME"
    )
    cells.append(
        new_markdown_cell(
            written, id="why", metadata=grader("why", "markdown", grade=True, solution=True, points=2)
        )
    )
    cells.append(new_code_cell("print('seen', review)", id="show", metadata={"tags": ["show"]}))
    metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return new_notebook(cells=cells, metadata=metadata)


def _answer_source(name: str) -> str:
    return f"### BEGIN SOLUTION\n{ANSWERS[name]}\n### END SOLUTION"


class Tiny:
    """The course in a folder: source and release built, a gradebook, submissions on request."""

    name = NAME

    def __init__(self, root: Path, config: str) -> None:
        self.root = root
        self.release = root / "release" / NAME / f"{NAME}.ipynb"
        source = root / "source" / NAME / f"{NAME}.ipynb"
        source.parent.mkdir(parents=True)
        nbformat.write(source_notebook(), source)
        self.source = source
        (root / "nbgrader_config.py").write_text(config)

    def generate(self) -> None:
        """nbgrader's generate_assignment, with stubs of our own so that this stands on nothing but nbgrader."""
        from nbgrader.apps import NbGraderAPI
        from traitlets.config import Config

        from course_admin.build_release import tools_on_path

        config = Config()
        config.CourseDirectory.root = str(self.root)
        config.GenerateAssignment.preprocessors = release_steps()
        config.ClearMarkScheme.enforce_metadata = False
        with tools_on_path():
            outcome = NbGraderAPI(config=config).generate_assignment(NAME)
        if not outcome["success"]:
            raise RuntimeError(outcome["log"])

    def submission(self, **answers: str) -> dict:
        """A student's notebook, as JSON data: the release with the given cells' text (ids with `_` for `-`)."""
        notebook = json.loads(self.release.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            text = answers.get(cell["id"].replace("-", "_"))
            if text is not None:
                cell["source"] = WRITTEN + text if cell["id"] == "why" else text
        return notebook

    def right(self, **answers: str) -> dict:
        """A submission that is right except for the given cells."""
        return self.submission(**{**ANSWERS, **answers})

    def folder(self, student: str) -> Path:
        return self.root / "submitted" / student / NAME

    def submit(self, student: str, notebook: dict | bytes) -> Path:
        """Hand in a notebook, or whatever bytes."""
        folder = self.folder(student)
        folder.mkdir(parents=True, exist_ok=True)
        raw = notebook if isinstance(notebook, bytes) else json.dumps(notebook).encode()
        path = folder / f"{NAME}.ipynb"
        path.write_bytes(raw)
        return path

    def graded(self, student: str) -> dict:
        """The autograded notebook."""
        path = self.root / "autograded" / student / NAME / f"{NAME}.ipynb"
        return json.loads(path.read_text(encoding="utf-8"))


OURS = """\
from course_admin.grading.config import configure_grading

c = get_config()
configure_grading(c)
c.SandboxedExecute.limits = {limits!r}
"""
STOCK = "c = get_config()\n"


def release_steps() -> list[Any]:
    """nbgrader's steps, with the stubs above; mark schemes are cut before the gradebook stores a cell."""
    from nbgrader import preprocessors as steps

    class Stubs(steps.NbGraderPreprocessor):
        def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
            for cell in nb.cells:
                cell.metadata.pop("course", None)
                if cell.id in STUBS:
                    cell.source = (WRITTEN if cell.id == "why" else "") + STUBS[cell.id]
            return nb, resources

    return [
        steps.LockCells,
        Stubs,
        steps.ClearMarkScheme,
        steps.ClearOutput,
        steps.CheckCellMetadata,
        steps.ComputeChecksums,
        steps.SaveCells,
        steps.ClearHiddenTests,
        steps.ComputeChecksums,
        steps.CheckCellMetadata,
    ]
