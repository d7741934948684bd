"""Read a submitted file, whatever it is: a damaged one becomes an empty notebook with a flag, so that no batch stops."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode

from course_admin.grading.outputs import shown_name, text_of

MOST_MB = 50
LINK_NOTE = "A link stood here. Submissions hold plain files.\n"
MOST_NAMED = 5


class Unreadable(ValueError):
    """The file is no notebook; the message says what it is."""


def read_submission(path: Path) -> dict:
    """The notebook in `path`, as JSON data in format 4.

    Raises:
        Unreadable: a link, a folder, too large, not UTF-8, not JSON, or no notebook.
    """
    return parse_submission(read_bytes(path))


def find_notebook(expected: Path) -> tuple[Path, str]:
    """The file to grade, since what students download and hand in again often bears another name.

    Args:
        expected: where the notebook should lie.

    Returns:
        `expected` if anything lies there, else the only other notebook in its folder, else `expected`; and a flag that
        names what lies there under other names, empty if nothing does.

    Raises:
        Unreadable: it is missing, and which of several others is meant cannot be known.
    """
    try:
        others = sorted(path for path in expected.parent.iterdir() if path != expected and _is_notebook(path))
    except OSError:
        others = []
    names = ", ".join(shown_name(path.name) for path in others[:MOST_NAMED])
    names += f" and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
    if not others:
        return expected, ""
    if os.path.lexists(expected):
        return expected, f"{expected.name} is graded; beside it lie other notebooks, not used: {names}"
    if len(others) == 1:
        return others[0], f"{expected.name} is missing; graded instead, the only notebook there: {names}"
    raise Unreadable(
        f"is missing, and it could be any of several others ({names}): rename one to {expected.name}"
    )


def _is_notebook(path: Path) -> bool:
    """Whether a file is plain, visible and a notebook by its name. What `unlink_links` leaves of a link is none."""
    if path.suffix != ".ipynb" or path.name.startswith("."):
        return False
    return stat.S_ISREG(path.lstat().st_mode) and not was_link(path)


def was_link(path: Path) -> bool:
    """Whether a plain file is what `unlink_links` leaves of a link."""
    try:
        return path.stat().st_size == len(LINK_NOTE) and path.read_bytes() == LINK_NOTE.encode()
    except OSError:
        return False


def read_bytes(path: Path) -> bytes:
    """The bytes of a plain file.

    Raises:
        Unreadable: a link, a folder, missing, or too large.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise Unreadable(
            f"cannot be opened ({'it is a link' if path.is_symlink() else error.strerror})"
        ) from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise Unreadable("is no plain file")
    with os.fdopen(descriptor, "rb") as file:
        if status.st_size > MOST_MB * 2**20:
            raise Unreadable(
                f"has {status.st_size / 2**20:.0f} MB; at most {MOST_MB} are read (a notebook without its outputs is small)"
            )
        return file.read()


def parse_submission(raw: bytes) -> dict:
    """A submitted notebook's bytes as JSON data in format 4.

    Raises:
        Unreadable: empty, not UTF-8, not JSON, or no notebook.
    """
    if not raw.strip():
        raise Unreadable("is empty")
    if raw == LINK_NOTE.encode():
        raise Unreadable("was a link")
    try:
        data = json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Unreadable("is not UTF-8 text") from None
    except (ValueError, RecursionError):
        raise Unreadable("is not JSON (cut short?)") from None
    if not isinstance(data, dict):
        raise Unreadable("is JSON but no notebook")
    if data.get("nbformat") != 4 or not isinstance(data.get("cells"), list):
        data = _older(data)
    return data


def _older(data: dict) -> dict:
    """A notebook of format 1 to 3, converted."""
    if "worksheets" not in data and "cells" not in data:
        raise Unreadable("is JSON but no notebook")
    try:
        return json.loads(nbformat.writes(nbformat.convert(nbformat.from_dict(data), 4)))
    except Exception as error:
        raise Unreadable(
            f"has notebook format {str(data.get('nbformat'))[:20]} ({type(error).__name__})"
        ) from None


def graded_as_empty(why: object) -> str:
    """The flag of a submission that cannot be read."""
    return f"the file {why}; graded as empty"


class SubmissionExporter(NotebookExporter):
    """nbconvert's notebook exporter, except that it reads with `read_submission` and never fails on what it reads."""

    def from_filename(self, filename: str, resources: Any = None, **kw: Any) -> tuple[Any, Any]:
        flag = ""
        try:
            data = read_submission(Path(filename))
        except Unreadable as error:
            data, flag = {"cells": []}, graded_as_empty(error)
        cells = [
            {**cell, "source": text_of(cell.get("source"))}
            for cell in data["cells"]
            if isinstance(cell, dict)
        ]
        notebook = NotebookNode(cells=cells, metadata={}, nbformat=4, nbformat_minor=5)
        metadata = data.get("metadata")
        if isinstance(metadata, dict) and isinstance(metadata.get("course"), dict):
            notebook.metadata["course"] = metadata["course"]
        if flag:
            notebook.metadata["reading_flag"] = flag
        return self.from_notebook_node(notebook, resources=resources, **kw)


def before_autograde(notebooks: list[str], **_: Any) -> None:
    """nbgrader's hook before it copies a submission: what it would copy are plain files."""
    for folder in {Path(notebook).parent for notebook in notebooks}:
        unlink_links(folder)


def unlink_links(folder: Path) -> list[str]:
    """Replace symbolic links in a submission by small text files, so that nothing outside it is copied.

    Returns:
        The names of what was replaced.
    """
    found = []
    for parent, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            path = Path(parent) / name
            if path.is_symlink():
                path.unlink()
                path.write_text(LINK_NOTE)
                found.append(str(path.relative_to(folder)))
    return found
