"""What is graded: the course's cells, the student's work, whatever was done to the notebook in between."""

import copy
import json

import pytest

from course_admin.grading.reassemble import MOST_CELLS, defined_names, reassemble
from tests.grading import tiny


@pytest.fixture
def made(built, source, release):
    """`made(change)`: reassemble a right submission after `change(cells by id, notebook)`."""

    def make(change=lambda cells, notebook: None, **answers):
        notebook = copy.deepcopy(built.right(**answers))
        change({cell["id"]: cell for cell in notebook["cells"]}, notebook)
        return reassemble(notebook, source, release)

    return make


def by_grade_id(made):
    cells = made.notebook["cells"]
    return {c["metadata"]["nbgrader"]["grade_id"]: c for c in cells if "nbgrader" in c.get("metadata", {})}


def test_an_honest_submission_is_its_own_answers_and_our_tests(made):
    result = made()
    cells = by_grade_id(result)
    assert result.flags == []
    assert cells["scale"]["source"] == tiny.ANSWERS["scale"]
    assert tiny.MARKER in cells["scale-test"]["source"]
    assert {c: cells[c]["metadata"]["nbgrader"]["points"] for c in tiny.POINTS} == tiny.POINTS


def test_cells_that_stand_as_the_course_wrote_them_are_marked(made):
    """What they define is no part of an answer."""

    def change(cells, notebook):
        cells["show"]["source"] += "  # changed"

    notes = lambda result: {
        cell["id"] for cell in result.notebook["cells"] if cell["metadata"].get("course", {}).get("given")
    }
    assert notes(made()) >= {"setup", "show", "study"}
    assert not notes(made()) & {"tasks", "scale", "step", "why"}
    assert "show" not in notes(made(change)) and "study" in notes(made(change))


def test_the_notebook_of_another_section(source, release):
    def cell(name):
        return {
            "cell_type": "code",
            "source": "x = 1",
            "metadata": tiny.grader(name, "code", grade=False, solution=True),
        }

    other = {"cells": [cell("gates"), cell("a\u202eb"), {"cell_type": "markdown", "source": "# 03"}]}
    result = reassemble(other, source, release)
    assert result.flags == [
        "none of this notebook's 4 questions is in it; is it another notebook? (it holds gates, a\\u202eb)"
    ]
    assert by_grade_id(result)["scale"]["source"] == tiny.STUBS["scale"]


def test_nothing_that_is_read_is_changed(built, source, release):
    notebook = built.right()
    before = [json.dumps(part) for part in (notebook, source, release)]
    reassemble(notebook, source, release)
    assert [json.dumps(part) for part in (notebook, source, release)] == before


def test_metadata_of_a_submission_counts_for_nothing(made):
    def change(cells, notebook):
        cells["scale-test"]["metadata"]["nbgrader"].update(points=100, grade=False)
        cells["step"]["cell_type"] = "markdown"
        cells["scale"]["metadata"]["tags"] = ["experiment"]
        notebook["metadata"]["course"] = {"flags": ["x"], "records": {"study": []}}

    cells = by_grade_id(made(change))
    assert cells["scale-test"]["metadata"]["nbgrader"]["points"] == 3
    assert cells["scale-test"]["metadata"]["nbgrader"]["grade"] is True
    assert cells["step"]["cell_type"] == "code" and "tags" not in cells["scale"]["metadata"]
    said = made(change).flags
    assert [flag.split(" was changed")[0] for flag in said[1:]] == [
        "scale: its tags", "scale-test: its metadata (grade)", "step: its type"
    ]  # fmt: skip
    assert "only grading may say" in said[0]


@pytest.mark.parametrize("cell_id", ["setup", "scale-test"])
def test_edited_locked_cells(made, cell_id):
    result = made(lambda cells, notebook: cells[cell_id].update(source="assert True"))
    assert by_grade_id(result)[cell_id]["source"] != "assert True"
    assert result.flags == [f"{cell_id}: its text was changed; the original counts"]


@pytest.mark.parametrize("cell_id", ["setup", "scale", "scale-test", "why"])
def test_deleted_cells_are_put_back(made, cell_id):
    result = made(lambda cells, notebook: notebook["cells"].remove(cells[cell_id]))
    assert cell_id in by_grade_id(result)
    assert result.flags == [f"{cell_id}: the cell was missing and was put back"]
    order = list(by_grade_id(result))
    assert order.index("setup") == 0 and order.index("scale") < order.index("scale-test")


def test_moved_tests_come_behind_their_answers(made):
    def change(cells, notebook):
        notebook["cells"].remove(cells["step-test"])
        notebook["cells"].insert(0, cells["step-test"])

    order = list(by_grade_id(made(change)))
    assert order.index("step") < order.index("step-test")


def test_of_two_answers_the_filled_one_counts_and_a_stub_does_not_undo_it(made):
    def change(cells, notebook):
        twin = copy.deepcopy(cells["scale"])
        twin.update(id="twin", source=tiny.STUBS["scale"])
        notebook["cells"].insert(notebook["cells"].index(cells["scale"]) + 1, twin)

    result = made(change)
    assert by_grade_id(result)["scale"]["source"] == tiny.ANSWERS["scale"]
    assert tiny.STUBS["scale"] not in [cell["source"] for cell in result.notebook["cells"]]
    assert any("2 times" in flag for flag in result.flags)


def test_copies_of_tests_are_left_out(made):
    def change(cells, notebook):
        twin = copy.deepcopy(cells["scale-test"])
        notebook["cells"].append(twin | {"id": "twin"})

    result = made(change)
    grade_ids = [c["metadata"].get("nbgrader", {}).get("grade_id") for c in result.notebook["cells"]]
    assert grade_ids.count("scale-test") == 1
    assert any("copy of a locked cell" in flag for flag in result.flags)


def test_lost_metadata_is_found_again(made):
    def change(cells, notebook):
        for cell in notebook["cells"]:
            cell.pop("id")
            cell["metadata"] = {}

    result = made(change)
    cells = by_grade_id(result)
    assert (
        cells["scale"]["source"] == tiny.ANSWERS["scale"]
        and cells["tasks"]["source"] == tiny.ANSWERS["tasks"]
    )
    assert any("found by what it defines" in flag for flag in result.flags)


def test_windows_lines(made):
    result = made(scale=tiny.ANSWERS["scale"].replace("\n", "\r\n"))
    assert by_grade_id(result)["scale"]["source"] == tiny.ANSWERS["scale"] and result.flags == []


def test_experiments_keep_their_outputs_and_records_and_answers_do_not(made):
    rows = [{"k": 1, "error": 0.5}]
    record = {"application/vnd.course.record+json": {"name": "study", "rows": rows}, "text/plain": "shown"}

    def change(cells, notebook):
        script = {"output_type": "display_data", "data": {"text/html": "<script>"}, "metadata": {}}
        cells["study"]["outputs"] = [{"output_type": "display_data", "data": record, "metadata": {}}, script]
        cells["scale"]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "forged"}]

    result = made(change)
    assert result.records == {"study": rows}
    study = next(
        cell for cell in result.notebook["cells"] if cell.get("id") == "study" or "study()" in cell["source"]
    )
    assert [output["data"] for output in study["outputs"]] == [{"text/plain": "shown"}]
    assert by_grade_id(result)["scale"]["outputs"] == []


@pytest.mark.parametrize("stub", [tiny.STUBS["why"], None])
def test_checksums_tell_an_untouched_written_answer(made, release, stub):
    from nbformat import from_dict
    from nbgrader.utils import compute_checksum

    cell = by_grade_id(made(**({"why": stub} if stub else {})))["why"]
    untouched = cell["metadata"]["nbgrader"]["checksum"] == compute_checksum(from_dict(cell))
    assert untouched == bool(stub)


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"cells": 5},
        {"cells": [None, 3, "x", [], {}]},
        {"cells": [{"cell_type": "code", "source": {"a": 1}, "outputs": 5, "metadata": []}]},
        {"cells": [{"cell_type": "code", "source": None, "outputs": {"data": 1}}]},
        {"cells": [{"cell_type": ["code"], "source": "x"}]},
        {"cells": [{"cell_type": "code", "metadata": {"nbgrader": {"grade_id": ["x"]}}, "source": "x"}]},
        {"cells": [{"cell_type": "code", "source": json.loads("[" * 900 + "]" * 900)}]},
        {"cells": [{"cell_type": "code", "source": "(" * 5000}]},
    ],
)
def test_odd_data_never_stops_us(odd, source, release):
    result = reassemble(odd, source, release)
    assert {"tasks-test", "scale-test", "step-test", "why"} <= by_grade_id(result).keys()
    json.dumps(result.notebook)


def test_tags_stay_in_the_courses_own_text_and_in_no_other(source, release):
    hint = "<details><summary>Stuck?</summary>\n\nLook at $a<b$.\n\n</details>"
    for notebook in (source, release):
        notebook["cells"][0]["source"] = hint
    title = {**release["cells"][0], "source": hint.splitlines(keepends=True)}
    changed = {"cell_type": "markdown", "metadata": {}, "source": f"{hint} mine"}
    cells = reassemble({"cells": [title, changed, *release["cells"][1:]]}, source, release).notebook["cells"]
    assert [cell["source"] for cell in cells if "Stuck" in cell["source"]] == [
        hint,
        "< details>< summary>Stuck?< /summary>\n\nLook at $a< b$.\n\n< /details> mine",
    ]


def test_cells_without_end(source, release):
    cell = {"cell_type": "markdown", "metadata": {}, "source": "x"}
    result = reassemble({"cells": [cell] * 10_000}, source, release)
    assert len(result.notebook["cells"]) < MOST_CELLS + 20
    assert any("10000 cells" in flag for flag in result.flags)


def test_defined_names():
    assert defined_names("a, b = 1, 2\nc = 3\ndef f(): pass\nclass G: x = 1") >= {"c", "f", "G"}
    assert defined_names("not python (") == set()
    assert defined_names("%%time\n!ls\ndef f(): pass") == {"f"}


def test_of_too_many_cells_the_answers_are_kept(made):
    extra = {"cell_type": "markdown", "metadata": {}, "source": "x"}
    result = made(
        lambda cells, notebook: notebook.update(cells=[dict(extra) for _ in range(5000)] + notebook["cells"])
    )
    assert by_grade_id(result)["scale"]["source"] == tiny.ANSWERS["scale"]
