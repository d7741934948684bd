"""What travels with a notebook: what it imports and what that needs; of the answers, nothing else."""

from pathlib import Path

import pytest

import course_utils
from course_admin.shipping import ANSWERS, travels, withheld

LIBRARY = Path(course_utils.__file__).parent
FILES = {
    "__init__.py": "",
    "models/__init__.py": "",
    "models/rnn.py": "from course_utils.models.sequences import mask\n",
    "models/sequences.py": "",
    "models/lstm.py": "",
    "metrics/__init__.py": "from course_utils.metrics.text import perplexity\n",
    "metrics/text.py": "",
    "decoding/__init__.py": "",
    "training/__init__.py": "from course_utils.training.loop import fit\n",
    "training/loop.py": "",
    "training/truncated.py": "",
    "training/schedules.py": "",
    "plots.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from course_utils.metrics.text import perplexity\n",
}


@pytest.fixture
def library(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / "course_utils" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "course_utils"


def notebook(code):
    return {
        "cells": [
            {"cell_type": "code", "source": code},
            {"cell_type": "markdown", "source": "import course_utils.models"},
        ]
    }


@pytest.mark.parametrize("code", ["", "from course_utils import training, plots", "this is no python"])
def test_a_notebook_that_uses_no_answer_gets_none(library, code):
    assert withheld(library, notebook(code)) == tuple(sorted(ANSWERS))


def test_what_it_imports_comes_with_what_that_needs_and_no_more(library):
    left_out = withheld(library, notebook("from course_utils.models import rnn"))
    assert "models/lstm.py" in left_out and "models" not in left_out
    assert [name for name in FILES if name.startswith("models") and travels(name, left_out)] == [
        "models/__init__.py",
        "models/rnn.py",
        "models/sequences.py",
    ]


def test_a_package_that_gathers_its_modules_comes_whole(library):
    left_out = withheld(library, notebook(["from course_utils ", "import metrics"]))
    assert travels("metrics/text.py", left_out) and not travels("decoding/__init__.py", left_out)


def test_an_import_by_its_full_name(library):
    left_out = withheld(library, notebook("import course_utils.training.truncated as t"))
    assert travels("training/truncated.py", left_out) and not travels("training/schedules.py", left_out)


def test_the_library_that_travels_needs_nothing_that_does_not():
    """A student's plots, training and data must import without the answers."""
    everything = [
        path.relative_to(LIBRARY) for path in LIBRARY.rglob("*.py") if "__pycache__" not in path.parts
    ]
    always = [path for path in everything if travels(path.as_posix(), ANSWERS)]
    assert len(always) > 20
    code = "\n".join(
        "import course_utils." + ".".join(path.with_suffix("").parts).removesuffix(".__init__")
        for path in always
        if path.name != "__init__.py" or len(path.parts) > 1
    )
    assert withheld(LIBRARY, notebook(code)) == tuple(sorted(ANSWERS))
