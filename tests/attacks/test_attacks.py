"""Every attack, graded by ours as one class: the score that it deserves, a flag where one is due, nobody else touched."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator

import pytest

from tests.attacks.load import KINDS, attacks
from tests.attacks.runners import HONEST, Batch, run_ours
from tests.grading import tiny

pytestmark = [
    pytest.mark.sandbox,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed"),
]
EVERY = attacks()


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Batch]:
    os.environ["COURSE_ATTACK_SECRET"] = "zqx-environment"
    yield run_ours(tmp_path_factory.mktemp("attacks") / "course", EVERY, jobs=os.cpu_count())
    del os.environ["COURSE_ATTACK_SECRET"]


@pytest.mark.parametrize("attack", EVERY, ids=lambda attack: attack.name)
def test_an_attack_gets_what_its_honest_answers_deserve(batch, attack):
    record = batch.graded[attack.name]
    assert not record.error
    assert record.total == attack.deserved, (record.scores, record.flags)
    assert bool(record.flags) == attack.flag, record.flags
    assert record.points == tiny.POINTS


def test_the_honest_one_at_the_end_has_full_marks(batch):
    record = batch.graded[HONEST]
    assert (record.total, record.to_mark, record.flags, record.error) == (7.0, 1, [], "")


def test_no_submission_was_changed(batch):
    """But for links, which files take the place of."""
    added = {name for name in batch.submitted_after if name not in batch.submitted_before}
    assert {name.split("/")[0] for name in added} == {"malformed_link", "malformed_link_outside"}
    assert {
        name: batch.submitted_after.get(name) for name in batch.submitted_before
    } == batch.submitted_before


def test_the_source_stands(batch, tmp_path):
    fresh = tiny.Tiny(tmp_path / "fresh", tiny.STOCK)
    assert batch.course.source.read_bytes() == fresh.source.read_bytes()


def test_the_gradebook_holds_the_marks_and_no_manual_ones(batch):
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{batch.course.root}/gradebook.db") as gradebook:
        for submission in gradebook.assignment_submissions(tiny.NAME):
            grades = {grade.name: grade for notebook in submission.notebooks for grade in notebook.grades}
            assert all(grade.manual_score is None for grade in grades.values())
            scored = sum(grade.auto_score or 0 for grade in grades.values())
            assert scored == batch.graded[submission.student.id].total
            assert {name: grade.max_score for name, grade in grades.items()} == tiny.POINTS


def test_feedback_harms_no_reader_and_gives_nothing_away(batch):
    assert batch.feedback_failed == {}
    pages = {
        page.parts[-3]: page.read_text(encoding="utf-8")
        for page in batch.course.root.glob("feedback/*/*/*.html")
    }
    assert pages.keys() == batch.graded.keys()
    for name, page in pages.items():
        assert tiny.MARKER not in page and tiny.SCHEME not in page, name
        assert "zqx-environment" not in page, name
        assert not re.search(r"<script[^>]*>[^<]*zqx-script", page), name
        assert not re.search(r"<[^<>]+\bon(error|load)\s*=", page), name
        assert not re.search(r"<(img|iframe)[^>]+evil\.example", page), name
        rendered = re.sub(r"(?s)<pre.*?</pre>", "", page.split("<main")[-1])  # MathJax passes code over
        assert not re.search(r'href="javascript|\\href\{', rendered), name


def test_the_graded_notebooks_hold_nothing_that_runs(batch):
    """What the formgrader shows."""
    for name in batch.graded:
        for cell in batch.course.graded(name)["cells"]:
            for output in cell.get("outputs", []):
                assert set(output.get("data", {})) <= {"text/plain", "image/png", "image/jpeg"}, name
            if cell["cell_type"] == "markdown":
                assert not re.search(r"<[A-Za-z/!]", "".join(cell["source"])), name


def test_every_kind_has_several():
    kinds = [attack.kind for attack in EVERY]
    assert all(kinds.count(kind) >= 5 for kind in KINDS)
    assert len({attack.name for attack in EVERY}) == len(EVERY) >= 120
