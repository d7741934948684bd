"""manuscript → source → release, solutions: the steps in order, with what they did and how long it took."""

import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from course_admin.build_paths import BuildError, NotebookPaths, locate
from course_admin.build_release import LeakError, build_release
from course_admin.build_solutions import LargeNotebook, build_solutions, solutions_state
from course_admin.build_source import SourceEdited, adopt_source, build_source
from course_admin.leaks import Leak, check_leaks

__all__ = [
    "BuildError",
    "Leak",
    "LeakError",
    "SourceEdited",
    "adopt_source",
    "build",
    "build_release",
    "build_solutions",
    "build_source",
    "check_leaks",
    "solutions_state",
]


def build(
    root: Path | str,
    notebooks: Sequence[str] = (),
    *,
    release: bool = True,
    solutions: bool = False,
    adopt: bool = False,
    discard: bool = False,
    console: Console | None = None,
) -> None:
    """Build notebooks, each as far as it goes, and print a line for each step.

    Args:
        root: the course's root.
        notebooks: numbers or names; all that have a manuscript when none is given.
        release, solutions: what to build besides the source.
        adopt: only write the source notebook, edited by hand, as text beside its manuscript.
        discard: overwrite a source notebook that was edited by hand.

    Raises:
        BuildError: what is wrong with all of them; the others are built.
    """
    root, console = Path(root).resolve(), console or Console()
    names = list(notebooks) or sorted(path.stem for path in (root / "manuscript").glob("[0-9][0-9]_*.py"))
    if not names:
        raise BuildError(
            "no manuscript found; write manuscript/NN_name.py first (docs/manuscript.md says how)"
        )
    problems: list[str] = []
    for name in names:
        steps: list[tuple[str, Callable[[], Path]]]
        if adopt:
            steps = [("adopted", partial(adopt_source, root, name))]
        else:
            steps = [("source", partial(build_source, root, name, discard=discard))]
            steps += [("release", partial(build_release, root, name))] * release
            steps += [("solutions", partial(build_solutions, root, name))] * solutions
        try:
            paths, _ = locate(root, name)
            for label, run in steps:
                _step(console, paths, label, run)
        except BuildError as error:
            problems.extend(error.problems)
    if problems:
        raise BuildError(*problems)


def _step(console: Console, paths: NotebookPaths, label: str, run: Callable[[], Path]) -> None:
    """Run one step; say which file it made, whether that changed, and the seconds it took."""
    target: Path = getattr(paths, label)
    before = target.read_bytes() if target.exists() else None
    started = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", LargeNotebook)
        try:
            made = run()
        except BuildError as error:
            count = f"{len(error.problems)} problem{'s' * (len(error.problems) != 1)}"
            console.print(f"[red]✗[/red] {escape(paths.name)}  {label:<9}  {count}", highlight=False)
            raise
    state = "unchanged" if made.read_bytes() == before else "written"
    seconds = time.perf_counter() - started
    line = f"[green]✓[/green] {escape(paths.name)}  {label:<9}  {state} [dim]{seconds:.1f} s[/dim]"
    console.print(f"{line}  {escape(paths.show(made))}", highlight=False, soft_wrap=True)
    for warning in caught:
        if issubclass(warning.category, LargeNotebook):
            console.print(
                f"[yellow]![/yellow] {escape(str(warning.message))}", highlight=False, soft_wrap=True
            )
        else:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
