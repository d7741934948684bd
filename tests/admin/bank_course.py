"""A course of one notebook with a bank, written as built files: what the bank and the simulator read."""

import json
from pathlib import Path

NAME = "01_tiny"
SYLLABUS = """
[[text]]
name = "T"
title = "A text"
items = [{ name = "T 1", title = "An item", notebooks = ["01"] }]
[[notebook]]
name = "01_tiny"
title = "Tiny"
"""
QUESTION = """
[[question]]
id = "{id}"
notebook = "01"
title = "A question"
kind = "{kind}"
points = {points}
minutes = 1
difficulty = 1
covers = ["T 1"]
"""
QUESTIONS = [("total", "number", 2), ("running-sum", "code", 4), ("why", "written", 2)]
TOTAL = """### BEGIN SOLUTION
total = 12  # parameters
### END SOLUTION"""
TOTAL_TEST = """from course_utils.checking import checking, expect_number, student

with checking("total") as check:
    ### BEGIN HIDDEN TESTS
    with check.part("total", points=2):
        expect_number(student.total, 12, what="total", suspects={"the bias is counted twice": 15})
    ### END HIDDEN TESTS"""
SUM = '''def running_sum(x):
    """Sums of the first 1, 2, … entries of `x`, (T,) → (T,)."""
    ### BEGIN SOLUTION
    sums = np.zeros(len(x))
    last = 0.0
    for t in range(len(x)):
        last = last + x[t]
        sums[t] = last
    return sums
    ### END SOLUTION'''
SUM_TEST = """import numpy as np
from course_utils.checking import checking, expect_close, student

with checking("running-sum") as check:
    with check.part("two ones"):
        expect_close(student.running_sum(np.ones(2)), [1, 2], what="running_sum([1, 1])", reveal=True)
    ### BEGIN HIDDEN TESTS
    x = np.array([2.0, -1.0, 3.0])
    with check.part("each sum", points=3):
        suspects = {"one sum for all": x.sum() * np.ones(3)}
        expect_close(student.running_sum(x), np.cumsum(x), what="sums", suspects=suspects)
    with check.part("no entry", points=1):
        expect_close(student.running_sum(np.zeros(0)), np.zeros(0), what="running_sum([])")
    ### END HIDDEN TESTS"""
WHY = """**Why?** One point a reason.

### BEGIN SOLUTION
The sums share their beginning. So each costs one addition. That is all.
### END SOLUTION

### BEGIN MARK SCHEME
Generous.
### END MARK SCHEME"""
RIGHT = """# why: in one call
def running_sum(x):
    return np.cumsum(x)
"""
WRONG = """# score: 0
# says: one sum for all
# why: the whole sum everywhere,
#      of whatever length
def running_sum(x):
    return np.full(3, np.sum(x)) if len(x) else np.zeros(1)
"""
ANSWERS = """
[[wrong]]
why = "forgets the last entry"
patch = [["range(len(x))", "range(len(x) - 1)"]]
score = 1
says = "entries differ"

[[right]]
why = "starts from an integer"
patch = [["last = 0.0", "last = 0"]]
"""
TOTAL_ANSWERS = """
[[wrong]]
why = "two biases"
code = "total = 15"
score = 0
says = "counted TWICE"

[[right]]
why = "as a product"
code = "total = 3 * 4"
"""


class BankCourse:
    """A course in a temporary folder; `cells` may be changed before `write`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.bank = root / "course_admin" / "bank" / NAME
        self.cells = {
            "total": TOTAL,
            "total-test": TOTAL_TEST,
            "running-sum": SUM,
            "running-sum-test": SUM_TEST,
        }
        self.setup = "import numpy as np\n\nprint('loud')"
        self.write()
        self.put("running-sum/right_library.py", RIGHT)
        self.put("running-sum/wrong_same.py", WRONG)
        self.put("running-sum/answers.toml", ANSWERS)
        self.put("total/answers.toml", TOTAL_ANSWERS)

    def put(self, path: str, text: str) -> None:
        """A file of the bank."""
        (self.bank / path).parent.mkdir(parents=True, exist_ok=True)
        (self.bank / path).write_text(text)

    def write(self) -> None:
        """Syllabus, source and release, as the build would write them."""
        entries = [QUESTION.format(id=i, kind=k, points=p) for i, k, p in QUESTIONS]
        entries[2] += 'companion = "total"\n'
        (self.root / "syllabus.toml").write_text(SYLLABUS + "".join(entries))
        points = {f"{i}-test" if k != "written" else i: p for i, k, p in QUESTIONS}
        texts = {"setup": self.setup, **self.cells, "why": WHY}
        stubs = {
            "total": "total = ...  # parameters",
            "running-sum": SUM.split("    ### BEGIN")[0]
            + '    raise NotImplementedError("Exercise running-sum")',
            "why": "**Why?** One point a reason.\n\n*Your answer here.*",
        }
        self._notebook("source", texts, points)
        self._notebook("release", {**texts, **stubs}, points)

    def _notebook(self, folder: str, texts: dict[str, str], points: dict[str, int]) -> None:
        cells = []
        for grade_id, text in texts.items():
            note = {
                "grade_id": grade_id,
                "grade": grade_id in points,
                "locked": grade_id not in ("total", "running-sum"),
            }
            note |= {"points": points[grade_id]} if grade_id in points else {}
            cell = {"id": grade_id, "metadata": {"nbgrader": note}, "source": text.splitlines(keepends=True)}
            code = {"cell_type": "code", "outputs": [], "execution_count": None}
            cells.append(cell | (code if grade_id != "why" else {"cell_type": "markdown"}))
        path = self.root / folder / NAME / f"{NAME}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
