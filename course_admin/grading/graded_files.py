"""Files of one submission around its mark: when it was handed in, and the folder in autograded/."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from shutil import copyfile, rmtree

from nbgrader.utils import parse_utc

TIMESTAMP = "timestamp.txt"


def handed_in(folder: Path) -> tuple[datetime | None, str]:
    """When a submission was handed in, in UTC: what nbgrader's exchange left beside it.

    Returns:
        The time, None if none can be read; and a flag for the instructor, empty unless something unreadable stands there.
    """
    path = folder / TIMESTAMP
    try:
        text = path.read_text(encoding="utf-8").strip() if path.is_file() else ""
        return (parse_utc(text), "") if text else (None, "")
    except (OSError, ValueError, OverflowError, TypeError):
        return None, f"{TIMESTAMP} is no time that can be read; whether it came late is not known"


def write_notebook(path: Path, notebook: dict, extra: dict[Path, Path]) -> None:
    """Write a graded notebook, whole or not at all, into a folder that holds nothing else but the files named here.

    Args:
        path: the notebook's place. What stood in its folder from an earlier submission goes.
        extra: other files of the submission and the course: where each belongs → where it is. The later one counts where two
            cannot both be there; what is no plain file, or stands where the notebook belongs, is left out.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in path.parent.iterdir():
        if old != path or not old.is_file():
            _remove(old)
    for target, origin in extra.items():
        if target == path or path in target.parents or not origin.is_file():
            continue
        for place in [*reversed(target.parents), target]:
            if path.parent in place.parents and (place == target or not place.is_dir()):
                _remove(place)
        target.parent.mkdir(parents=True, exist_ok=True)
        with suppress(PermissionError):  # a file that came without the right to read it
            copyfile(origin, target)
    text = json.dumps(notebook, ensure_ascii=False, sort_keys=True) + "\n"
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    with os.fdopen(descriptor, "wb") as file:
        file.write(
            text.encode("utf-8", "backslashreplace")
        )  # half a surrogate becomes JSON's own escape for it
        file.flush()
        os.fsync(file.fileno())
    os.chmod(name, 0o444)
    os.replace(name, path)


def _remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        rmtree(place)
    else:
        place.unlink(missing_ok=True)
