"""A progress bar for JupyterLab and the terminal that leaves no trace in a saved notebook.

for step in progress(range(steps), "training"):
    ...
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any, TypeVar

from tqdm import tqdm

from course_utils.runtime import Budget, budget

PROGRESS_VARIABLE = "COURSE_PROGRESS"
Item = TypeVar("Item")


def progress(iterable: Iterable[Item], label: str, total: int | None = None) -> Iterable[Item]:
    """Wrap an iterable in a bar that appears after half a second and is gone when the loop ends.

    There is no bar where nobody watches: under COURSE_PROGRESS=0, on the `quick` budget, in a notebook that a
    program executes (nbclient, nbval, nbgrader), and where stderr is no terminal.

    Args:
        iterable: what to loop over.
        label: stands before the bar.
        total: number of items, for an iterable without a length.
    """
    kernel = running_kernel()
    # A front end that lets a cell call input() has a person before it; a program that executes one has not.
    watched = sys.stderr.isatty() if kernel is None else getattr(kernel, "_allow_stdin", False)
    if not watched or os.environ.get(PROGRESS_VARIABLE) == "0" or budget() is Budget.QUICK:
        return iterable
    file = sys.stderr if kernel is None else _CellOutput()
    return _Bar(
        iterable, label, total, leave=False, file=file, ncols=80, mininterval=0.2, miniters=1, delay=0.5
    )


def running_kernel() -> Any:
    """Return the Jupyter kernel that runs this code, or None. IPython is not imported to find out."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None)


class _Bar(tqdm):
    monitor_interval = 0  # no watching thread: what a thread prints may land under another cell


class _CellOutput:
    """A file for tqdm that shows its line under a notebook cell and takes it away again.

    tqdm's own notebook bar stores a widget, and its plain bar writes to stderr, for which nbgrader zeroes a
    test cell. This one updates a single display in place, and its last line is empty.
    """

    def __init__(self) -> None:
        self.handle: Any = None

    def write(self, text: str) -> None:
        line = text.strip("\r\n ")
        if self.handle is not None:
            self.handle.update({"text/plain": line}, raw=True)
        elif line:
            from IPython.display import display

            self.handle = display({"text/plain": line}, raw=True, display_id=True)

    def flush(self) -> None:
        """Do nothing: each line is sent as it is written."""
