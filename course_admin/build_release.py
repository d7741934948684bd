"""source → release, through nbgrader's own generate_assignment with our stubs in place of its own.

A first pass goes to a temporary folder and touches nothing else. Only when nothing leaks does a second one
write the gradebook, and then the release folder is exchanged whole.
"""

import os
import shutil
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ComputeChecksums,
    IncludeHeaderFooter,
    LockCells,
    NbGraderPreprocessor,
    SaveCells,
)
from nbgrader.utils import capture_log
from traitlets.config import Config, PyFileConfigLoader

from course_admin.build_paths import BuildError, NotebookPaths, locate
from course_admin.leaks import Leak, check_leaks, check_text, read_secrets
from course_admin.stubs import StubSolutions


class LeakError(BuildError):
    """A release would have held something secret; `leaks` names each."""

    def __init__(self, name: str, leaks: list[Leak]) -> None:
        self.leaks = tuple(leaks)
        super().__init__(*[f"release of {name} refused: {leak}" for leak in leaks])


class RefuseLeaks(NbGraderPreprocessor):
    """The last step of generate_assignment: nbgrader's CLI and the formgrader's button refuse leaks too."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        where = resources["metadata"]
        source = nbformat.read(Path(where["path"]) / f"{where['name']}.ipynb", as_version=4)
        leaks = check_leaks(source, nb)
        if leaks:
            raise LeakError(where["name"], leaks)
        return nb, resources


# nbgrader's own list with four changes: our stubs; mark schemes are cut before the gradebook stores a cell,
# so that a blank written answer is known for one and feedback cannot show them; no AUTOTEST; refusal last.
RELEASE_STEPS = [
    IncludeHeaderFooter,
    LockCells,
    StubSolutions,
    ClearMarkScheme,
    ClearOutput,
    CheckCellMetadata,
    ComputeChecksums,
    SaveCells,
    ClearHiddenTests,
    ComputeChecksums,
    CheckCellMetadata,
    RefuseLeaks,
]


def configure_release(config: Config) -> None:
    """What generate_assignment needs to know, for `nbgrader_config.py` and for `build_release`."""
    config.GenerateAssignment.preprocessors = list(RELEASE_STEPS)
    config.ClearMarkScheme.enforce_metadata = False  # ours stand in written answers, not in task cells


def course_config(root: Path) -> Config:
    """The course's `nbgrader_config.py` where it has one (another database, say), and our steps."""
    config = Config()
    if (root / "nbgrader_config.py").exists():
        config = PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()
    configure_release(config)
    config.CourseDirectory.root = str(root)
    return config


@contextmanager
def tools_on_path() -> Iterator[None]:
    """Let nbgrader find `alembic`, which it calls by name, in this Python's own folder of scripts."""
    before = os.environ.get("PATH")
    os.environ["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), *([before] if before else [])])
    try:
        yield
    finally:
        if before is None:
            del os.environ["PATH"]
        else:
            os.environ["PATH"] = before


def build_release(root: Path | str, notebook: str) -> Path:
    """Build the student's version of one source notebook and record its cells in the gradebook.

    Raises:
        LeakError: it would hold something secret. The old release and the gradebook are as they were.
        BuildError: nbgrader refused, for example because submissions hold on to cells that are gone.
    """
    paths, _ = locate(root, notebook)
    if not paths.source.exists():
        raise BuildError(f"{paths.show(paths.source)} not found; build the source first")
    (paths.root / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=paths.root / "build", prefix="release-") as scratch:
        trial = _generate(paths, Path(scratch) / "trial", record=False)
        leaks = release_leaks(paths, trial)
        if leaks:
            raise LeakError(paths.name, leaks)
        _exchange(_generate(paths, Path(scratch) / "final", record=True), paths.release.parent, Path(scratch))
    return paths.release


def release_leaks(paths: NotebookPaths, folder: Path) -> list[Leak]:
    """What a generated folder gives away: its notebook, and the texts that lie beside it."""
    source = nbformat.read(paths.source, as_version=4)
    leaks = check_leaks(source, nbformat.read(folder / f"{paths.name}.ipynb", as_version=4))
    secrets = read_secrets(source)
    for path in sorted(folder.rglob("*")):
        where = path.relative_to(folder).as_posix()
        if path.is_symlink():
            leaks.append(Leak("file", where, "a link; put the file itself beside the source notebook"))
        elif path.is_file() and where != f"{paths.name}.ipynb":
            if path.suffix == ".ipynb":
                leaks.append(Leak("file", where, "a second notebook; a release holds one"))
            leaks.extend(check_text(secrets, path.read_text(encoding="utf-8", errors="replace"), where))
    return leaks


def _generate(paths: NotebookPaths, folder: Path, *, record: bool) -> Path:
    """Run generate_assignment into `folder`, and the gradebook if `record`; returns the notebook's folder."""
    config = course_config(paths.root)
    coursedir = CourseDirectory(config=config)
    coursedir.assignment_id = paths.name
    coursedir.release_directory = str(folder)
    converter = GenerateAssignment(coursedir=coursedir, config=config)
    converter.force = True
    if not record:
        converter.no_database = True
        converter.preprocessors = [step for step in RELEASE_STEPS if step not in (SaveCells, RefuseLeaks)]
    with tools_on_path():
        result = capture_log(converter)
    if not result["success"]:
        raise BuildError(_reason(paths, result.get("log", ""), result.get("error", "")))
    return folder / paths.name


def _reason(paths: NotebookPaths, log: str, error: str) -> str:
    """One line from nbgrader's log."""
    if "Cannot add or remove cells" in log or "Cannot modify existing assignment" in log:
        return (
            f"{paths.name}: the gradebook holds submissions to it, so no graded cell can come or go. "
            f"Give the new version another name, or `nbgrader db assignment remove {paths.name} --force` to "
            "forget the submissions and their marks"
        )
    raised = [line for line in log.splitlines() if line and not line.startswith((" ", "[", "Traceback"))]
    last = raised[-1] if raised else (error.strip().splitlines() or ["nbgrader gave no reason"])[-1]
    return f"{paths.name}: nbgrader's generate_assignment failed: {last}"


def _exchange(new: Path, target: Path, scratch: Path) -> None:
    """Put `new` in the place of `target`; if that fails, `target` is what it was."""
    target.parent.mkdir(parents=True, exist_ok=True)
    old = scratch / "old"
    if target.exists():
        os.replace(target, old)
    try:
        os.replace(new, target)
    except OSError:
        if old.exists():
            os.replace(old, target)
        raise
    shutil.rmtree(old, ignore_errors=True)
