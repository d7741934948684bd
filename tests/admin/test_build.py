"""`build`: each notebook as far as it goes, a line a step, every problem at the end."""

import io

import pytest
from rich.console import Console

from course_admin.build import BuildError, build


def run(course, *names, **options):
    """What `build` prints, and the problems it raises."""
    printed = io.StringIO()
    try:
        build(course.root, names, console=Console(file=printed, width=200), **options)
    except BuildError as error:
        return printed.getvalue(), error.problems
    return printed.getvalue(), ()


def test_a_line_for_each_step(built):
    output, problems = run(built, "01")
    assert problems == ()
    lines = [line.split() for line in output.splitlines()]
    assert [(line[0], line[2], line[3]) for line in lines] == [
        ("✓", "source", "unchanged"),
        ("✓", "release", "unchanged"),
    ]
    assert str(built.root) not in output


def test_all_manuscripts_when_none_is_named(built):
    assert "01_tiny" in run(built, release=False)[0]


def test_one_notebook_that_fails_does_not_stop_the_next(built):
    built.change(
        '[[question]]\nid = "tasks"',
        '[[notebook]]\nname = "00_none"\ntitle = "None"\n\n[[question]]\nid = "tasks"',
        file="syllabus.toml",
    )
    output, problems = run(built, "00", "01", "99", release=False)
    assert "✗ 00_none  source     1 problem\n" in output and "✓ 01_tiny  source" in output
    assert len(problems) == 2
    assert "manuscript/00_none.py not found" in problems[0] and 'no notebook "99"' in problems[1]


def test_a_broken_source_makes_no_release(built):
    before = built.release.read_bytes()
    built.change('role="experiment"', 'role="experimnt"')
    output, problems = run(built, "01")
    assert "release" not in output and 'unknown role "experimnt"' in problems[0]
    assert built.release.read_bytes() == before


def test_adopt_and_discard(built):
    built.source.write_text(built.source.read_text().replace("Which arrangement", "What arrangement"))
    assert "edited by hand" in run(built, "01")[1][0]
    output, problems = run(built, "01", adopt=True)
    assert problems == () and "manuscript/01_tiny.py.adopted" in output and "release" not in output
    assert "# What arrangement" in (built.root / "manuscript" / "01_tiny.py.adopted").read_text()
    assert run(built, "01", release=False)[1] != ()
    assert run(built, "01", release=False, discard=True)[1] == ()


def test_an_empty_course(tmp_path):
    with pytest.raises(BuildError, match="no manuscript found"):
        build(tmp_path)


def test_a_broken_syllabus_is_named(built):
    built.change('kind = "written"', 'kind = "spoken"', file="syllabus.toml")
    assert any(problem.startswith("syllabus.toml: question") for problem in run(built, "01")[1])
