"""manuscript → source: the notebook that nbgrader, formgrader and JupyterLab know.

The same manuscript and syllabus give the same bytes. A source notebook carries the hash of what was built, so
that one which somebody edited by hand is found, and kept, before anything is written over it.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_admin.build_checks import manuscript_problems
from course_admin.build_manuscript import (
    NBVAL_RUNS_ONLY,
    TAGGED_ROLES,
    Cell,
    Manuscript,
    read_manuscript,
    write_percent,
)
from course_admin.build_paths import BuildError, NotebookPaths, locate
from course_admin.syllabus import Question

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
KIND_WORDS = {
    "text": "fill-in",
    "code": "coding",
    "project": "research",
    "written": "written, marked by hand",
}


class SourceEdited(BuildError):
    """The source notebook was changed since it was built."""


def build_source(root: Path | str, notebook: str, *, discard: bool = False) -> Path:
    """Build the source notebook of one manuscript; nothing is written when it would be the same.

    Args:
        root: the course's root, with `syllabus.toml` and `manuscript/`.
        notebook: number or name.
        discard: overwrite a source notebook that was edited by hand.

    Raises:
        BuildError: the manuscript is wrong; every problem is named.
        SourceEdited: the source notebook was edited by hand.
    """
    paths, syllabus = locate(root, notebook)
    manuscript = read_manuscript(paths.manuscript, paths.name, paths.show(paths.manuscript))
    questions = syllabus.questions_of(paths.name)
    problems = manuscript_problems(manuscript, questions)
    if problems:
        raise BuildError(*problems)
    built = assemble(manuscript, questions)
    if paths.source.exists() and not discard:
        _refuse_edited(paths, built)
    write_if_changed(paths.source, to_bytes(built))
    return paths.source


def adopt_source(root: Path | str, notebook: str) -> Path:
    """Write the source notebook, edits and all, as percent text beside its manuscript, ready to be merged.

    Cells that still are what the manuscript makes of them come out as the manuscript has them.
    """
    paths, syllabus = locate(root, notebook)
    if not paths.source.exists():
        raise BuildError(f"{paths.show(paths.source)} not found; there is nothing to adopt")
    originals: dict[str, str] = {}
    if paths.manuscript.exists():
        manuscript = read_manuscript(paths.manuscript, paths.name, paths.show(paths.manuscript))
        questions = syllabus.questions_of(paths.name)
        originals = {_fill(cell, questions): cell.source for cell in manuscript.cells}
    cells = [_cell_back(raw, originals) for raw in _read(paths).cells]
    write_if_changed(paths.adopted, write_percent(cells).encode())
    return paths.adopted


def assemble(manuscript: Manuscript, questions: tuple[Question, ...]) -> Any:
    """The source notebook of a manuscript without problems."""
    by_id = {question.id: question for question in questions}
    used = {cell.grade_id for cell in manuscript.cells}
    cells = []
    for cell in manuscript.cells:
        new = new_code_cell if cell.kind == "code" else new_markdown_cell
        metadata = _metadata(cell, by_id.get(cell.grade_id or ""))
        cells.append(new(_fill(cell, questions), id=_cell_id(cell, used), metadata=metadata))
    notebook = new_notebook(
        cells=cells,
        metadata={
            "course": {"notebook": manuscript.name},
            "kernelspec": dict(KERNELSPEC),
            "language_info": {"name": "python"},
        },
    )
    notebook.nbformat_minor = 5
    notebook.metadata.course["built_sha256"] = fingerprint(notebook)
    nbformat.validate(notebook)
    return notebook


def to_bytes(notebook: Any) -> bytes:
    """A notebook as the bytes of its file."""
    return (nbformat.writes(notebook, version=nbformat.NO_CONVERT).rstrip("\n") + "\n").encode()


def write_if_changed(path: Path, data: bytes) -> bool:
    """Write a file whole or not at all; False when it already held these bytes."""
    if path.exists() and path.read_bytes() == data:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_bytes(data)
    os.replace(temporary, path)
    return True


def fingerprint(notebook: Any) -> str:
    """The hash of what an author writes: text, attachments and our metadata.

    Outputs, cell ids and the notes that editors leave are passed over: running a notebook is no edit.
    """
    course = {
        key: value for key, value in notebook.metadata.get("course", {}).items() if key != "built_sha256"
    }
    cells = [
        [
            cell.cell_type,
            cell.source,
            cell.get("attachments", {}),
            {key: cell.metadata[key] for key in ("course", "nbgrader", "tags") if cell.metadata.get(key)},
        ]
        for cell in notebook.cells
    ]
    return hashlib.sha256(json.dumps([course, cells], sort_keys=True).encode()).hexdigest()


def points_table(questions: Iterable[Question]) -> str:
    """The questions of a notebook as a markdown table, with their totals."""
    rows = list(questions)
    lines = ["| question | kind | points | minutes |", "|:---|:---|---:|---:|"]
    for question in rows:
        title = question.title.replace("|", "\\|")
        kind = KIND_WORDS.get(question.kind, question.kind)
        lines.append(f"| {title} | {kind} | {question.points:g} | {question.minutes:g} |")
    points, minutes = sum(q.points for q in rows), sum(q.minutes for q in rows)
    return "\n".join([*lines, f"| **total** | | **{points:g}** | **{minutes:g}** |"])


def _fill(cell: Cell, questions: tuple[Question, ...]) -> str:
    """The cell's text with its placeholders replaced from the syllabus."""
    if cell.kind == "markdown":
        text = cell.source.replace("{{points}}", points_table(questions))
        return text.replace("{{minutes}}", f"{sum(question.minutes for question in questions):g}")
    if cell.role == "scoreboard":
        checked = [
            f'    "{question.id}": {json.dumps(question.title, ensure_ascii=False)},'
            for question in questions
            if question.auto
        ]
        return cell.source.replace("{{questions}}", "\n".join(["{", *checked, "}"]))
    return cell.source


def _metadata(cell: Cell, question: Question | None) -> dict[str, Any]:
    if cell.role in ("setup", "answer", "test", "written"):
        note: dict[str, Any] = {
            "cell_type": cell.kind,
            "grade": cell.role in ("test", "written"),
            "grade_id": cell.grade_id,
            "locked": cell.role in ("setup", "test"),
            "schema_version": 3,
            "solution": cell.role in ("answer", "written"),
            "task": False,
        }
        if cell.points is not None:
            note["points"] = cell.points
        metadata: dict[str, Any] = {"nbgrader": note}
        if question is not None and cell.role == "answer":
            metadata["course"] = {
                "kind": question.kind,
                "title": question.title,
            }  # what the stub needs to know
    else:
        metadata = {}
    if cell.role in TAGGED_ROLES:
        metadata["tags"] = [cell.role, *([NBVAL_RUNS_ONLY] if cell.role == "experiment" else [])]
    return metadata


def _cell_id(cell: Cell, used: set[str | None]) -> str:
    """The grade id, else role and content; a number tells twins apart."""
    if cell.grade_id:
        return cell.grade_id
    base = f"{cell.role or 'text'}-{hashlib.sha256(cell.source.encode()).hexdigest()[:8]}"
    name, count = base, 1
    while name in used:
        count += 1
        name = f"{base}-{count}"
    used.add(name)
    return name


def _read(paths: NotebookPaths) -> Any:
    try:
        return nbformat.reads(paths.source.read_text(encoding="utf-8"), as_version=4)
    except Exception as error:  # not UTF-8, not JSON, not a notebook: it was not written by us
        raise SourceEdited(
            f"{paths.show(paths.source)} is no notebook ({type(error).__name__}); "
            f"`coursework build {paths.name[:2]} --discard` overwrites it"
        ) from None


def _refuse_edited(paths: NotebookPaths, built: Any) -> None:
    there = _read(paths)
    now = fingerprint(there)
    if now in (there.metadata.get("course", {}).get("built_sha256"), fingerprint(built)):
        return  # untouched, or the edit already stands in the manuscript
    number, adopted = paths.name[:2], paths.show(paths.adopted)
    raise SourceEdited(
        f"{paths.show(paths.source)} was edited by hand, and a build would lose the edit. "
        f"`coursework build {number} --adopt` writes it as {adopted}: merge that into "
        f"{paths.show(paths.manuscript)}, then `coursework build {number} --discard` builds anew."
    )


def _cell_back(raw: Any, originals: dict[str, str]) -> Cell:
    """A cell of a source notebook as a manuscript's cell."""
    note = raw.metadata.get("nbgrader", {})
    role: str | None
    if note.get("grade") and note.get("solution"):
        role = "written"
    elif note.get("grade"):
        role = "test"
    elif note.get("solution"):
        role = "answer"
    else:
        role = next((tag for tag in raw.metadata.get("tags", []) if tag in TAGGED_ROLES), None)
    return Cell(
        kind=raw.cell_type,
        role=role,
        grade_id=note.get("grade_id"),
        points=note.get("points") if note.get("grade") else None,
        source=originals.get(raw.source, raw.source),
        line=0,
        first=0,
    )
