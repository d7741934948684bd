"""Cells that we write leave alone the names that a student may give to a helper."""

import ast
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
NAMES = sorted(path.stem for path in (ROOT / "release").glob("*/*.ipynb"))
OURS = {"ax", "axes", "check", "fig", "name"}


def bound(tree: ast.AST) -> set[str]:
    """Names that running this code binds at its top level, imports aside."""
    found = set()
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif not isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            found |= bound(node)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_no_cell_of_ours_binds_a_plain_word(name: str) -> None:
    """`loss, accuracy = copy_scores(…)` in an experiment would turn a student's helper `accuracy` into a tensor."""
    notebook = nbformat.read(ROOT / "release" / name / f"{name}.ipynb", as_version=4)
    plain = {}
    for cell in notebook.cells:
        if cell.cell_type == "code" and not cell.metadata.get("nbgrader", {}).get("solution"):
            words = {word for word in bound(ast.parse(cell.source)) if word.islower() and "_" not in word}
            if words - OURS:
                plain[cell.id] = sorted(words - OURS)
    assert plain == {}
