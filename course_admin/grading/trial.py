"""One answer beside its test cell, graded as a submission would be: what `coursework bank check --sandbox` runs."""

from __future__ import annotations

from dataclasses import dataclass

from course_admin.grading.examiner import grade_in_process
from course_admin.grading.worker import Job

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
    """Grade a notebook of three cells in a process and a sandbox of its own.

    Args:
        points: what the test cell is worth.
    """
    grader = {"grade_id": "trial", "points": points, "grade": True, "solution": False}
    cells = [
        {"cell_type": "code", "source": setup, "metadata": {}},
        {"cell_type": "code", "source": candidate, "metadata": {}},
        {"cell_type": "code", "source": test_source, "metadata": {"nbgrader": grader}},
    ]
    result = grade_in_process(Job(notebook={"cells": cells}))
    (verdict,) = result.verdicts
    stumbled = verdict.outcome == "error" or any("the test itself" in flag for flag in result.flags)
    detail = "\n".join([verdict.message, *result.flags]) if stumbled else verdict.message
    return Trial(verdict.earned, "test-error" if stumbled else KINDS[verdict.outcome], detail)
