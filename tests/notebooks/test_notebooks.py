"""The notebooks as students and instructors run them: solutions under nbval, the release untouched."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
NAMES = sorted(path.stem for path in (ROOT / "manuscript").glob("[0-9][0-9]_*.py"))


def _environment(budget: str) -> dict[str, str]:
    return {**os.environ, "COURSE_BUDGET": budget, "COURSE_PROGRESS": "0", "OMP_NUM_THREADS": "1"}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_solution_runs_again_with_the_stored_outputs(name: str) -> None:
    """nbval runs every cell and compares what is deterministic; training cells are run but their outputs ignored."""
    notebook = ROOT / "solutions" / name / f"{name}.ipynb"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "--nbval",
            "--nbval-cell-timeout=600",
            "-q",
            "-p",
            "no:cacheprovider",
            str(notebook),
        ],
        capture_output=True,
        text=True,
        cwd=notebook.parent,
        env=_environment("default"),
    )
    assert done.returncode == 0, done.stdout[-4000:]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_untouched_release_fails_only_with_not_implemented(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in _environment("quick").items():
        monkeypatch.setenv(key, value)
    notebook = nbformat.read(ROOT / "release" / name / f"{name}.ipynb", as_version=4)
    NotebookClient(notebook, timeout=300, allow_errors=True, kernel_name="python3").execute()
    outputs = [
        (cell.id, output) for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs
    ]
    errors = [
        (cell_id, output.ename, output.evalue) for cell_id, output in outputs if output.output_type == "error"
    ]
    assert errors, "an untouched notebook cannot pass its checks"
    assert [error for error in errors if error[1] != "NotImplementedError"] == []
    assert [cell_id for cell_id, output in outputs if output.get("name") == "stderr"] == []


@pytest.mark.parametrize("name", NAMES)
def test_notebooks_stay_light(name: str) -> None:
    assert (ROOT / "solutions" / name / f"{name}.ipynb").stat().st_size < 2_000_000
    assert (ROOT / "release" / name / f"{name}.ipynb").stat().st_size < 300_000
