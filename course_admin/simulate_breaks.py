"""Submissions that are broken in ways students really manage; each names what grading must make of it.

A break changes a simulated student's notebook in place and corrects what is expected: the scores, and
patterns that flags for the instructor must match.
"""

import ast
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Work:
    """One student's notebook while it is made.

    Attributes:
        cells: the notebook's cells, each source one text.
        answered: machine-graded questions that are not blank, in order.
        unlike: of these, the ones whose answer does not define all the names that the reference defines.
        written: questions that a person marks.
        scores: expected points by question; None where a person marks.
        flags: regular expressions; each must match one of the instructor's flags.
        cut: keep only this share of the file's text.
    """

    cells: list[dict[str, Any]]
    answered: list[str]
    scores: dict[str, float | None]
    unlike: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    note: str = ""
    cut: float | None = None

    def index(self, grade_id: str) -> int:
        """Where the cell with this grade id stands."""
        for index, cell in enumerate(self.cells):
            if cell["metadata"].get("nbgrader", {}).get("grade_id") == grade_id:
                return index
        raise LookupError(grade_id)

    def cell(self, grade_id: str) -> dict[str, Any]:
        return self.cells[self.index(grade_id)]

    def insert(self, index: int, kind: str, text: str) -> None:
        """A cell that the student added; its id is new."""
        cell: dict[str, Any] = {"cell_type": kind, "id": f"added-{len(self.cells)}", "metadata": {}}
        cell |= {"outputs": [], "execution_count": None} if kind == "code" else {}
        self.cells.insert(index, cell | {"source": text})


def top_level_names(code: str) -> set[str]:
    """What a cell defines at its top level; nothing where it is no Python."""
    try:
        body = ast.parse(code).body
    except SyntaxError:
        return set()
    targets = [target for node in body if isinstance(node, ast.Assign) for target in node.targets]
    return {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)} | {
        target.id for target in targets if isinstance(target, ast.Name)
    }


def _victim(work: Work, rng: random.Random) -> str:
    """A question that would earn points, so that losing them shows."""
    earning = [question for question in work.answered if work.scores[question]]
    return rng.choice(earning or work.answered)


def _spoil(work: Work, rng: random.Random, before: str = "", after: str = "") -> str:
    """Put lines before or after one answer that keep its cell from running, so that it earns nothing."""
    question = _victim(work, rng)
    cell = work.cell(question)
    cell["source"] = before + cell["source"].rstrip("\n") + "\n" + after
    work.scores[question] = 0.0
    return question


def syntax_error(work: Work, rng: random.Random) -> None:
    question = _spoil(work, rng, after='print("done"\n')
    work.note = f"{question}: a parenthesis is never closed, so the cell does not run"


def top_level_error(work: Work, rng: random.Random) -> None:
    question = _spoil(work, rng, before="checked = check_my_answer(3)\n\n")
    work.note = f"{question}: calls a function that does not exist before it defines anything"


def exits(work: Work, rng: random.Random) -> None:
    question = _spoil(work, rng, before="import sys\n\nsys.exit()\n\n")
    work.note = f"{question}: sys.exit() before anything is defined"


def kills_kernel(work: Work, rng: random.Random) -> None:
    question = _spoil(work, rng, before="import os\n\nos._exit(1)\n\n")
    work.note = f"{question}: ends the kernel's process; every other answer still counts"
    work.flags.append("killed its kernel")


def endless_loop(work: Work, rng: random.Random) -> None:
    question = _spoil(work, rng, before="step = 0\nwhile step < 10:\n    step = step * 1\n\n")
    work.note = f"{question}: loops without end when its cell runs"
    work.flags.append("a cell was stopped after")


def test_deleted(work: Work, rng: random.Random) -> None:
    question = _victim(work, rng)
    del work.cells[work.index(f"{question}-test")]
    work.note = f"{question}: the test cell is deleted; the original is put back"
    work.flags.append(rf"{question}-test: .*missing")


def test_edited(work: Work, rng: random.Random) -> None:
    question = rng.choice(work.answered)
    work.cell(f"{question}-test")["source"] = 'assert True\nprint("all checks pass")\n'
    work.note = f"{question}: the test cell is replaced by one that always passes; the original counts"
    work.flags.append(rf"{question}-test: .*changed")


def cells_duplicated(work: Work, rng: random.Random) -> None:
    question = rng.choice(work.answered)
    for grade_id in (question, f"{question}-test"):
        index = work.index(grade_id)
        work.cells.insert(index + 1, {**work.cells[index], "id": f"copy-of-{grade_id}"[:64]})
    work.note = f"{question}: answer and test cell stand there twice, with the same grade ids"
    work.flags.append(rf"{question}: stands there 2 times")


def extra_cells(work: Work, rng: random.Random) -> None:
    for question in rng.sample(work.answered, k=min(3, len(work.answered))):
        text = f'print("trying {question}")\nscratch = [n * n for n in range(5)]'
        work.insert(work.index(question) + 1, "code", text)
    work.insert(len(work.cells), "markdown", "My notes: read the second part again before the exam.")
    work.note = "scratch cells and notes of their own"


def stderr_warnings(work: Work, rng: random.Random) -> None:
    question = _victim(work, rng)
    cell = work.cell(question)
    warning = 'import sys\nimport warnings\n\nwarnings.warn("still to tidy up")\n'
    cell["source"] = warning + 'print("debug", file=sys.stderr)\n\n' + cell["source"]
    work.note = f"{question}: warns and prints to stderr, which must cost nothing"


def metadata_lost(work: Work, rng: random.Random) -> None:
    for cell in work.cells:
        cell["metadata"] = {}
    work.note = "another editor dropped every cell's metadata; the cells' ids are left"


def ids_lost(work: Work, rng: random.Random) -> None:
    """Then code answers can be told only by the names that they define, and written ones not at all."""
    for cell in work.cells:
        cell["metadata"] = {}
        del cell["id"]
    work.scores.update(dict.fromkeys(work.written, 0.0))
    work.scores.update(dict.fromkeys(work.unlike))  # a person has to look
    work.note = "an old editor dropped metadata and cell ids"
    work.flags.append("found by what it defines")


def truncated_file(work: Work, rng: random.Random) -> None:
    work.cut = 0.6
    work.scores = dict.fromkeys(work.scores, 0.0)
    work.note = "the file is cut short, so it is no JSON"
    work.flags.append("not JSON")


BREAKS: dict[str, Callable[[Work, random.Random], None]] = {
    "syntax-error": syntax_error,
    "test-edited": test_edited,
    "top-level-error": top_level_error,
    "truncated-file": truncated_file,
    "test-deleted": test_deleted,
    "cells-duplicated": cells_duplicated,
    "stderr-warnings": stderr_warnings,
    "sys-exit": exits,
    "extra-cells": extra_cells,
    "metadata-lost": metadata_lost,
    "endless-loop": endless_loop,
    "kernel-killed": kills_kernel,
    "ids-lost": ids_lost,
}
