"""source → solutions: executed once, run again only for a reason, never written when something is wrong."""

import nbformat
import pytest

from course_admin import build_solutions as module
from course_admin.build import BuildError, build_solutions, build_source, solutions_state


def read(path):
    return nbformat.read(path, as_version=4)


def texts(notebook):
    return {cell.id: "".join(o.get("text", "") for o in cell.get("outputs", [])) for cell in notebook.cells}


@pytest.fixture
def no_kernel(monkeypatch):
    """Pretend to execute: the kernel alone is left out."""
    runs = []

    def execute(paths, notebook, budget, timeout):
        runs.append(budget)
        return notebook

    monkeypatch.setattr(module, "_execute", execute)
    return runs


def test_the_reference_solution_earns_every_point_and_reads_well(built):
    built.change(
        'print("seen", double(4))',
        "import os, torch\n\n"
        'print(os.environ["COURSE_BUDGET"], os.environ["COURSE_PROGRESS"], torch.get_num_threads())\n'
        'print(os.listdir("."))',
    )
    build_source(built.root, "01")
    notebook = read(build_solutions(built.root, "01", budget="quick"))
    out = texts(notebook)
    assert out["tasks-test"].count("✓") == 3 and out["counter-test"].count("✓") == 2
    assert next(text for name, text in out.items() if name.startswith("experiment")) == "quick 0 1\n[]\n"
    assert "4 of 4" in str(notebook.cells[-1].outputs[0].data)
    sources = "\n".join(cell.source for cell in notebook.cells)
    assert "BEGIN" not in sources and "END" not in sources
    assert "# hidden from students:" in sources and "**Model answer**\n\nOne set" in sources
    assert all("execution" not in cell.metadata for cell in notebook.cells)
    assert set(notebook.metadata) == {"course", "kernelspec", "language_info"}
    assert set(notebook.metadata.language_info) == {"name"}
    nbformat.validate(notebook)


def test_a_cell_that_fails_is_named_and_nothing_is_written(built):
    built.change('print("seen", double(4))', "double(undefined)")
    build_source(built.root, "01")
    with pytest.raises(BuildError, match=r"cell 13 \(experiment-\w+\) failed: NameError: .*undefined"):
        build_solutions(built.root, "01")
    assert not built.solutions.exists()


def test_a_wrong_reference_solution_fails_its_own_tests(built):
    built.change("return twice_as_much", "return 2 * twice_as_much")
    build_source(built.root, "01")
    with pytest.raises(BuildError, match=r"\(double-test\) failed: (?s:.*)an array"):
        build_solutions(built.root, "01")


def test_a_line_on_stderr_is_refused(built):
    built.change('print("seen", double(4))', 'import warnings\nwarnings.warn("mind the gap")')
    build_source(built.root, "01")
    with pytest.raises(BuildError, match=r"cell 13 \(experiment-\w+\) writes to stderr"):
        build_solutions(built.root, "01")
    assert not built.solutions.exists()


def test_it_runs_again_only_when_source_library_or_budget_changed(built, no_kernel):
    library = built.root / "course_utils"
    library.mkdir()
    (library / "__init__.py").write_text("")
    (library / "checking.py").write_text("")
    (library / "models.py").write_text("")
    assert solutions_state(built.root, "01") == "missing"
    build_solutions(built.root, "01")
    build_solutions(built.root, "01")
    assert no_kernel == ["default"] and solutions_state(built.root, "01") == "fresh"
    assert solutions_state(built.root, "01", budget="quick") == "stale"

    (library / "__pycache__").mkdir()
    (library / "__pycache__" / "x.pyc").write_text("left behind")
    assert solutions_state(built.root, "01") == "fresh"
    (library / "models.py").write_text("# changed, and imported by nobody\n")
    assert solutions_state(built.root, "01") == "fresh"
    (library / "checking.py").write_text("# changed\n")
    assert solutions_state(built.root, "01") == "stale"
    build_solutions(built.root, "01")
    assert no_kernel == ["default"] * 2

    built.change("You need about", "Plan for")
    build_source(built.root, "01")
    assert solutions_state(built.root, "01") == "stale"
    build_solutions(built.root, "01")
    build_solutions(built.root, "01", force=True)
    assert no_kernel == ["default"] * 4
    built.solutions.write_text("{")
    assert solutions_state(built.root, "01") == "stale"


def test_a_large_notebook_is_warned_of(built, no_kernel, monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES", 2000)
    with pytest.warns(module.LargeNotebook, match=r"solutions/01_tiny/01_tiny\.ipynb is 0\.0 MB, over 0\.0"):
        build_solutions(built.root, "01")
    assert built.solutions.exists()
