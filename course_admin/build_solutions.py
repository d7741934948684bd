"""source → solutions: the instructor's version, executed with its outputs.

It is run again only when the source notebook, what it imports of `course_utils`, or the budget has changed; their hash stands in
its metadata. A solution that prints to stderr or fails is not written.
"""

import hashlib
import json
import os
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any, Literal

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from traitlets import default
from traitlets.config import Config

from course_admin.build_paths import BuildError, NotebookPaths, library_dir, library_files, locate
from course_admin.build_regions import HIDDEN_TESTS, MARK_SCHEME, SOLUTION, read_lines
from course_admin.build_source import to_bytes, write_if_changed
from course_admin.shipping import needed

BUDGET = "default"
MAX_BYTES = 1_500_000
MAX_SOCKET_PATH = 90  # characters; the system's limit is a little over 100
_HEADINGS = {  # what a reader sees in place of a BEGIN marker: (code, markdown)
    SOLUTION: (None, "**Model answer**\n"),
    HIDDEN_TESTS: ("# hidden from students:", None),
    MARK_SCHEME: (None, "**For the marker**\n"),
}


class OwnKernel(AsyncKernelManager):
    """The ipykernel of this very Python, whatever kernels the machine has registered."""

    @default("kernel_spec_manager")
    def _no_other_kernels(self) -> KernelSpecManager:
        return KernelSpecManager(kernel_dirs=[], ensure_native_kernel=True)


class LargeNotebook(UserWarning):
    """An executed notebook that is too large to open comfortably or to keep in a repository."""


def build_solutions(
    root: Path | str, notebook: str, *, budget: str = BUDGET, force: bool = False, timeout: int | None = None
) -> Path:
    """Execute the source notebook and keep it with its outputs; nothing is run when that was done already.

    Args:
        root: the course's root.
        notebook: number or name; its source must be built.
        budget: COURSE_BUDGET for the kernel.
        force: run it even when nothing has changed.
        timeout: seconds a cell may take; None for no limit.

    Raises:
        BuildError: a cell failed or wrote to stderr. What was there before stays.
    """
    paths, _ = locate(root, notebook)
    if not force and solutions_state(root, notebook, budget=budget) == "fresh":
        return paths.solutions
    inputs = _inputs(paths, budget)
    readable = _readable(nbformat.read(paths.source, as_version=4))
    metadata = nbformat.from_dict({key: readable.metadata[key] for key in ("kernelspec", "language_info")})
    executed = _execute(paths, readable, budget, timeout)
    executed.metadata = metadata
    executed.metadata["course"] = {"notebook": paths.name, "budget": budget, "inputs_sha256": inputs}
    for cell in executed.cells:
        cell.metadata.pop("execution", None)
        cell.metadata.pop("course", None)
    data = to_bytes(executed)
    write_if_changed(paths.solutions, data)
    if len(data) > MAX_BYTES:
        warnings.warn(
            f"{paths.show(paths.solutions)} is {len(data) / 1e6:.1f} MB, over {MAX_BYTES / 1e6:.1f}; "
            "draw fewer or smaller figures",
            LargeNotebook,
            stacklevel=2,
        )
    return paths.solutions


def solutions_state(
    root: Path | str, notebook: str, *, budget: str = BUDGET
) -> Literal["fresh", "stale", "missing"]:
    """Whether the executed notebook is there and was made from what is there now."""
    paths, _ = locate(root, notebook)
    if not paths.source.exists():
        raise BuildError(f"{paths.show(paths.source)} not found; build the source first")
    if not paths.solutions.exists():
        return "missing"
    try:
        course = nbformat.read(paths.solutions, as_version=4).metadata.get("course", {})
    except Exception:  # whatever it is, it is not what we wrote
        return "stale"
    return "fresh" if course.get("inputs_sha256") == _inputs(paths, budget) else "stale"


def _inputs(paths: NotebookPaths, budget: str) -> str:
    """The hash of all that an executed notebook depends on: itself and what it imports, the libraries' versions aside."""
    digest = hashlib.sha256(budget.encode())
    library = library_dir(paths.root)
    imported = {
        library / name for name in needed(library, json.loads(paths.source.read_text(encoding="utf-8")))
    }
    folders = {path.parent for path in imported} | {library}
    used = [
        path
        for path in library_files(paths.root)
        if path in imported or (path.suffix != ".py" and path.parent in folders)
    ]
    for path in [paths.source, *used]:
        name = path.relative_to(library).as_posix() if library in path.parents else path.name
        data = path.read_bytes()
        digest.update(f"\n{name} {len(data)}\n".encode() + data)
    return digest.hexdigest()


def _readable(notebook: Any) -> Any:
    """The source without marker lines; where they helped a reader, a heading stands instead."""
    for cell in notebook.cells:
        lines: list[str] = []
        for line in read_lines(cell.source):
            if not line.marker:
                lines.append(line.text)
            elif "BEGIN" in line.text and line.region:
                heading = _HEADINGS[line.region][cell.cell_type != "code"]
                indent = line.text[: len(line.text) - len(line.text.lstrip())]
                lines.extend([indent + heading] if heading else [])
        cell.source = "\n".join(lines).strip("\n")
    return notebook


def _execute(paths: NotebookPaths, notebook: Any, budget: str, timeout: int | None) -> Any:
    """Run every cell in a kernel of this Python, in an empty folder, on one thread."""
    with tempfile.TemporaryDirectory(prefix="course-") as scratch:
        work, settings = Path(scratch) / "work", Path(scratch) / "ipython"
        work.mkdir()
        client = NotebookClient(
            notebook,
            config=_kernel_config(Path(scratch) / "kernel"),
            kernel_manager_class=OwnKernel,
            timeout=timeout,
            record_timing=False,
            store_widget_state=False,
            shutdown_kernel="immediate",
        )
        try:
            client.execute(env=_environment(paths, budget, settings), cwd=str(work))
        except CellExecutionError as error:
            raise BuildError(f"{_where(paths, notebook)} failed: {_tail(error)}") from None
        except CellTimeoutError:
            raise BuildError(f"{_where(paths, notebook)} took more than {timeout} s") from None
        except DeadKernelError:
            raise BuildError(f"{_where(paths, notebook)}: the kernel died") from None
    problems = []
    for position, cell in enumerate(notebook.cells, 1):
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stderr":
                text = output.text.strip().splitlines() or [""]
                where = f"{paths.show(paths.source)} cell {position} ({cell.id})"
                problems.append(f"{where} writes to stderr: {text[-1][:200]}")
    if problems:
        raise BuildError(*problems)
    return notebook


def _kernel_config(address: Path) -> Config:
    """Talk to the kernel through files that only this user can open, where the system can."""
    if os.name == "posix" and len(str(address)) < MAX_SOCKET_PATH:
        return Config({"KernelManager": {"transport": "ipc", "ip": str(address)}})
    return Config()


def _environment(paths: NotebookPaths, budget: str, settings: Path) -> dict[str, str]:
    threads = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
    python_path = [str(library_dir(paths.root).parent), os.environ.get("PYTHONPATH", "")]
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("JPY_")},
        **dict.fromkeys(threads, "1"),
        "COURSE_BUDGET": budget,
        "COURSE_PROGRESS": "0",
        "IPYTHONDIR": str(settings),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": os.pathsep.join(part for part in python_path if part),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
    }


def _where(paths: NotebookPaths, notebook: Any) -> str:
    """The cell that was running: the first with an error, else the last that was begun."""
    running = 0
    for position, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        if any(output.output_type == "error" for output in cell.outputs):
            running = position
            break
        if cell.execution_count is not None or cell.outputs:
            running = position
    cell = notebook.cells[running]
    return f"{paths.show(paths.source)} cell {running + 1} ({cell.id})"


def _tail(error: CellExecutionError) -> str:
    """Kind and message of the cell's error; the message of a check is its list of parts, kept whole."""
    return f"{error.ename}: {error.evalue}".strip()
