"""`coursework grade`: what an instructor sees while a class is graded."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text


class Rate(ProgressColumn):
    """Submissions a minute."""

    def render(self, task: Task) -> Text:
        return Text(f"{60 * task.finished_speed if task.finished_speed else 60 * (task.speed or 0):.0f}/min")


def grade_section(
    root: Path,
    name: str,
    chosen: list[str] | None,
    *,
    jobs: int | None,
    scheduler: str | None,
    resume: bool,
    unsafe: bool,
    console: Console,
) -> list[Any]:
    """Grade one section with a bar, a line for each flagged submission, and a final table.

    Returns:
        A `Graded` for each submission.

    Raises:
        Stop: there is nothing to grade, or grading cannot go on; the message says what to do.
    """
    from course_admin.cli import Stop
    from course_admin.grading.audit import AlreadyGrading
    from course_admin.grading.classroom import Course, Graded, grade_class
    from course_admin.grading.cluster import SchedulerGone
    from course_admin.grading.sandbox import SandboxUnavailable, probe
    from course_admin.grading.submission import WrongVersion
    from course_admin.marks import print_marks, print_simulated

    course = Course(root, name)
    found = course.submitted()
    students = chosen or found
    unknown = sorted(set(students) - set(found))
    if unknown:
        raise Stop(f"no submission of {name} from {', '.join(unknown)}", 2)
    if not students:
        raise Stop(
            f"submitted/ holds no submission of {name}. Collect them there as submitted/STUDENT/{name}/{name}.ipynb",
            2,
        )
    started = time.monotonic()
    left_out = 0
    columns = (
        TextColumn("grading"), BarColumn(), MofNCompleteColumn(), Rate(), TimeElapsedColumn(), TimeRemainingColumn()
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True, speed_estimate_period=120) as progress:
        bar = progress.add_task("grading", total=len(students))

        def say(line: str) -> None:
            progress.console.print(line, highlight=False)

        def on_done(graded: Graded) -> None:
            nonlocal left_out
            progress.advance(bar)
            left_out += graded.resumed
            if graded.error:
                say(
                    f"[red]✗[/] {escape(graded.student)}: no mark: {escape(graded.error.strip().splitlines()[-1])}"
                )
            elif graded.flags and len(students) > 1 and not graded.resumed:
                say(f"[yellow]⚑[/] {escape(graded.student)}: {escape(graded.flags[0].splitlines()[0][:100])}")

        try:
            if not unsafe and scheduler is None:
                probe()
            results = grade_class(
                course,
                students,
                jobs=jobs,
                scheduler=scheduler,
                resume=resume,
                unsafe=unsafe,
                on_done=on_done,
                on_dashboard=lambda link: say(f"[dim]dashboard: {escape(link)}[/]"),
                on_trouble=lambda said: say(f"[yellow]…[/] {escape(said)}"),
            )
        except SandboxUnavailable as error:
            raise Stop(escape(str(error)), 3) from None
        except (FileNotFoundError, AlreadyGrading, SchedulerGone, WrongVersion, OSError) as error:
            raise Stop(escape(str(error))) from None
    seconds = time.monotonic() - started
    print_marks(console, name, results)
    print_simulated(console, root, name, results)
    done = len(results) - left_out
    kinds = Counter("no mark" if r.error else "flagged" if r.flags else "clean" for r in results)
    console.print(
        f"{done} submissions in {seconds:.1f} s ({seconds / max(1, done):.2f} s each)"
        + (f", {left_out} had their mark already" if left_out else "")
        + f": {', '.join(f'{count} {kind}' for kind, count in kinds.items())}. "
        f"Graded notebooks: autograded/; who got what: audit.jsonl; feedback: coursework feedback {name[:2]}",
        highlight=False,
    )
    return results
