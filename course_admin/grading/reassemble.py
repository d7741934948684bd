"""The notebook that is graded: the course's own cells from the source, the student's work from the submission.

Which cells are tests, what they say, what they are worth and which cells are answers comes from the source notebook alone.
From the submission come the answers, whatever was added between them, and the outputs of experiments. So an edited, deleted,
copied or moved test cell costs nothing and gains nothing.
"""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass, field
from typing import Any

from course_admin.grading.outputs import clean, record_in, safe_markdown, shown_name, text_of
from course_admin.grading.suspicion import signs_in
from course_utils.checking.cells import statements

MOST_CELLS = 2000
MOST_SOURCE = 400_000
WRITTEN_BY_GRADING = ("verdicts", "flags")  # in a notebook's metadata, under "course"
NBGRADER_PLAIN = {"grade": False, "solution": False, "locked": False, "task": False}


@dataclass
class Reassembled:
    """The result: a notebook (plain JSON data) to run and grade.

    Attributes:
        flags: what was unusual about the submission, in words for the instructor.
        records: tables recorded by experiments, by name.
    """

    notebook: dict
    flags: list[str] = field(default_factory=list)
    records: dict[str, Any] = field(default_factory=dict)


def reassemble(submission: dict, source: dict, release: dict | None = None) -> Reassembled:
    """Put the student's work into the course's notebook.

    Args:
        submission: the submitted notebook, as JSON data of any shape.
        source: the source notebook, trusted.
        release: the student version, to tell an untouched stub from an answer when a cell stands there twice.
    """
    flags: list[str] = []
    source, release = _joined(source), _joined(release or {"cells": []})
    given = _given_cells(submission, flags)
    wanted = [_Slot.of(cell) for cell in source["cells"]]
    released = {_grade_id(cell): cell for cell in release["cells"] if _grade_id(cell)}
    stubs = {str(key): str(cell["source"]) for key, cell in released.items()}
    owners = _match(given, wanted, stubs, flags)
    metadata = submission.get("metadata")
    brought = metadata.get("course") if isinstance(metadata, dict) else None
    if isinstance(brought, dict) and not brought.keys().isdisjoint(WRITTEN_BY_GRADING):
        flags.append("the file says what only grading may say (verdicts or flags); it was not read")
    cells = _arrange(given, wanted, owners, stubs, flags)
    ours = {cell["source"].strip() for cell in [*source["cells"], *release["cells"]]}
    for number, cell in enumerate(cells):
        cell.setdefault("id", f"extra-{number}")
        _finish(cell, released.get(_grade_id(cell)), ours)
    _mark_given(cells, source["cells"])
    flags += _signs(given, wanted, ours)
    records = {}
    for cell in given:
        outputs = cell.get("outputs")
        for output in outputs if isinstance(outputs, list) else []:
            found = record_in(output)
            if found:
                records[found[0]] = found[1]
    notebook = {
        **{key: copy.deepcopy(source[key]) for key in ("metadata", "nbformat", "nbformat_minor")},
        "cells": cells,
    }
    return Reassembled(notebook, flags, records)


def _mark_given(cells: list[dict], source_cells: list[dict]) -> None:
    """Note the code cells that stand there as the course wrote them: what they define is not the student's work."""
    answers = [cell for cell in source_cells if cell.get("metadata", {}).get("nbgrader", {}).get("solution")]
    ours = {cell["source"].strip() for cell in source_cells} - {cell["source"].strip() for cell in answers}
    for cell in cells:
        if cell["cell_type"] == "code" and text_of(cell["source"]).strip() in ours:
            cell["metadata"]["course"] = {**cell["metadata"].get("course", {}), "given": True}


def _signs(given: list[dict], wanted: list[_Slot], ours: set[str]) -> list[str]:
    """Flags for what the student's own text shows; text that stands in the course's notebooks is the course's."""
    locked = {slot.grade_id for slot in wanted if slot.locked}
    runs = {
        name for slot in wanted if slot.cell["cell_type"] == "code" for name in (slot.grade_id, slot.cell_id)
    }
    found: dict[str, None] = {}
    for cell in given:
        if cell["source"].strip() not in ours and _grade_id(cell) not in locked:
            place = shown_name(_grade_id(cell) or "a cell")
            code = cell["cell_type"] == "code" or (_grade_id(cell) or cell.get("id")) in runs
            signs = signs_in(cell["source"], code)
            found |= {f"please look: {place} {reason}": None for reason in signs}
    return list(found)


@dataclass
class _Slot:
    """A cell of the source and the part it plays."""

    cell: dict
    cell_id: str
    grade_id: str | None
    locked: bool  # its text comes from the source: tests and the setup cell
    editable: bool  # it takes the student's text: answers and written answers
    keeps_outputs: bool  # it need not be run again: experiments, and pictures that the course shows

    @classmethod
    def of(cls, cell: dict) -> _Slot:
        grader = cell.get("metadata", {}).get("nbgrader", {})
        grade, solution = grader.get("grade", False), grader.get("solution", False)
        return cls(
            cell=cell,
            cell_id=cell.get("id", ""),
            grade_id=grader.get("grade_id"),
            locked=bool(grader) and not solution and (grade or grader.get("locked", False)),
            editable=bool(solution),
            keeps_outputs=not {"experiment", "show"}.isdisjoint(cell.get("metadata", {}).get("tags", [])),
        )


def _joined(notebook: dict) -> dict:
    """A copy in which every cell's source is one text, as files store lines."""
    cells = [{**copy.deepcopy(cell), "source": text_of(cell.get("source"))} for cell in notebook["cells"]]
    return {**notebook, "cells": cells}


def _given_cells(submission: dict, flags: list[str]) -> list[dict]:
    raw = submission.get("cells")
    if not isinstance(raw, list):
        flags.append("the file holds no cells")
        return []
    if len(raw) > MOST_CELLS:
        flags.append(f"{len(raw)} cells; only {MOST_CELLS} are read, those of the course first")
        ours = [cell for cell in raw if isinstance(cell, dict) and _grade_id(cell)][:MOST_CELLS]
        kept = {id(cell) for cell in ours}
        kept |= {
            id(cell) for cell in [cell for cell in raw if id(cell) not in kept][: MOST_CELLS - len(ours)]
        }
        raw = [cell for cell in raw if id(cell) in kept]
    cells = []
    for cell in raw[:MOST_CELLS]:
        if not isinstance(cell, dict) or cell.get("cell_type") not in ("code", "markdown", "raw"):
            continue
        metadata = cell.get("metadata")
        text = text_of(cell.get("source")).replace("\r\n", "\n").replace("\r", "\n")
        cells.append(
            {**cell, "source": text[:MOST_SOURCE], "metadata": metadata if isinstance(metadata, dict) else {}}
        )
    return cells


def _grade_id(cell: dict) -> str | None:
    metadata = cell.get("metadata")
    grader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    grade_id = grader.get("grade_id") if isinstance(grader, dict) else None
    return grade_id if isinstance(grade_id, str) else None


def _match(given: list[dict], wanted: list[_Slot], stubs: dict, flags: list[str]) -> dict[int, _Slot]:
    """Which given cell plays which part: index → slot. Every slot is played at most once."""
    owners: dict[int, _Slot] = {}
    for slot in wanted:
        free = [i for i in range(len(given)) if i not in owners]
        candidates = [i for i in free if slot.grade_id and _grade_id(given[i]) == slot.grade_id]
        candidates = candidates or [
            i for i in free if slot.cell_id and given[i].get("id") == slot.cell_id and not _grade_id(given[i])
        ]
        if not candidates and slot.editable:
            candidates = [i for i in free if _same_names(given[i], slot.cell) and _grade_id(given[i]) is None]
            if candidates:
                flags.append(f"{slot.grade_id}: found by what it defines, its metadata is gone")
        if not candidates:
            continue
        chosen = candidates[-1]
        if len(candidates) > 1 and slot.editable:
            flags.append(
                f"{slot.grade_id}: stands there {len(candidates)} times; the last that is filled in counts"
            )
            filled = [
                i for i in candidates if given[i]["source"].strip() != stubs.get(slot.grade_id, "").strip()
            ]
            chosen = (filled or candidates)[-1]
        owners[chosen] = slot
    return owners


def _same_names(cell: dict, source_cell: dict) -> bool:
    if cell["cell_type"] != "code" or source_cell["cell_type"] != "code":
        return False
    wanted = defined_names(text_of(source_cell["source"]))
    return bool(wanted) and wanted <= defined_names(cell["source"])


def defined_names(code: str) -> set[str]:
    """Functions, classes and variables that a cell defines at its top level."""
    names = set()
    for node in statements(code):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


def _arrange(
    given: list[dict], wanted: list[_Slot], owners: dict[int, _Slot], stubs: dict[str, str], flags: list[str]
) -> list[dict]:
    """The student's cells in the student's order; the course's locked cells where they belong among them."""
    line: list[tuple[_Slot | None, dict]] = []
    owned = {slot.grade_id for slot in owners.values() if slot.editable}
    if not owned:
        flags.append(_holds_no_question(given, wanted))
    for index, cell in enumerate(given):
        slot = owners.get(index)
        if slot is None:
            if _grade_id(cell) in {s.grade_id for s in wanted if s.locked and s.grade_id}:
                flags.append(f"{_grade_id(cell)}: a copy of a locked cell was left out")
                continue
            if (
                _grade_id(cell) in owned
                and cell["source"].strip() == stubs.get(_grade_id(cell) or "", "").strip()
            ):
                continue  # an untouched copy would undo the answer that counts
            line.append((None, _extra(cell)))
        elif slot.locked:
            if cell["source"].strip() != text_of(slot.cell["source"]).strip() and not _is_released(
                cell, slot
            ):
                flags.append(f"{slot.grade_id}: its text was changed; the original counts")
            if changed := _changed_role(cell, slot.cell):
                flags.append(f"{slot.grade_id}: its {changed} was changed; the original counts")
            line.append((slot, copy.deepcopy(slot.cell)))
        elif slot.editable:
            if changed := _changed_role(cell, slot.cell):
                flags.append(f"{slot.grade_id}: its {changed} was changed; the original counts")
            line.append((slot, _answer(cell, slot)))
        else:
            line.append((slot, _free(cell, slot)))
    present = {id(slot) for slot, _ in line}
    for position, slot in enumerate(wanted):
        if id(slot) in present or not (slot.locked or slot.editable):
            continue
        if owned:
            flags.append(f"{slot.grade_id}: the cell was missing and was put back")
        cell = copy.deepcopy(slot.cell)
        if slot.editable:  # nothing was handed in: the stub stands for it
            cell["source"] = stubs.get(slot.grade_id or "", "")
        line.insert(_place(line, wanted[:position]), (slot, cell))
    return [cell for _, cell in _tests_after_answers(line)]


def _holds_no_question(given: list[dict], wanted: list[_Slot]) -> str:
    """The flag of a file that answers nothing, such as the notebook of another section."""
    named = dict.fromkeys(_grade_id(cell) for cell in given)
    ours = {slot.grade_id for slot in wanted}
    others = [shown_name(name) for name in named if name and name not in ours]
    count = sum(slot.editable for slot in wanted)
    seen = f" (it holds {', '.join(others[:4])}{', …' if len(others) > 4 else ''})" if others else ""
    return f"none of this notebook's {count} questions is in it; is it another notebook?{seen}"


def _changed_role(cell: dict, original: dict) -> str:
    """What of a locked cell's part in grading is another in the submission; empty for what an editor merely dropped."""
    if cell["cell_type"] != original["cell_type"]:
        return "type"
    grader, wanted = cell["metadata"].get("nbgrader"), original["metadata"].get("nbgrader", {})
    for key in ("grade", "solution", "locked", "points", "cell_type"):
        if isinstance(grader, dict) and key in grader and grader[key] != wanted.get(key):
            return key if key == "points" else f"metadata ({key})"
    tags = cell["metadata"].get("tags")
    return "tags" if isinstance(tags, list) and ("skip-execution" in tags or "experiment" in tags) else ""


def _is_released(cell: dict, slot: _Slot) -> bool:
    """Whether a locked cell is as the student received it: the source without its hidden region."""
    return without_hidden(text_of(slot.cell["source"])).strip() == cell["source"].strip()


def without_hidden(source: str) -> str:
    """A cell's text without its hidden regions and mark scheme."""
    kept, hidden = [], False
    for line in source.split("\n"):
        if "BEGIN HIDDEN TESTS" in line or "BEGIN MARK SCHEME" in line:
            hidden = True
        elif "END HIDDEN TESTS" in line or "END MARK SCHEME" in line:
            hidden = False
        elif not hidden:
            kept.append(line)
    return "\n".join(kept).rstrip()


def _place(line: list[tuple[_Slot | None, dict]], before: list[_Slot]) -> int:
    """Behind the last cell present that precedes it in the source, and behind what the student added there."""
    known = {id(slot) for slot in before}
    place = 0
    for index, (slot, _) in enumerate(line):
        if slot is not None and id(slot) in known:
            place = index + 1
    while place and place < len(line) and line[place][0] is None:
        place += 1
    return place


def _tests_after_answers(line: list[tuple[_Slot | None, dict]]) -> list[tuple[_Slot | None, dict]]:
    """Move a test that stands before its answer to the end of the notebook."""
    places = {slot.grade_id: i for i, (slot, _) in enumerate(line) if slot is not None and slot.grade_id}
    late = [
        i
        for i, (slot, _) in enumerate(line)
        if slot is not None
        and slot.locked
        and slot.grade_id
        and places.get(slot.grade_id.removesuffix("-test"), -1) > i
    ]
    return [entry for i, entry in enumerate(line) if i not in late] + [line[i] for i in late]


def _finish(cell: dict, stub: dict | None, ours: set[str]) -> None:
    """The checksum by which nbgrader knows an untouched stub, and markdown that is safe to show: the course's own is."""
    if stub is not None:
        checksum = stub.get("metadata", {}).get("nbgrader", {}).get("checksum")
        if checksum:
            cell["metadata"]["nbgrader"]["checksum"] = checksum
    if cell["cell_type"] == "markdown" and text_of(cell["source"]).strip() not in ours:
        cell["source"] = safe_markdown(text_of(cell["source"]))


def _extra(cell: dict) -> dict:
    """A cell that the student added: its text, none of its metadata. Raw cells become markdown."""
    if cell["cell_type"] == "code":
        return {
            "cell_type": "code",
            "metadata": {},
            "source": cell["source"],
            "outputs": [],
            "execution_count": None,
        }
    return {"cell_type": "markdown", "metadata": {}, "source": cell["source"]}


def _answer(cell: dict, slot: _Slot) -> dict:
    """The source's cell with the student's text; its type, points and metadata are the source's."""
    kept = copy.deepcopy(slot.cell)
    kept["source"] = cell["source"]
    return kept | ({"outputs": [], "execution_count": None} if kept["cell_type"] == "code" else {})


def _free(cell: dict, slot: _Slot) -> dict:
    """A cell that anyone may change. What need not run again keeps the student's outputs, cleaned."""
    kept = _extra(cell)
    kept["metadata"] = copy.deepcopy(slot.cell.get("metadata", {}))
    kept["id"] = slot.cell_id
    if kept["cell_type"] == "code" and slot.keeps_outputs and isinstance(cell.get("outputs"), list):
        kept["outputs"] = [output for output in map(clean, cell["outputs"][:200]) if output is not None]
    return kept
