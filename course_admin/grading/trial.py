"""One answer beside its test cell, through the sandboxed kernel: what `coursework bank check --sandbox` runs."""

from __future__ import annotations

from dataclasses import dataclass

from course_admin.grading.limits import Limits
from course_admin.grading.session import StudentKernel
from course_admin.grading.worker import SEED, run_test

KINDS = {
    "passed": "passed",
    "partly": "failed",
    "failed": "failed",
    "unanswered": "not-answered",
    "error": "test-error",
}


@dataclass(frozen=True)
class Trial:
    """How the test cell ended, in the terms of `course_admin.bank.runner.Outcome`."""

    score: float
    kind: str
    message: str


def run_in_sandbox(setup: str, candidate: str, test_source: str, points: float) -> Trial:
    """Run the setup cell and an answer in a new sandboxed kernel, and the test cell here.

    Args:
        points: what the test cell is worth.
    """
    cell = {
        "cell_type": "code",
        "source": test_source,
        "metadata": {"nbgrader": {"grade_id": "trial", "points": points, "grade": True, "solution": False}},
    }
    with StudentKernel(limits=Limits()) as kernel:
        kernel.run_cell(setup)
        kernel.run_cell(candidate)
        verdict, _ = run_test(cell, kernel, SEED, kernel.flags)
    detail = "\n".join(kernel.flags) if verdict.outcome == "error" else verdict.message
    return Trial(verdict.earned, KINDS[verdict.outcome], detail)
