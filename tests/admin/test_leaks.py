"""Each way in which an answer could reach a student is planted, and seen."""

import base64
import copy

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from course_admin.build import LeakError, build_release, build_source, check_leaks
from course_admin.leaks import read_secrets


@pytest.fixture
def pair(built):
    """The tiny course's source and its clean release."""
    return nbformat.read(built.source, 4), nbformat.read(built.release, 4)


def cell_of(notebook, name):
    return next(cell for cell in notebook.cells if cell.id == name)


def test_a_clean_release_has_no_leak(pair):
    assert check_leaks(*pair) == []


@pytest.mark.parametrize(
    ("line", "kind", "question"),
    [
        ("    twice_as_much = np.asarray(x) + np.asarray(x)", "solution", "double"),
        ("    # return twice_as_much", "solution", "double"),
        ("twice_as_much   =  np.asarray(x)  +  np.asarray(x)", "solution", "double"),
        ("if True: twice_as_much = np.asarray(x) + np.asarray(x)", "solution", "double"),
        ("self.value = self.value + self.step", "solution", "counter"),
        ('task_review = "many-to-one"  # a) positive or negative "review" (#1)', "solution", "tasks"),
        ('task_review = "many-to-one"', "solution", "tasks"),
        ("# a review has many words and gets one label", "solution", "tasks"),
        ("total = 64 * 64 + 4096", "solution", "count"),
        ('    with check.part("an array", points=2):', "hidden test", "double-test"),
        ("expect_close(student.double(0), 0, what=\"double(0)\")", "hidden test", "double-test"),
        ("### BEGIN SOLUTION", "marker", "BEGIN SOLUTION"),
        ("    ### END HIDDEN TESTS", "marker", "END HIDDEN TESTS"),
    ],
)  # fmt: skip
def test_a_line_of_code_is_refused_in_code_and_in_text(pair, line, kind, question):
    source, release = pair
    for name in ("experiment-a6833ecc", "text-08c22873"):
        planted = copy.deepcopy(release)
        cell_of(planted, name).source += f"\n\n{line}"
        leaks = check_leaks(source, planted)
        assert [leak.kind for leak in leaks] == [kind], leaks
        assert question in leaks[0].detail


@pytest.mark.parametrize(
    "line",
    [
        "expect_number(student.total, 8192, what='')",
        "expect_number(student.total, expected=2 * 4096, what='')",
        "assert student.total == 8192.0",
        "expect_choice(student.task_review, 'Many-to-one', [], what='')",
    ],
)
def test_a_visible_check_against_the_right_value_is_refused(pair, line):
    source, release = pair
    cell_of(release, "experiment-a6833ecc").source += f"\n{line}"
    assert ["in plain sight" in leak.detail for leak in check_leaks(source, release)] == [True]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("One set of weights serves every step, whatever the length.", "solution"),
        ("> - Half a point for translation in time.", "mark scheme"),
        ("Half a point for translation in time. And more", "mark scheme"),
        ("### BEGIN MARK SCHEME", "marker"),
    ],
)
def test_a_line_of_text_is_refused(pair, line, kind):
    source, release = pair
    cell_of(release, "why").source += f"\n{line}"
    leaks = [leak for leak in check_leaks(source, release) if leak.kind != "metadata"]
    assert [leak.kind for leak in leaks] == [kind]
    assert leaks[0].where == "cell why"


def test_lines_that_say_nothing_or_are_public_are_passed_over(pair):
    source, release = pair
    cell_of(
        source, "double"
    ).source += "\n    ### BEGIN SOLUTION\n    )\n    import numpy as np\n    ### END SOLUTION"
    cell_of(release, "experiment-a6833ecc").source += "\n)\nimport numpy as np"
    assert check_leaks(source, release) == []


def outputs(notebook):
    cell_of(notebook, "tasks").outputs = [new_output("execute_result", {"text/plain": "'many-to-one'"})]


def harmless_output(notebook):
    cell_of(notebook, "setup").outputs = [new_output("stream", text="hello")]


def execution_count(notebook):
    cell_of(notebook, "setup").execution_count = 4


def cell_metadata(notebook):
    cell_of(notebook, "count").metadata["hint"] = {"note": ["it is 8192"]}


def course_note(notebook):
    cell_of(notebook, "count").metadata["course"] = {"kind": "number"}


def notebook_metadata(notebook):
    notebook.metadata["answers"] = {"task_review": "many-to-one"}


def stamp(notebook):
    notebook.metadata.course["built_sha256"] = "0" * 64


def kernel_name(notebook):
    notebook.metadata.kernelspec["display_name"] = "one-to-many"


def top_level(notebook):
    notebook["note"] = "many-to-one"


def cell_key(notebook):
    cell_of(notebook, "count")["note"] = "8192"


def tag(notebook):
    cell_of(notebook, "experiment-a6833ecc").metadata.tags.append("many-to-one")


def nbgrader_note(notebook):
    cell_of(notebook, "tasks").metadata.nbgrader["answer"] = "many-to-one"


def points(notebook):
    cell_of(notebook, "tasks-test").metadata.nbgrader["points"] = 8192


def checksum(notebook):
    cell_of(notebook, "tasks-test").metadata.nbgrader["checksum"] = "0" * 32


def editable(notebook):
    cell_of(notebook, "tasks-test").metadata["editable"] = "many-to-one"


def new_cell(notebook):
    notebook.cells.append(new_code_cell("1 + 1", id="extra"))


def attachment(notebook, content="the answer is one-to-many", shown=True, kind="text/plain"):
    cell = new_markdown_cell("![](attachment:a.png)" if shown else "", id=notebook.cells[0].id)
    cell.attachments = {"a.png": {kind: base64.b64encode(content.encode()).decode()}}
    notebook.cells[0] = cell


def attachment_svg(notebook):
    attachment(notebook, "<svg><text>\nreturn twice_as_much\n</text></svg>", kind="image/svg+xml")


def attachment_unseen(notebook):
    attachment(notebook, "harmless", shown=False)


@pytest.mark.parametrize(
    ("plant", "kind", "says"),
    [
        (outputs, "output", "answer of tasks"),
        (harmless_output, "output", "no outputs"),
        (execution_count, "execution count", "In [4]"),
        (cell_metadata, "metadata", 'key "hint"; it holds the answer of count'),
        (course_note, "metadata", 'key "course"'),
        (notebook_metadata, "metadata", 'key "answers.task_review"; it holds the answer of tasks'),
        (stamp, "metadata", 'key "course.built_sha256"'),
        (
            kernel_name,
            "metadata",
            '"kernelspec.display_name" is not the source\'s; it holds the answer of tasks',
        ),
        (top_level, "metadata", 'key "note"; it holds the answer of tasks'),
        (cell_key, "metadata", 'key "note"; it holds the answer of count'),
        (tag, "tag", 'tag "many-to-one"; it holds the answer of tasks'),
        (nbgrader_note, "metadata", '"answer" is not the source\'s; it holds the answer of tasks'),
        (points, "metadata", '"points" is not the source\'s; it holds the answer of count'),
        (checksum, "metadata", '"checksum" is not the source\'s'),
        (editable, "metadata", '"editable" is no truth value; it holds the answer of tasks'),
        (new_cell, "cell", "the source has no such cell"),
        (attachment, "attachment", "holds the answer of tasks"),
        (attachment_svg, "attachment", "holds the answer of double"),
        (attachment_unseen, "attachment", "shown nowhere"),
    ],
)
def test_what_a_release_has_no_reason_to_carry_is_refused(pair, plant, kind, says):
    source, release = pair
    plant(release)
    found = [str(leak) for leak in check_leaks(source, release) if leak.kind == kind and says in leak.detail]
    assert found, check_leaks(source, release)


def test_secrets_know_values_and_arithmetic(pair):
    secrets = read_secrets(pair[0])
    assert secrets.values == {"many-to-one": "tasks", "one-to-many": "tasks", "8192": "count"}
    assert secrets.question_of("it is 8192.") == "count" and secrets.question_of("81920 or 18192") is None


def test_a_leaking_build_stops_and_leaves_everything_as_it_was(built):
    before = {p: p.read_bytes() for p in built.release.parent.rglob("*")}
    book = (built.root / "gradebook.db").read_bytes()
    built.change("        student.total  # noqa: B018\n", "        assert student.total == 8192\n")
    build_source(built.root, "01")
    with pytest.raises(LeakError) as caught:
        build_release(built.root, "01")
    assert [leak.where for leak in caught.value.leaks] == ["cell count-test"]
    assert "release of 01_tiny refused" in str(caught.value) and "`total`" in str(caught.value)
    assert {p: p.read_bytes() for p in built.release.parent.rglob("*")} == before
    assert (built.root / "gradebook.db").read_bytes() == book
    assert not list((built.root / "build").iterdir())


def test_files_beside_the_source_are_checked_too(built):
    (built.source.parent / "notes.txt").write_text("see below\nreturn twice_as_much\n")
    with pytest.raises(LeakError, match=r"solution in notes\.txt"):
        build_release(built.root, "01")
    (built.source.parent / "notes.txt").write_text("see below\n")
    assert (build_release(built.root, "01").parent / "notes.txt").exists()
    (built.source.parent / "old.ipynb").write_bytes(built.source.read_bytes())
    with pytest.raises(LeakError, match=r"old\.ipynb"):
        build_release(built.root, "01")
