"""Read a manuscript: percent text into cells that know their role and their line.

Only what stands in a cell's header is read here; `build_checks` says whether it makes sense.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import jupytext
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_admin.build_paths import BuildError

# comment_magics: a comment such as "# copy the state" would else become the shell command "copy the state".
PERCENT = {"extension": ".py", "format_name": "percent", "comment_magics": False}

CODE_ROLES = ("setup", "show", "answer", "try", "test", "experiment", "scoreboard")
MARKDOWN_ROLES = ("written",)
NBVAL_RUNS_ONLY = "nbval-ignore-output"  # on experiments: what a training prints differs between machines
TAGGED_ROLES = (
    "setup",
    "show",
    "try",
    "experiment",
    "scoreboard",
)  # the others are told by nbgrader's metadata
KEYS = ("role", "grade_id", "points")

_HEADER = re.compile(r"^# %%(?!%)(?=\s|$).*$", re.MULTILINE)
_LINE = re.compile(r" manuscript_line=(\d+)")


@dataclass(frozen=True)
class Cell:
    """One cell of a manuscript."""

    kind: str  # "code" or "markdown"
    role: str | None
    grade_id: str | None
    points: float | None
    source: str
    line: int  # of the header, from 1
    first: int  # of the first line of the source
    unknown: tuple[str, ...] = ()  # what else the header holds

    @property
    def label(self) -> str:
        """How a message names the cell."""
        return self.grade_id or self.role or self.kind


@dataclass(frozen=True)
class Manuscript:
    """A whole manuscript. `shown` is the path that messages name."""

    name: str
    shown: str
    cells: tuple[Cell, ...]

    def at(self, cell: Cell, problem: str, index: int | None = None) -> str:
        """A message about a cell, or about the line of its source with this index (from 0)."""
        line = cell.line if index is None else cell.first + index
        return f"{self.shown}:{line} ({cell.label}) {problem}"


def read_manuscript(path: Path, name: str, shown: str) -> Manuscript:
    """Read `path`.

    Raises:
        BuildError: the file is not there, is not percent text, or has a header that cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BuildError(f"{shown} not found; write it first (docs/manuscript.md says how)") from None
    except UnicodeDecodeError as error:
        raise BuildError(f"{shown} is not UTF-8 text ({error.reason}); save it as UTF-8") from None
    try:
        # jupytext does not tell where a cell stood, so each header carries its line through
        read = jupytext.reads(_number_headers(text), fmt=PERCENT)
    except Exception as error:  # jupytext and nbformat raise many kinds for a broken front matter
        raise BuildError(f"{shown}: jupytext cannot read it: {str(error).splitlines()[0]}") from None
    problems: list[str] = []
    cells: list[Cell] = []
    for raw in read.cells:
        header = dict(raw.metadata)
        line = header.pop("manuscript_line", None)
        garbled = str(header.pop("incorrectly_encoded_metadata", ""))
        if line is None and (found := _LINE.search(" " + garbled)):
            line = int(found[1])
        if line is None:
            if raw.source.strip():
                problems.append(f'{shown}:1 text before the first cell; begin with "# %% [markdown]"')
            continue
        if garbled:
            header["text"] = _LINE.sub("", " " + garbled).strip()
        cells.append(_cell(raw.cell_type, header, _LINE.sub("", raw.source), line))
    if problems:
        raise BuildError(*problems)
    return Manuscript(name, shown, tuple(cells))


def write_percent(cells: list[Cell]) -> str:
    """Percent text of these cells: the inverse of `read_manuscript`, as far as headers go."""
    notebook = new_notebook(
        metadata={"jupytext": {"notebook_metadata_filter": "-all", "cell_metadata_filter": "all"}}
    )
    for cell in cells:
        new = new_code_cell if cell.kind == "code" else new_markdown_cell
        keys = {"role": cell.role, "grade_id": cell.grade_id, "points": cell.points}
        notebook.cells.append(new(cell.source, metadata={k: v for k, v in keys.items() if v is not None}))
    return jupytext.writes(notebook, fmt=PERCENT)


def _number_headers(text: str) -> str:
    lines = text.split("\n")
    return "\n".join(
        f"{line.rstrip()} manuscript_line={number}" if _HEADER.match(line) else line
        for number, line in enumerate(lines, 1)
    )


def _cell(kind: str, header: dict, source: str, line: int) -> Cell:
    quoted = header.pop("cell_marker", "") in ('"""', "'''")
    header = {key: value for key, value in header.items() if not key.startswith("lines_to_")}
    points = header.get("points")
    unknown = [f"{key}={value}" for key, value in header.items() if key not in KEYS]
    if points is not None and (isinstance(points, bool) or not isinstance(points, int | float)):
        unknown.append(f"points={points}")
        points = None
    return Cell(
        kind=kind,
        role=None if header.get("role") is None else str(header["role"]),
        grade_id=None if header.get("grade_id") is None else str(header["grade_id"]),
        points=points,
        source=source,
        line=line,
        first=line + 1 + quoted,
        unknown=tuple(unknown),
    )
