"""Marks given by hand, and the answers they were given for."""

from __future__ import annotations

from nbgrader.api import Grade

from course_admin.grading.outputs import text_of


def set_mark(grade: Grade, auto_score: float | None, now: str | None, before: str | None) -> bool:
    """Set the machine's mark; whether a mark given by hand had to go, because it was given for another answer."""
    differs = auto_score != grade.auto_score
    drop = (
        before is not None
        and now != before
        and (grade.manual_score is not None or grade.extra_credit is not None)
    )
    if drop:
        grade.manual_score = grade.extra_credit = None
    grade.auto_score = auto_score
    if grade.manual_score is None:
        grade.needs_manual_grade = auto_score is None
    elif differs or before is None:
        grade.needs_manual_grade = True
    return drop


def answers(notebook: dict | None) -> dict[str, str]:
    """Grade id → text of each cell of a notebook that has one."""
    cells = (notebook or {}).get("cells", [])
    named = ((cell.get("metadata", {}).get("nbgrader", {}).get("grade_id"), cell) for cell in cells)
    return {name: text_of(cell.get("source")) for name, cell in named if name}


def answer_to(grade_id: str, known: dict[str, str] | None) -> str | None:
    """The answer that a grade is for: the cell itself, or for `x-test` the cell `x`."""
    if known is None:
        return None
    return known.get(grade_id.removesuffix("-test"), known.get(grade_id, ""))
