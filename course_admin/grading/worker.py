"""Grade one notebook: the trusted process. Takes bytes, returns bytes, touches no file of the course.

Student cells run in a sandboxed kernel; test cells run here, against handles to that kernel. The result is a pure function of the
notebook, the limits and the seed. `examiner.py` runs this in a fresh process for each submission.
"""

from __future__ import annotations

import ast
import contextlib
import io
import re
import time
import traceback
import types
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from course_admin.grading.limits import Limits
from course_admin.grading.outputs import error_output, stream_output, text_of
from course_admin.grading.session import StudentKernel
from course_admin.shipping import ANSWERS
from course_utils.checking.cells import imports_only, statements

SEED = 20_260_101


@dataclass
class Verdict:
    """How one test cell ended.

    Attributes:
        outcome: passed, partly, failed, unanswered or error (the test itself raised: the instructor must look).
        message: what the student reads.
    """

    grade_id: str
    points: float
    earned: float
    outcome: str
    message: str


@dataclass
class Job:
    """What a worker needs. `notebook` is reassembled: its test cells are the course's own, hidden parts included."""

    notebook: dict
    records: dict[str, Any] = field(default_factory=dict)
    limits: dict = field(default_factory=dict)
    unsafe: bool = False
    withheld: list[str] = field(default_factory=lambda: list(ANSWERS))
    seed: int = SEED

    def longest(self) -> float:
        """Seconds on the clock after which grading it has hung, whatever its limits allowed."""
        limits = Limits.from_dict(self.limits)
        cells = len(self.notebook["cells"])
        return 600 + cells * limits.wall_factor * max(limits.cell_cpu_s, limits.test_cpu_s)


@dataclass
class Result:
    """The executed notebook, a verdict per test cell, flags for the instructor, and what it took."""

    notebook: dict
    verdicts: list[Verdict]
    flags: list[str]
    seconds: float


def grade(job: Job) -> Result:
    """Run every cell in order: the student's in their kernel, the tests here."""
    started = time.monotonic()
    notebook = job.notebook
    verdicts: list[Verdict] = []
    kernel = StudentKernel(
        limits=Limits.from_dict(job.limits),
        unsafe=job.unsafe,
        withheld=tuple(job.withheld),
        kept_records=job.records,
    )
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    with kernel:
        for number, cell in enumerate(code):
            tags = cell["metadata"].get("tags", [])
            given = cell["metadata"].get("course", {}).get("given", False)
            if is_test(cell):
                kernel.begin_test()
                verdict, cell["outputs"] = run_test(cell, kernel, job.seed, kernel.flags)
                verdicts.append(verdict)
            elif "experiment" in tags:
                definitions = only_definitions(cell["source"])
                if definitions:
                    kernel.run_cell(definitions, given)
            elif given and "show" in tags and only_shows(cell["source"], code[number + 1 :]):
                continue  # a picture of the course's own: it stays as the student saw it
            elif given and "scoreboard" in tags:
                cell["outputs"] = [stream_output(score_lines(verdicts))]
            elif cell["source"].strip():
                cell["outputs"] = kernel.run_cell(cell["source"], given)
    return Result(notebook, verdicts, list(dict.fromkeys(kernel.flags)), time.monotonic() - started)


def foresee(notebook: dict) -> None:
    """Read and compile the cells that are the course's own: where this is done before the forks, each of them finds it done."""
    for cell in notebook["cells"]:
        source = text_of(cell["source"])
        if is_test(cell):
            with contextlib.suppress(SyntaxError):
                _compiled(source, cell["metadata"]["nbgrader"]["grade_id"])
            _words(source)
        elif cell["cell_type"] == "code" and cell["metadata"].get("course", {}).get("given", False):
            tags = cell["metadata"].get("tags", [])
            imports_only(source)
            _words(source)
            if "experiment" in tags:
                only_definitions(source)
            elif "show" in tags:
                _names_bound(source)


@lru_cache(maxsize=512)
def _compiled(source: str, grade_id: str) -> types.CodeType:
    return compile(source, f"<{grade_id}>", "exec")


def is_test(cell: dict) -> bool:
    """Whether a code cell is an autograded test of the course."""
    grader = cell["metadata"].get("nbgrader", {})
    return cell["cell_type"] == "code" and grader.get("grade", False) and not grader.get("solution", False)


@lru_cache(maxsize=256)
def only_definitions(code: str) -> str:
    """The imports, functions and classes of an experiment's cell: it is not re-run, but a helper in it still counts."""
    body = statements(code)
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
    return "\n\n".join(ast.unparse(node) for node in body if isinstance(node, kinds))


def only_shows(code: str, later: list[dict]) -> bool:
    """Whether no later cell mentions a name that this code binds."""
    names = _names_bound(code)
    return not any(names & _words(cell["source"]) for cell in later)


@lru_cache(maxsize=256)
def _names_bound(code: str) -> frozenset[str]:
    nodes = [node for statement in statements(code) for node in ast.walk(statement)]
    names = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    names |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    aliases = [
        alias for node in nodes if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names
    ]
    return frozenset(names | {(alias.asname or alias.name).partition(".")[0] for alias in aliases})


@lru_cache(maxsize=1024)
def _words(code: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", code))


def score_lines(verdicts: list[Verdict]) -> str:
    """What stands in the place of the scoreboard of visible checks when all is graded."""
    names = [verdict.grade_id.removesuffix("-test") for verdict in verdicts]
    width = max(map(len, names), default=0)
    lines = [
        f"{name:<{width}}  {v.earned:g} of {v.points:g}" for name, v in zip(names, verdicts, strict=True)
    ]
    earned, points = (sum(getattr(v, key) for v in verdicts) for key in ("earned", "points"))
    return "\n".join([*lines, "", f"graded by machine: {round(earned, 2):g} of {points:g} points", ""])


def run_test(cell: dict, link: Any, seed: int, flags: list[str]) -> tuple[Verdict, list[dict]]:
    """Run one test cell in this process, with `student` speaking through `link`.

    Returns:
        The verdict, and the outputs by which nbgrader knows it: a number for partial credit, an error for none.
    """
    from course_utils.checking import CheckFailed, NotAnswered, using
    from course_utils.checking.failures import wrapped
    from course_utils.checking.seeding import seed_all

    grader = cell["metadata"]["nbgrader"]
    grade_id, points = grader["grade_id"], float(grader["points"])
    seed_all(seed)
    printed = io.StringIO()
    namespace: dict[str, Any] = {"__name__": "__main__"}
    failure: CheckFailed | None = None
    try:
        code = _compiled(text_of(cell["source"]), grade_id)
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()), using(link):
            exec(code, namespace)
    except CheckFailed as error:
        failure = error
    except BaseException:
        flags.append(f"{grade_id}: the test itself failed; please look: {traceback.format_exc()[-1500:]}")
        message = "the check could not make sense of your answer; your instructor has been told"
        return Verdict(grade_id, points, 0.0, "error", message), [error_output("CheckError", message)]
    if failure is None:
        text = printed.getvalue()
        return Verdict(grade_id, points, points, "passed", text), [stream_output(text)] if text else []
    flags += [f"{grade_id}: {said}" for said in failure.noted]
    flags += [f"{grade_id}: the test itself stumbled; please look: {detail}" for detail in failure.broken]
    message = str(failure)
    earned = min(points, points * failure.earned / failure.total) if failure.total else 0.0
    if earned > 0:
        earned = round(earned, 4)
        number = {
            "output_type": "execute_result",
            "execution_count": None,
            "metadata": {},
            "data": {"text/plain": repr(earned)},
        }
        return Verdict(grade_id, points, earned, "partly", message), [
            stream_output("\n".join(wrapped(message)) + "\n"),
            number,
        ]
    kind = "NotAnswered" if isinstance(failure, NotAnswered) else "CheckFailed"
    outcome = "unanswered" if kind == "NotAnswered" else "failed"
    output = error_output(kind, message) | {"traceback": wrapped(message)}
    return Verdict(grade_id, points, 0.0, outcome, message), [output]
