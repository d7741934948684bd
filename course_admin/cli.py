"""`coursework`: what an instructor and an author type."""

from __future__ import annotations

import gc
import json
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

app = typer.Typer(
    help="Build, release and grade the notebooks of the course.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
)
bank_app = typer.Typer(help="The bank of right and wrong answers.", no_args_is_help=True)
app.add_typer(bank_app, name="bank")
console = Console(
    width=None if sys.stdout.isatty() else 140
)  # tables in a log are as wide as in a wide window
problems = Console(stderr=True)

Root = Annotated[
    Path, typer.Option("--root", help="Course folder.", envvar="COURSEWORK_ROOT", show_default="this folder")
]
Sections = Annotated[
    list[str] | None, typer.Argument(help="Sections, such as 01. All if none is given.", show_default=False)
]
Section = Annotated[str, typer.Argument(help="A section, such as 01.", show_default=False)]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Write the figures to this file as well.")]
HERE = Path(".")


class Stop(typer.Exit):
    """End with a message on standard error and an exit code that scripts can trust."""

    def __init__(self, message: str, code: int = 1):
        problems.print(f"[bold red]✗[/] {message}", highlight=False)
        super().__init__(code)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Print what is done and how long it took."""
    started = time.monotonic()
    console.print(f"[bold]{title}[/] …", highlight=False)
    yield
    console.print(f"  [green]✓[/] {title} [dim]({time.monotonic() - started:.1f} s)[/]", highlight=False)


def course(root: Path) -> Any:
    """The syllabus of the course folder, or stop and say how to get there."""
    from course_admin.syllabus import SyllabusError, load_syllabus

    file = root / "syllabus.toml"
    if not file.exists():
        raise Stop(
            f"{root.resolve().name}/ holds no syllabus.toml. Go to the course folder, or give it with --root.",
            2,
        )
    try:
        return load_syllabus(file)
    except SyllabusError as error:
        raise Stop(escape(f"syllabus.toml: {error}"), 2) from None


def notebooks(root: Path, sections: list[str] | None) -> list[str]:
    """Full names of the sections asked for; all that have a manuscript if none is."""
    syllabus = course(root)
    written = sorted(path.stem for path in (root / "manuscript").glob("[0-9][0-9]_*.py"))
    if not sections:
        return written
    names = []
    for section in sections:
        matches = [
            book.name
            for book in syllabus.notebooks
            if book.name == section or book.name.startswith(f"{section}_")
        ]
        if not matches:
            known = ", ".join(book.name[:2] for book in syllabus.notebooks)
            raise Stop(f"there is no section {section!r}. Sections: {known}", 2)
        if matches[0] not in written:
            raise Stop(f"section {section} is not written yet: manuscript/{matches[0]}.py does not exist", 2)
        names.append(matches[0])
    return names


@app.command()
def build(
    sections: Sections = None,
    root: Root = HERE,
    solutions: Annotated[
        bool, typer.Option("--solutions", help="Also execute the solution notebooks whose inputs changed.")
    ] = False,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Save a hand-edited source notebook as manuscript text.")
    ] = False,
    discard: Annotated[
        bool, typer.Option("--discard", help="Overwrite a hand-edited source notebook.")
    ] = False,
) -> None:
    """Build source/, release/ and, if asked, solutions/ from the manuscript.

    Example: [bold]coursework build 01 --solutions[/]
    """
    from course_admin.build import BuildError
    from course_admin.build import build as build_notebooks

    names = notebooks(root, sections)
    try:
        build_notebooks(
            root.resolve(), names, solutions=solutions, adopt=adopt, discard=discard, console=console
        )
    except BuildError as error:
        raise Stop(escape(str(error))) from None


@app.command()
def bundle(sections: Sections = None, root: Root = HERE) -> None:
    """Pack what students receive: notebook, course_utils and how to install, in build/bundle/.

    Example: [bold]coursework bundle 01[/]
    """
    from course_admin.build import BuildError
    from course_admin.bundle import bundle as pack

    for name in notebooks(root, sections):
        try:
            file = pack(root.resolve(), name)
        except BuildError as error:
            raise Stop(escape(str(error))) from None
        console.print(
            f"[green]✓[/] {file.relative_to(root.resolve())} ({file.stat().st_size / 1024:.0f} kB)",
            highlight=False,
        )


@app.command()
def coverage(
    root: Root = HERE,
    json_file: JsonFile = None,
    strict: Annotated[bool, typer.Option("--strict", help="Fail if any item is missing.")] = False,
) -> None:
    """Which items of the five texts are covered, by which question, and how it is graded.

    Example: [bold]coursework coverage --strict[/]
    """
    from course_admin.coverage import print_coverage

    raise typer.Exit(
        print_coverage(course(root), root / "source", json_file=json_file, strict=strict, console=console)
    )


@bank_app.command("check")
def bank_check(
    sections: Sections = None,
    root: Root = HERE,
    exercise: Annotated[str | None, typer.Option("--exercise", help="Only this question.")] = None,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Through the sandboxed kernel, as in grading.")
    ] = False,
    jobs: Annotated[int, typer.Option("--jobs", "-j", help="Answers at a time.", min=1)] = 2,
    json_file: JsonFile = None,
) -> None:
    """Prove that the hidden tests accept every right answer and reject every wrong one.

    Example: [bold]coursework bank check 01 --exercise rnn-cell[/]
    """
    from course_admin.bank.check import check_bank

    worst = 0
    for name in notebooks(root, sections):
        code = check_bank(
            root.resolve(),
            name,
            exercise=exercise,
            sandbox=sandbox,
            jobs=jobs,
            json_file=json_file,
            console=console,
        )
        worst = max(worst, code)
    raise typer.Exit(worst)


@app.command()
def simulate(
    section: Section,
    root: Root = HERE,
    students: Annotated[int, typer.Option("--students", "-n", help="Size of the class.", min=1)] = 12,
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same class.")] = 1,
) -> None:
    """Make a class from the bank: right, partial, wrong, blank and broken submissions, in submitted/.

    Example: [bold]coursework simulate 01 --students 30 --seed 7[/]
    """
    from course_admin.bank.entries import BankError
    from course_admin.bank.notebook import NotebookError
    from course_admin.simulate import simulate as make_class

    (name,) = notebooks(root, [section])
    try:
        made = make_class(root.resolve(), name, students, seed, root.resolve() / "submitted")
    except (BankError, NotebookError) as error:
        raise Stop(escape(str(error))) from None
    console.print(f"[green]✓[/] {len(made)} submissions of {name} in submitted/", highlight=False)


@app.command()
def grade(
    sections: Annotated[list[str], typer.Argument(help="Sections, such as 01 03.", show_default=False)],
    root: Root = HERE,
    students: Annotated[
        str | None, typer.Option("--students", "-s", help="Only these students, separated by commas.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", help="Submissions at a time.", show_default="cores")
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option("--scheduler", help="A Dask scheduler whose workers grade, such as tcp://host:8786."),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Leave out submissions that have their mark already and would get it again."
        ),
    ] = False,
    unsafe: Annotated[bool, typer.Option("--unsafe", help="Run student code without a sandbox.")] = False,
    json_file: JsonFile = None,
) -> None:
    """Grade every submission of the sections in the sandbox and print the marks.

    Example: [bold]coursework grade 01 --jobs 2[/]
    """
    from course_admin.cli_grade import grade_section

    names = notebooks(root, sections)
    chosen = [name.strip() for name in students.split(",") if name.strip()] if students else None
    results = {
        name: grade_section(
            root.resolve(),
            name,
            chosen,
            jobs=jobs,
            scheduler=scheduler,
            resume=resume,
            unsafe=unsafe,
            console=console,
        )
        for name in names
    }
    if json_file:
        rows = {name: [vars(result) for result in graded] for name, graded in results.items()}
        json_file.write_text(
            json.dumps(rows if len(rows) > 1 else rows[names[0]], indent=1), encoding="utf-8"
        )
    raise typer.Exit(1 if any(result.error for graded in results.values() for result in graded) else 0)


@app.command()
def feedback(
    section: Section,
    root: Root = HERE,
    students: Annotated[
        list[str] | None, typer.Option("--student", "-s", help="Only these students.")
    ] = None,
) -> None:
    """Write feedback/STUDENT/…html: their notebook with marks and messages, without hidden tests.

    Example: [bold]coursework feedback 01[/]
    """
    from course_admin.grading.classroom import Course
    from course_admin.grading.classroom import feedback as write_feedback

    (name,) = notebooks(root, [section])
    klass = Course(root.resolve(), name)
    chosen = students or sorted(path.parent.name for path in (root / "autograded").glob(f"*/{name}"))
    if not chosen:
        raise Stop(f"nothing is graded yet; run: coursework grade {section}", 2)
    failed = write_feedback(klass, chosen)
    for student, why in failed.items():
        problems.print(f"[red]✗[/] {student}: {escape(why.strip().splitlines()[-1])}", highlight=False)
    console.print(
        f"[green]✓[/] feedback for {len(chosen) - len(failed)} of {len(chosen)} in feedback/", highlight=False
    )
    raise typer.Exit(1 if failed else 0)


@app.command()
def report(
    sections: Annotated[list[str], typer.Argument(help="Sections, such as 01 03.", show_default=False)],
    root: Root = HERE,
) -> None:
    """Write report/NN_name.html, for instructors: totals, what the class gets wrong and why, flags, students.

    Example: [bold]coursework report 01[/]
    """
    from course_admin.grading.classroom import Course
    from course_admin.report import NothingGraded, write_report

    missing = 0
    for name in notebooks(root, sections):
        try:
            file = write_report(Course(root.resolve(), name))
        except NothingGraded as error:
            problems.print(f"[bold red]✗[/] {escape(f'{name}: {error}')}", highlight=False)
            missing += 1
        else:
            console.print(f"[green]✓[/] {file.relative_to(root.resolve())}", highlight=False)
    raise typer.Exit(2 if missing else 0)


@app.command()
def doctor(root: Root = HERE) -> None:
    """Look at this machine: packages, sandbox, kernel, built notebooks; say what is missing and what to do.

    Example: [bold]coursework doctor[/]
    """
    from course_admin.doctor import examine

    bad = 0
    for finding in examine(root.resolve()):
        sign = "[green]✓[/]" if finding.fine else "[bold red]✗[/]"
        console.print(f"{sign} {finding.name:<22} {finding.seen}", highlight=False)
        if not finding.fine:
            bad += 1
            console.print(f"    → {finding.remedy}", highlight=False)
    console.print("[green]all is well[/]" if not bad else f"[bold red]{bad} to mend[/]")
    raise typer.Exit(1 if bad else 0)


def main() -> None:
    """Entry point of the `coursework` command."""
    gc.set_threshold(
        100_000, 20, 50
    )  # by default a third of a command's start goes into collecting no garbage
    # jsonschema would parse a grammar of international addresses (0.8 s); no notebook holds one.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    warnings.filterwarnings(
        "ignore", message="Object of type", category=Warning
    )  # nbgrader's own use of SQLAlchemy
    app()


if __name__ == "__main__":
    main()
