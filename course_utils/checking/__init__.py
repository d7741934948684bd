"""Checks that a notebook runs: reach the student's work through `student`, compare with `expect_*`, report by parts.

The same lines run in a student's notebook and, when grading, in a process that the submission cannot reach (docs/seam.md).
"""

from course_utils.checking.expect import (
    as_array,
    chosen_of,
    describe,
    expect,
    expect_choice,
    expect_close,
    expect_number,
    expect_raises,
    expect_shape,
    expect_text,
    number_of,
)
from course_utils.checking.failures import (
    CheckFailed,
    NotAnswered,
    StudentCrash,
    StudentError,
    StudentGarbled,
    StudentTimeout,
)
from course_utils.checking.handles import Handle, InProcess, student, using
from course_utils.checking.records import record
from course_utils.checking.report import checking, scoreboard
from course_utils.checking.rules import forbid

__all__ = [
    "CheckFailed",
    "Handle",
    "InProcess",
    "NotAnswered",
    "StudentCrash",
    "StudentError",
    "StudentGarbled",
    "StudentTimeout",
    "as_array",
    "checking",
    "chosen_of",
    "describe",
    "expect",
    "expect_choice",
    "expect_close",
    "expect_number",
    "expect_raises",
    "expect_shape",
    "expect_text",
    "forbid",
    "number_of",
    "record",
    "scoreboard",
    "student",
    "using",
]
