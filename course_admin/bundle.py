"""The zip a student downloads: one released notebook, `course_utils`, and what `pip install .` needs.

The same files give the same bytes, and every file in it is checked for leaks once more.
"""

import io
import json
import tomllib
import zipfile
from pathlib import Path

import nbformat

import course_utils
from course_admin.build_paths import BuildError, NotebookPaths, library_dir, library_files, locate
from course_admin.build_release import LeakError, release_leaks
from course_admin.build_source import write_if_changed
from course_admin.leaks import Leak, Secrets, check_text, normalize, read_secrets
from course_admin.shipping import ANSWERS, travels, withheld

_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest a zip can hold; any fixed one would do
_NEVER = (
    "course_admin",
    "bank",
    "source",
    "solutions",
    "manuscript",
    "tests",
    "autograded",
    "submitted",
    "gradebook.db",
)
_TEXT = (".py", ".md", ".toml", ".txt", ".csv", ".json", ".mplstyle", ".ipynb", ".svg", ".cfg", ".html")
_SAYS_MUCH = 16  # characters of a line that one would not write twice by chance


def bundle(root: Path | str, notebook: str) -> Path:
    """Write `build/bundle/NN_name.zip` from what is built.

    Raises:
        BuildError: there is no release yet.
        LeakError: a file in it would tell something secret, or belongs to the instructor. No zip is written.
    """
    paths, syllabus = locate(root, notebook)
    for needed in (paths.source, paths.release):
        if not needed.exists():
            raise BuildError(f"{paths.show(needed)} not found; run `coursework build {paths.name[:2]}` first")
    files = _files(paths, syllabus.notebook(paths.name).title)
    leaks = [*release_leaks(paths, paths.release.parent), *bundle_leaks(paths, files)]
    if leaks:
        raise LeakError(paths.name, leaks)
    write_if_changed(paths.bundle, _zip(paths.name, files))
    return paths.bundle


def bundle_leaks(paths: NotebookPaths, files: dict[str, bytes]) -> list[Leak]:
    """What the files of a bundle, by their path in it, give away.

    Reference code in `course_utils` is public, so a line that it shares with a solution is no leak. The
    greater part of a hidden test is one, or of a solution outside the course's reference code, and any line of a
    theory answer or a mark scheme.
    """
    secrets = read_secrets(nbformat.read(paths.source, as_version=4))
    leaks: list[Leak] = []
    for name, data in files.items():
        parts = Path(name).parts
        if any(part in _NEVER for part in parts):
            leaks.append(Leak("file", name, "belongs to the instructor"))
        if name.endswith(".ipynb") and name != f"{paths.name}.ipynb":
            leaks.append(Leak("file", name, "a bundle holds one notebook"))
        if not name.endswith(_TEXT):
            continue
        text = data.decode("utf-8", "replace")
        if name.startswith("course_utils/"):
            leaks.extend(_library_leaks(secrets, name, text))
        elif not name.endswith(".ipynb"):  # the notebook itself was checked cell by cell
            leaks.extend(check_text(secrets, text, name))
    return leaks


def _library_leaks(secrets: Secrets, name: str, text: str) -> list[Leak]:
    leaks = [leak for leak in check_text(Secrets(), text, name) if leak.kind == "marker"]
    if "import course_admin" in text or "from course_admin" in text:
        leaks.append(Leak("file", name, "imports course_admin, which students do not have"))
    there = {normalize(line) for line in text.split("\n")}
    whole = "\n".join(there)
    theory = set(secrets.values.values())
    for secret in secrets.regions:
        telling = [line for line in secret.lines if len(line) >= _SAYS_MUCH]
        exact = secret.kind == "mark scheme" or secret.cell in theory or secret.prose
        shared = [line for line in telling if line in there or (exact and line in whole)]
        if not shared:
            continue
        greater_part = len(shared) >= 2 and 2 * len(shared) >= len(telling)
        # what a notebook imports it shows; the rest of the answers is not in the bundle
        public_code = secret.kind == "solution" and not travels(name.removeprefix("course_utils/"), ANSWERS)
        if exact or (greater_part and not public_code):
            leaks.append(
                Leak(
                    secret.kind,
                    name,
                    f"{len(shared)} of {len(telling)} lines of {secret.cell}: `{shared[0]}`",
                )
            )
    return leaks


def _files(paths: NotebookPaths, title: str) -> dict[str, bytes]:
    """Path in the bundle → content."""
    folder, library = paths.release.parent, library_dir(paths.root)
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".ipynb_checkpoints" not in path.parts
    }
    left_out = withheld(library, json.loads(paths.release.read_text(encoding="utf-8")))
    for path in library_files(paths.root):
        name = path.relative_to(library).as_posix()
        if travels(name, left_out):
            files[f"course_utils/{name}"] = path.read_bytes()
    files["pyproject.toml"] = _pyproject(paths.root).encode()
    files["README.md"] = _readme(paths.name, title).encode()
    return dict(sorted(files.items()))


def _pyproject(root: Path) -> str:
    """The course's own project file cut down to what a student installs."""
    folders = [root, Path(course_utils.__file__).parents[1]]
    path = next(
        (folder / "pyproject.toml" for folder in folders if (folder / "pyproject.toml").exists()), None
    )
    if path is None:
        raise BuildError("pyproject.toml not found; a bundle takes its dependencies from it")
    project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project.get("optional-dependencies", {}).get("students", [])]
    lines = [
        "[build-system]",
        'requires = ["setuptools>=77"]',
        'build-backend = "setuptools.build_meta"',
        "",
        "[project]",
        f'name = "{project["name"]}-student"',
        f'version = "{project["version"]}"',
        f'requires-python = "{project["requires-python"]}"',
        "dependencies = [",
        *[f'    "{requirement}",' for requirement in sorted(wanted)],
        "]",
        "",
        "[tool.setuptools.packages.find]",
        'include = ["course_utils*"]',
        "",
        "[tool.setuptools.package-data]",
        'course_utils = ["*.mplstyle"]',
        '"course_utils.datasets" = ["*.toml"]',
    ]
    return "\n".join(lines) + "\n"


def _readme(name: str, title: str) -> str:
    return f"""\
# {title}

`{name}.ipynb` is the notebook to work in; `course_utils` is the package that it imports.

You need Python 3.11 or later. In this folder:

    python -m venv .venv
    . .venv/bin/activate        # on Windows: .venv\\Scripts\\activate
    pip install .
    jupyter lab {name}.ipynb

Fill in the cells that say `...`, `TODO` or "Your answer here". Run the cell below each to see how far you
are; the last cell lists which visible checks pass. Before you hand it in, save and press Validate, which runs
everything once more. Keep the file's name, and leave the test cells as they are: grading puts them back.
"""


def _zip(name: str, files: dict[str, bytes]) -> bytes:
    """The files in a folder of the notebook's name; no times, no owners, one order."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, data in files.items():
            info = zipfile.ZipInfo(f"{name}/{path}", _DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            info.external_attr = 0o100644 << 16
            archive.writestr(info, data, compresslevel=9)
    return buffer.getvalue()
