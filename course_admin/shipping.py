"""What of `course_utils` travels with a notebook: all but the answers to exercises that the notebook does not itself use.

Reference networks, metrics, decoders and the like are read by students after they have written their own. A bundle leaves out
those that the notebook neither imports nor needs for what it imports, and the sandbox refuses the same ones.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

ANSWERS = ("models", "metrics", "decoding", "training/truncated.py", "training/schedules.py")
LIBRARY = "course_utils"


def withheld(library: Path, notebook: dict) -> tuple[str, ...]:
    """What a student does not get with a notebook.

    Args:
        library: the folder `course_utils`.
        notebook: the student version.

    Returns:
        Paths below `library`, sorted; a folder where all of it is withheld, so that nothing in it is listed one by one.
    """
    kept = needed(library, notebook)
    answer: list[str] = []
    for name in ANSWERS:
        files = _modules(library, name)
        if not files & kept:
            answer += [name] if files else []
        else:
            answer += sorted(files - kept)
    return tuple(sorted(answer))


def travels(path: str, left_out: Iterable[str]) -> bool:
    """Whether a file of the library (a path below it) is not among what `withheld` returned."""
    return not any(path == one or path.startswith(f"{one}/") for one in left_out)


def _modules(library: Path, name: str) -> set[str]:
    path = library / name
    files = [path] if path.is_file() else path.rglob("*.py")
    return {file.relative_to(library).as_posix() for file in files if "__pycache__" not in file.parts}


def needed(library: Path, notebook: dict) -> set[str]:
    """Files of the library that the notebook imports, and what those import in turn, as paths below `library`.

    A module that is imported by a name made up at run time is not seen.
    """
    waiting: set[str] = set()
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            waiting |= _imported(library, "".join(cell["source"]))
    kept: set[str] = set()
    while waiting:
        name = waiting.pop()
        kept.add(name)
        waiting |= _imported(library, (library / name).read_text(encoding="utf-8")) - kept
    return kept


def _imported(library: Path, code: str) -> set[str]:
    """Files of the library that some code imports when it runs, packages on the way included."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):
        return set()
    typing_only = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    names: set[str] = set()
    for node in ast.walk(tree):
        if node in typing_only:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    found: set[str] = set()
    for name in names:
        parts = name.split(".")
        if parts[0] != LIBRARY:
            continue
        for depth in range(len(parts)):
            stem = "/".join(parts[1 : depth + 1])
            candidates = (f"{stem}.py", f"{stem}/__init__.py") if stem else ("__init__.py",)
            found |= {file for file in candidates if (library / file).is_file()}
    return found
