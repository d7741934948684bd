"""The grading half of nbgrader's configuration; nbgrader_config.py calls it."""

from typing import Any

from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    GetGrades,
    SaveAutoGrades,
)

from course_admin.grading.preprocessors import HideTests, PageStyle, Reassemble, SandboxedExecute
from course_admin.grading.reading import SubmissionExporter, before_autograde


def configure_grading(c: Any) -> None:
    """Let nbgrader's autograde and feedback, from its CLI or formgrader, go through the sandbox.

    Args:
        c: the configuration object that nbgrader passes to nbgrader_config.py.
    """
    c.Autograde.pre_convert_hook = before_autograde
    c.Autograde.exporter_class = SubmissionExporter
    c.Autograde.sanitize_preprocessors = [Reassemble, CheckCellMetadata]
    c.Autograde.autograde_preprocessors = [
        SandboxedExecute,
        SaveAutoGrades,
        AssignLatePenalties,
        CheckCellMetadata,
    ]
    c.GenerateFeedback.preprocessors = [GetGrades, HideTests]
    c.HTMLExporter.preprocessors = [PageStyle]  # of feedback and formgrader
    # It comes last and would drop what PageStyle, which is one too and so needs the second line, has said.
    c.CSSHTMLHeaderPreprocessor.enabled = False
    c.PageStyle.enabled = True
    c.HTMLExporter.sanitize_html = True
    c.ClearMetadataPreprocessor.enabled = False
