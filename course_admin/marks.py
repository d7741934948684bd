"""The marks of a class as tables in a terminal: every score of a small class, the spread of a large one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, median

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from course_admin.grading.classroom import Graded

SMALL_CLASS = 40
NAME_WIDTH = 10


def print_marks(console: Console, name: str, results: Sequence[Graded]) -> None:
    """Print scores by question, totals and flags.

    Args:
        name: the notebook.
        results: one entry per submission, sorted by student.
    """
    if len(results) <= SMALL_CLASS:
        names = short_names([result.student for result in results])
        width = max([4, *map(len, names.values())]) + 3
        room = max(2, (console.width - 36) // width)
        for start in range(0, len(results), room):
            block = results[start : start + room]
            console.print(score_table(name, block, names))
    else:
        console.print(question_table(name, results))
        console.print(total_table(results))
    for result in results:
        for flag in result.flags:
            text = escape(f"{result.student}: {flag.splitlines()[0][:160]}")
            console.print(f"[yellow]⚑[/] {text}", highlight=False)


def print_simulated(console: Console, root: Path, name: str, results: Sequence[Graded]) -> None:
    """For a class made by `coursework simulate`: how many scores are what the bank says, and each that is not."""
    from course_admin.simulate import load_simulated

    known = {made.student: made for made in load_simulated(root, name)}
    same, different = 0, []
    for result in results:
        for question, expected in getattr(known.get(result.student), "scores", {}).items():
            got = result.scores.get(f"{question}-test", result.scores.get(question))
            if got == expected or (got is not None and expected is not None and abs(got - expected) < 1e-6):
                same += 1
            else:
                different.append(f"{result.student}: {question} got {got}, expected {expected}")
    if same or different:
        console.print(f"simulated class: {same} of {same + len(different)} scores are what the bank expects")
    for line in different:
        console.print(f"[red]✗[/] {escape(line)}", highlight=False)


def short_names(students: Sequence[str]) -> dict[str, str]:
    """Student → what stands in a column's head: the name without the words that all share, at most ten characters."""
    shared = os.path.commonprefix(list(students)) if len(students) > 1 else ""  # noqa: RUF071 (names, not paths)
    cut = len(shared.rstrip("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    return {student: student[cut:][:NAME_WIDTH] for student in students}


def score_table(name: str, results: Sequence[Graded], names: dict[str, str]) -> Table:
    """One row a question, one column a student."""
    points = _points(results)
    table = Table(title=f"Marks of {name}", title_justify="left", row_styles=["", "dim"], pad_edge=False)
    table.add_column("question")
    table.add_column("of", justify="right")
    for result in results:
        table.add_column(escape(names[result.student]), justify="right", no_wrap=True)
    for grade_id, most in points.items():
        cells = ["" if r.error else score_text(r.scores.get(grade_id), most) for r in results]
        table.add_row(grade_id.removesuffix("-test"), f"{most:g}", *cells)
    table.add_section()
    totals = ["[red]–[/]" if r.error else f"[bold]{r.total:g}[/]" for r in results]
    table.add_row("[bold]total[/]", f"{sum(points.values()):g}", *totals)
    table.add_row("to mark by hand", "", *[str(r.to_mark or "") for r in results])
    table.add_row("flags", "", *[str(len(r.flags) or "") for r in results])
    return table


def score_text(score: float | None, most: float) -> str:
    """A score: green when full, red when none, ? when a person has yet to mark."""
    if score is None:
        return "[yellow]?[/]"
    style = "green" if score >= most else "red" if score == 0 else "default"
    return f"[{style}]{score:g}[/]"


def question_table(name: str, results: Sequence[Graded]) -> Table:
    """How a large class did at each question."""
    table = Table(
        title=f"Marks of {name}: {len(results)} submissions", title_justify="left", row_styles=["", "dim"]
    )
    for column in ("question", "of", "mean", "full", "none", "to mark"):
        table.add_column(column, justify="left" if column == "question" else "right")
    for grade_id, most in _points(results).items():
        scores = [result.scores.get(grade_id) for result in results if not result.error]
        known = [score for score in scores if score is not None]
        table.add_row(
            grade_id.removesuffix("-test"),
            f"{most:g}",
            f"{mean(known):.2f}" if known else "",
            str(sum(score >= most for score in known)),
            str(sum(score == 0 for score in known)),
            str(scores.count(None) or ""),
        )
    return table


def total_table(results: Sequence[Graded]) -> Table:
    """Totals of a large class in one row: least, median, mean, most, and what needs a person."""
    totals = [result.total for result in results if not result.error] or [0.0]
    table = Table(title="Totals", title_justify="left")
    row = {
        "lowest": f"{min(totals):g}",
        "median": f"{median(totals):g}",
        "mean": f"{mean(totals):.1f}",
        "highest": f"{max(totals):g}",
        "flagged": str(sum(bool(result.flags) for result in results)),
        "no mark": str(sum(bool(result.error) for result in results)),
    }
    for column in row:
        table.add_column(column, justify="right")
    table.add_row(*row.values())
    return table


def _points(results: Sequence[Graded]) -> dict[str, float]:
    return {grade_id: result.points[grade_id] for result in results for grade_id in result.scores}
