"""pyproject.toml, environment.yml and constraints.txt say the same; the two packages depend in one direction only."""

import ast
import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
CONDA_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base"}


def _requirements() -> dict[str, str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]
    pairs = (
        re.fullmatch(r"([A-Za-z0-9_.-]+)(.*)", line)
        for line in lines
        if not line.startswith("rnn-coursework")
    )
    return {match[1].lower(): match[2] for match in pairs if match}


def test_conda_environment_lists_what_pyproject_requires() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    listed = [line for line in environment if isinstance(line, str)]
    listed += [line for line in environment[-1]["pip"] if not line.startswith("-e")]
    pairs = (re.fullmatch(r"([A-Za-z0-9_.-]+)(.*)", line) for line in listed)
    conda = {match[1]: match[2] for match in pairs if match}
    assert (
        conda.pop("python")
        == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    )
    conda.pop("pip")
    assert conda == {CONDA_NAMES.get(name, name): spec for name, spec in _requirements().items()}


def test_constraints_pin_every_requirement() -> None:
    lines = [
        line
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    pinned = {line.split("==")[0].lower() for line in lines}
    assert set(_requirements()) <= pinned | {"pyyaml"} and "pyyaml" in pinned
    assert "torch==2.13.0" in lines


@pytest.mark.parametrize(
    "path", sorted((ROOT / "course_utils").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT))
)
def test_course_utils_never_imports_the_instructors_package(path: Path) -> None:
    assert "course_admin" not in _imported(path)


@pytest.mark.parametrize("folder", ["models", "datasets"])
def test_models_and_datasets_know_nothing_of_training_plotting_or_checking(folder: str) -> None:
    other = {"models": "datasets", "datasets": "models"}[folder]
    above = (
        "training",
        "plotting",
        "plots",
        "figures",
        "diagrams",
        "checking",
        "metrics",
        "decoding",
        "melody",
    )
    pattern = re.compile(rf"course_utils\.({'|'.join((*above, other))})\b")
    for path in (ROOT / "course_utils" / folder).rglob("*.py"):
        assert not [name for name in _imported(path) if pattern.match(name)], path.name


def _imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names | {name.split(".")[0] for name in names}
