"""Where each form of a notebook lies, from the course's root."""

from dataclasses import dataclass
from pathlib import Path

import course_utils
from course_admin.syllabus import Syllabus, SyllabusError, load_syllabus


class BuildError(ValueError):
    """A notebook cannot be built; `problems` holds one line for each reason."""

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


@dataclass(frozen=True)
class NotebookPaths:
    """The files of one notebook. `name` is its full name, `NN_words`."""

    root: Path
    name: str

    @property
    def manuscript(self) -> Path:
        return self.root / "manuscript" / f"{self.name}.py"

    @property
    def adopted(self) -> Path:
        """The manuscript made from a source notebook that was edited by hand."""
        return self.root / "manuscript" / f"{self.name}.py.adopted"

    @property
    def source(self) -> Path:
        return self.root / "source" / self.name / f"{self.name}.ipynb"

    @property
    def release(self) -> Path:
        return self.root / "release" / self.name / f"{self.name}.ipynb"

    @property
    def solutions(self) -> Path:
        return self.root / "solutions" / self.name / f"{self.name}.ipynb"

    @property
    def bundle(self) -> Path:
        return self.root / "build" / "bundle" / f"{self.name}.zip"

    def show(self, path: Path) -> str:
        """A path for a message: from the root, never from the machine's."""
        return path.relative_to(self.root).as_posix()


def locate(root: Path | str, notebook: str) -> tuple[NotebookPaths, Syllabus]:
    """The paths of a notebook given by number or name, and the syllabus that lists it.

    Raises:
        BuildError: the syllabus is not usable or has no such notebook.
    """
    root = Path(root).resolve()
    try:
        syllabus = load_syllabus(root / "syllabus.toml")
        return NotebookPaths(root, syllabus.notebook(notebook).name), syllabus
    except SyllabusError as error:
        raise BuildError(*[f"syllabus.toml: {problem}" for problem in error.problems]) from None


def library_dir(root: Path) -> Path:
    """The `course_utils` that belongs to this course: the root's own, else the one that is installed."""
    own = root / "course_utils"
    return own if own.is_dir() else Path(course_utils.__file__).parent


def library_files(root: Path) -> list[Path]:
    """Every file of `course_utils`, sorted, without what Python and editors leave behind."""
    library = library_dir(root)
    return sorted(
        path
        for path in library.rglob("*")
        if path.is_file()
        and path.suffix not in (".pyc", ".pyo")
        and not any(part.startswith((".", "__pycache__")) for part in path.relative_to(library).parts)
    )
