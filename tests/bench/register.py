"""Tell a course folder's gradebook about a notebook, as `coursework build` does: python -m tests.bench.register ROOT NAME."""

import sys
from pathlib import Path

from nbgrader.apps import NbGraderAPI

from course_admin.build_release import tools_on_path
from course_admin.grading.classroom import nbgrader_config


def main() -> None:
    """Generate the assignment anew in the folder, which writes the gradebook's rows."""
    root, name = Path(sys.argv[1]), sys.argv[2]
    config = nbgrader_config(root)
    with tools_on_path():
        outcome = NbGraderAPI(config=config).generate_assignment(name, force=True, create=True)
    if not outcome["success"]:
        sys.exit(outcome["log"] or outcome["error"])


if __name__ == "__main__":
    main()
