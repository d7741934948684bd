"""manuscript → source: what nbgrader needs, the same bytes twice, errors that name the cell, no edit lost."""

import json

import nbformat
import pytest

from course_admin.build import BuildError, SourceEdited, adopt_source, build_source

TESTS = "    ### BEGIN HIDDEN TESTS\n"


def problems(course, *, discard: bool = False) -> str:
    with pytest.raises(BuildError) as caught:
        build_source(course.root, "01", discard=discard)
    return "\n".join(caught.value.problems)


def read(path):
    return nbformat.read(path, as_version=4)


def test_roles_become_nbgrader_metadata(course):
    notebook = read(build_source(course.root, "01"))
    notes = {
        c.metadata.nbgrader.grade_id: c.metadata.nbgrader for c in notebook.cells if "nbgrader" in c.metadata
    }
    flags = {name: (n.grade, n.solution, n.locked, n.get("points")) for name, n in notes.items()}
    assert flags["setup"] == (False, False, True, None)
    assert flags["double"] == (False, True, False, None)
    assert flags["double-test"] == (True, False, True, 3)
    assert flags["why"] == (True, True, False, 2)
    assert len(flags) == 10
    assert {n.schema_version for n in notes.values()} == {3} and not any(n.task for n in notes.values())
    tags = [c.metadata.tags for c in notebook.cells if "tags" in c.metadata]
    assert tags == [["setup"], ["try"], ["experiment", "nbval-ignore-output"], ["scoreboard"]]
    assert notebook.metadata.kernelspec.name == "python3"
    assert set(notebook.metadata) == {"course", "kernelspec", "language_info"}


def test_the_same_bytes_twice_and_ids_that_stay(course):
    first = build_source(course.root, "01").read_bytes()
    course.source.unlink()
    assert build_source(course.root, "01").read_bytes() == first
    ids = [cell["id"] for cell in json.loads(first)["cells"]]
    assert len(set(ids)) == len(ids) and {"setup", "tasks", "tasks-test", "why"} <= set(ids)
    course.change("# Which arrangement is each", "# Say which arrangement each is")
    after = [cell.id for cell in read(build_source(course.root, "01")).cells]
    assert [a for a, b in zip(ids, after, strict=True) if a != b] == [ids[2]]


def test_twin_cells_get_ids_of_their_own(course):
    course.change("double(3)\n\n", 'double(3)\n\n# %% role="try"\ndouble(3)\n\n')
    ids = [cell.id for cell in read(build_source(course.root, "01")).cells if cell.id.startswith("try-")]
    assert len(ids) == 2 and ids[1] == f"{ids[0]}-2"


def test_nothing_is_written_when_nothing_changed(course):
    before = build_source(course.root, "01").stat().st_mtime_ns
    assert build_source(course.root, "01").stat().st_mtime_ns == before


def test_placeholders_come_from_the_syllabus(course):
    notebook = read(build_source(course.root, "01"))
    assert "You need about 24 minutes." in notebook.cells[0].source
    assert "| Double a number | coding | 3 | 5 |" in notebook.cells[0].source
    assert "| **total** | | **10** | **24** |" in notebook.cells[0].source
    board = notebook.cells[-1].source
    assert 'scoreboard.show({\n    "tasks": "' in board and '"why"' not in board


def test_comments_stay_comments(course):
    """jupytext alone would make a shell command of `# copy …` and a magic of `# %time …`."""
    course.change("import numpy as np\n", "# copy the state\n# %time of it\nimport numpy as np\n")
    assert (
        read(build_source(course.root, "01")).cells[1].source.startswith("# copy the state\n# %time of it\n")
    )


def test_a_header_inside_a_string_is_no_header(course):
    course.change("double(3)\n\n", 'text = """\n# %% role="try"\n"""\n\n')
    assert 'text = """\n# %% role="try"\n"""' in [
        c.source for c in read(build_source(course.root, "01")).cells
    ]


@pytest.mark.parametrize(
    ("old", "new", "cell", "says"),
    [
        ('role="experiment"', 'role="experimnt"', "experimnt", 'unknown role "experimnt"'),
        ('# %% role="try"\n', "# %%\n", "code", "a code cell without role"),
        ('# %% role="try"\n', "# %% role=try\n", "code", "cannot read"),
        ('# %% role="try"\n', '# %% role="try" point=3\n', "try", "cannot read point=3"),
        ('role="try"', 'role="written"', "written", 'unknown role "written" of a code cell'),
        ('role="try"', 'role="try" points=2', "try", "only test and written cells have them"),
        ('role="try"', 'role="try" grade_id="x"', "x", "takes no grade_id"),
        (' grade_id="double-test" points=3', ' grade_id="double-test"', "double-test", "without points"),
        ('role="answer" grade_id="double"', 'role="answer"', "answer", "without grade_id"),
        ('grade_id="double-test"', 'grade_id="double_test"', "double_test", "malformed grade_id"),
        ('grade_id="double-test"', 'grade_id="count-test"', "count-test", 'duplicate grade_id "count-test"'),
        ('role="setup" grade_id="setup"', 'role="setup" grade_id="start"', "start", 'has grade_id="setup"'),
        ('grade_id="why" points=2', 'grade_id="why" points=3', "why", "3 points here, 2 in syllabus.toml"),
        ('"double-test" points=3', '"double-test" points=4', "double-test", "parts add up to 3 points, the"),
        ('checking("double")', 'checking("doubles")', "double-test", 'checking("doubles")'),
        ('role="answer" grade_id="double"', 'role="answer" grade_id="treble"', "treble", "no question"),
        ('"an array", points=2', '"an array", points=n', "double-test", "points=n is no number"),
    ],
)  # fmt: skip
def test_a_wrong_header_names_cell_and_line(course, old, new, cell, says):
    line = course.change(old, new)
    found = [problem for problem in problems(course).splitlines() if says in problem]
    assert found, problems(course)
    assert found[0].startswith("manuscript/01_tiny.py:") and f"({cell})" in found[0]
    assert line - int(found[0].split(":")[1].split(" ")[0]) in range(0, 9)  # its header, a few lines up


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("    ### BEGIN SOLUTION\n    twice", "    twice", "END SOLUTION without its BEGIN"),
        ("return twice_as_much\n    ### END SOLUTION", "return 1", "BEGIN SOLUTION without its END"),
        (
            "    twice_as_much = np",
            "    ### BEGIN SOLUTION\n    twice_as_much = np",
            "BEGIN SOLUTION inside the SOLUTION region",
        ),
        ("double(3)\n\n", "### BEGIN SOLUTION\n### END SOLUTION\n\n", "role answer or written"),
        ("double(3)\n\n", "### BEGIN HIDDEN TESTS\n### END HIDDEN TESTS\n\n", "role test;"),
        ("double(3)\n\n", "double(3)  # BEGIN SOLUTION\n\n", "almost a marker"),
        ("double(3)\n\n", "### begin solution\ndouble(3)\n\n", "almost a marker"),
        ("double(3)\n\n", "double(3\n\n", "not valid Python"),
        ('    """Twice `x`, an array of any shape."""\n', "", "`double` has no docstring"),
        ("# how many parameters", "", "`total` has no comment"),
        ("total = 64", "total, rest = 64", "one `name = value"),
        (
            '    with check.part("answered"):\n        student.total  # noqa: B018\n',
            "",
            "not valid Python without its hidden tests",
        ),
    ],
)  # fmt: skip
def test_a_wrong_region_names_its_line(course, old, new, says):
    line = course.change(old, new)
    found = [problem for problem in problems(course).splitlines() if says in problem]
    assert found, problems(course)
    assert abs(int(found[0].split(":")[1].split(" ")[0]) - line) <= 6


def test_questions_and_cells_must_match_both_ways(course):
    course.change('id = "why"', 'id = "because"', file="syllabus.toml")
    said = problems(course)
    assert (
        'question "because" (written) of syllabus.toml has no cell role="written" grade_id="because"' in said
    )
    assert "(why) syllabus.toml has no question for this written cell" in said


def test_points_of_parts_in_loops_are_counted(course):
    course.change(
        '{"task_review": "many-to-one", "task_caption": "one-to-many"}.items()', 'zip("ab", range(2))'
    )
    assert "cannot be counted" in problems(course)  # the length of a text is not read
    course.change('zip("ab", range(2))', 'zip(["a", "b"], range(5))')
    build_source(course.root, "01")


@pytest.mark.parametrize("loop", ["while True:", "for x in unknown:", "def run():"])
def test_points_that_cannot_be_counted_are_refused(course, loop):
    course.change(
        '    with check.part("zero", points=1):\n        expect_close(',
        f'    {loop}\n        with check.part("zero", points=1):\n            expect_close(',
    )
    assert "cannot be counted" in problems(course)


def test_every_problem_is_named_at_once_in_order(course):
    course.change('role="experiment"', 'role="experimnt"')
    course.change("# how many parameters", "")
    course.change('grade_id="why" points=2', 'grade_id="why" points=3')
    lines = [int(problem.split(":")[1].split(" ")[0]) for problem in problems(course).splitlines()]
    assert len(lines) >= 3 and lines == sorted(lines)


def test_the_setup_stands_first_and_the_scoreboard_last(course):
    course.change('# %% role="try"\ndouble(3)\n', "")
    text = course.manuscript.read_text()
    course.manuscript.write_text('# %% role="try"\n1\n\n' + text + '\n# %% role="show"\n1\n')
    said = problems(course)
    assert "the setup cell stands once, as the first code cell" in said
    assert "the scoreboard stands once, as the last cell" in said


def test_what_is_no_manuscript(course):
    course.manuscript.write_text("import numpy\n\n# %% [markdown]\n# hello\n")
    assert "text before the first cell" in problems(course)
    course.manuscript.write_bytes(b"# %% [markdown]\n# \xff\n")
    assert "not UTF-8" in problems(course)
    course.manuscript.unlink()
    assert "manuscript/01_tiny.py not found" in problems(course)


def edit(course, old="# A tiny notebook", new="# A tiny notebook, edited"):
    text = course.source.read_text()
    assert old in text
    course.source.write_text(text.replace(old, new, 1))


def test_a_hand_edited_source_is_not_overwritten(course):
    build_source(course.root, "01")
    edit(course)
    edited = course.source.read_bytes()
    with pytest.raises(SourceEdited, match=r"01 --adopt.*01_tiny\.py\.adopted.*--discard"):
        build_source(course.root, "01")
    assert course.source.read_bytes() == edited
    build_source(course.root, "01", discard=True)
    assert b"edited" not in course.source.read_bytes()


def test_points_changed_in_jupyterlab_are_an_edit_too(course):
    build_source(course.root, "01")
    edit(course, '"points": 3', '"points": 5')
    with pytest.raises(SourceEdited):
        build_source(course.root, "01")


def test_running_a_source_notebook_is_no_edit(course):
    first = build_source(course.root, "01").read_bytes()
    notebook = read(course.source)
    code = next(cell for cell in notebook.cells if cell.cell_type == "code")
    code.outputs = [nbformat.v4.new_output("stream", text="hello")]
    code.execution_count = 3
    code.metadata["collapsed"] = True
    notebook.metadata.language_info["version"] = "3.11"
    nbformat.write(notebook, course.source)
    assert build_source(course.root, "01").read_bytes() == first


def test_an_edit_is_adopted_merged_and_built(course):
    build_source(course.root, "01")
    edit(course, "return twice_as_much", "return np.array(twice_as_much)")
    before = course.manuscript.read_text()
    adopted = adopt_source(course.root, "01").read_text()
    assert course.manuscript.read_text() == before
    assert (
        "{{points}}" in adopted and "{{questions}}" in adopted
    )  # cells that were not touched come back as written
    course.manuscript.write_text(adopted)
    build_source(course.root, "01")  # nothing is lost: no --discard needed
    assert "np.array(twice_as_much)" in course.source.read_text()


def test_a_source_that_is_no_notebook_is_named(course):
    build_source(course.root, "01")
    course.source.write_text("{")
    with pytest.raises(SourceEdited, match="is no notebook"):
        build_source(course.root, "01")
