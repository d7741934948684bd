"""nbgrader's autograde, made safe: preprocessors named in nbgrader_config.py, so that CLI and formgrader's button use them.

`Reassemble` replaces its sanitizing steps, `SandboxedExecute` its Execute; `HideTests` keeps hidden tests out of feedback.
`PageStyle` makes feedback and formgrader legible.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters.exporter import ResourcesDict
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Dict

from course_admin.grading.examiner import grade_in_process
from course_admin.grading.reassemble import reassemble, without_hidden
from course_admin.grading.submission import finish, withheld_for
from course_admin.grading.worker import Job
from course_admin.shipping import ANSWERS

UNSAFE_VARIABLE = "COURSEWORK_UNSAFE"
STYLE = """
.rendered_html table { border-collapse: collapse; margin: 0.6em 0 1em; }
.rendered_html th, .rendered_html td { border-bottom: 1px solid #ddd; padding: 0.25em 0.9em 0.25em 0; vertical-align: top; }
.rendered_html summary { color: #337ab7; cursor: pointer; display: list-item; }
"""


class Reassemble(NbGraderPreprocessor):
    """Rebuild the notebook from the source's cells and the student's work."""

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        names = resources["nbgrader"]
        folder = course_folder(self)
        source = json.loads(_notebook_file(folder / "source", names).read_text(encoding="utf-8"))
        release_file = _notebook_file(folder / "release", names)
        release = json.loads(release_file.read_text(encoding="utf-8")) if release_file.exists() else None
        made = reassemble(nb, source, release)
        unread = [nb.metadata["reading_flag"]] if "reading_flag" in nb.metadata else []
        made.notebook["metadata"]["course"] = {
            "flags": unread or made.flags,
            "records": made.records,
            "withheld": list(withheld_for(release or source)),
        }
        return nbformat.from_dict(made.notebook), resources


class SandboxedExecute(NbGraderPreprocessor):
    """Run the student's cells in a sandbox and the tests in a trusted process of their own."""

    unsafe = Bool(False, help="Run student code without a sandbox").tag(config=True)
    limits = Dict(help="Limits that differ from course_admin.grading.limits.Limits").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        course = dict(nb.metadata.get("course", {}))
        unsafe = self.unsafe or os.environ.get(UNSAFE_VARIABLE) == "1"
        job = Job(
            notebook=json.loads(json.dumps(nb)),
            records=course.get("records", {}),
            limits=dict(self.limits),
            unsafe=unsafe,
            withheld=course.get("withheld", list(ANSWERS)),
        )
        result = grade_in_process(job)
        graded = finish({"metadata": dict(nb.metadata)}, course.get("flags", []), result, unsafe)
        return nbformat.from_dict(graded), resources


class HideTests(NbGraderPreprocessor):
    """For feedback: no hidden test, no mark scheme, no record for the instructor."""

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        nb.metadata.pop("course", None)
        for cell in nb.cells:
            cell.source = without_hidden(cell.source)
        return nb, resources


class PageStyle(CSSHTMLHeaderPreprocessor):
    """For feedback and formgrader, whose style leaves no room between the columns of a table."""

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        nb, resources = super().preprocess(nb, resources)
        resources["inlining"]["css"].append(STYLE)
        return nb, resources


def course_folder(preprocessor: Any) -> Path:
    """The course's root: nbgrader's, or the current folder (to which nbgrader changes)."""
    converter = getattr(getattr(preprocessor, "parent", None), "parent", None)
    coursedir = getattr(converter, "coursedir", None)
    return Path(coursedir.root) if coursedir is not None else Path.cwd()


def _notebook_file(folder: Path, names: dict) -> Path:
    return folder / names["assignment"] / f"{names['notebook']}.ipynb"
