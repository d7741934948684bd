"""Read an attack's file and put it into the tiny course.

A file begins with a header (`# kind:`, `# deserved:`, `# flag:`, `# about:`; `# right:` names the answers that are right;
`# stock: no` keeps an attack from running outside our sandbox). Sections follow, each begun by a line of its own:

    # %% cell scale          the text of that cell
    # %% before scale-test   an extra cell in front of that cell (`after`: behind it)
    # %% build               `build(notebook, folder)` changes the notebook, or returns bytes, or None for no file
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.grading.tiny import ANSWERS, Tiny

FOLDER = Path(__file__).with_name("submissions")
KINDS = ("forge", "read", "forbidden", "break", "reach", "harm", "malformed", "honest")


@dataclass
class Attack:
    """One submission: what it tries, the score it deserves, whether the instructor is to see a flag."""

    name: str
    kind: str
    deserved: float
    flag: bool
    about: str
    right: list[str] = field(default_factory=list)
    stock: bool = True
    sections: list[tuple[str, str, str]] = field(default_factory=list)  # verb, cell, text

    def submit(self, course: Tiny, student: str) -> None:
        """Hand it in as `student`."""
        notebook = course.submission(**{name: ANSWERS[name] for name in self.right})
        built: Any = notebook
        folder = course.folder(student)
        folder.mkdir(parents=True, exist_ok=True)
        for verb, cell_id, text in self.sections:
            if verb == "build":
                namespace: dict[str, Any] = {}
                exec(compile(text, self.name, "exec"), namespace)
                build: Callable[[dict, Path], Any] = namespace["build"]
                built = build(notebook, folder)
            else:
                _place(notebook["cells"], verb, cell_id, text)
        if built is not None:
            course.submit(student, built)


def _place(cells: list[dict], verb: str, cell_id: str, text: str) -> None:
    index = next(i for i, cell in enumerate(cells) if cell.get("id") == cell_id)
    if verb == "cell":
        cells[index]["source"] = text
        return
    extra: dict[str, Any] = {
        "cell_type": "code",
        "metadata": {},
        "source": text,
        "outputs": [],
        "execution_count": None,
    }
    extra["id"] = f"extra-{len(cells)}"
    cells.insert(index + (verb == "after"), copy.deepcopy(extra))


def read(path: Path) -> Attack:
    """One attack from its file."""
    head, *parts = re.split(r"(?m)^# %% ", path.read_text(encoding="utf-8"))
    fields = dict(re.findall(r"(?m)^# (\w+): (.*)$", head))
    sections = []
    for part in parts:
        title, _, text = part.partition("\n")
        verb, _, cell_id = title.strip().partition(" ")
        if verb not in ("cell", "before", "after", "build"):
            raise ValueError(f"{path.name}: no such section: {title}")
        sections.append((verb, cell_id, text.strip("\n")))
    if fields["kind"] not in KINDS:
        raise ValueError(f"{path.name}: no such kind: {fields['kind']}")
    return Attack(
        name=path.stem,
        kind=fields["kind"],
        deserved=float(fields["deserved"]),
        flag=fields["flag"] == "true",
        about=fields["about"],
        right=fields.get("right", "tasks").split(),
        stock=fields.get("stock", "yes") == "yes",
        sections=sections,
    )


def attacks() -> list[Attack]:
    """Every attack, by kind and name."""
    found = [read(path) for path in sorted(FOLDER.glob("*.py"))]
    return sorted(found, key=lambda attack: (KINDS.index(attack.kind), attack.name))
