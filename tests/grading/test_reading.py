"""Whatever lies where a notebook should lie is read, or is called by what it is."""

import json
import os

import pytest

from course_admin.grading.reading import (
    MOST_MB,
    SubmissionExporter,
    Unreadable,
    find_notebook,
    read_bytes,
    read_submission,
    unlink_links,
)

GOOD = {
    "cells": [{"cell_type": "code", "source": "x = 1"}],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "is empty"),
        (b"  \n", "is empty"),
        (b"not json", "is not JSON"),
        (json.dumps(GOOD).encode()[:40], "is not JSON"),
        (b"\xff\xfe\x00", "is not UTF-8"),
        (b"[1, 2]", "no notebook"),
        (b"3", "no notebook"),
        (b'{"a": 1}', "no notebook"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"nbformat": 99, "cells": []}', "notebook format 99"),
        (b'{"nbformat": 3, "worksheets": 7}', "notebook format 3"),
    ],
)
def test_damaged_files(tmp_path, raw, says):
    path = tmp_path / "n.ipynb"
    path.write_bytes(raw)
    with pytest.raises(Unreadable, match=says):
        read_submission(path)
    text, _ = SubmissionExporter().from_filename(str(path))
    notebook = json.loads(text)
    assert notebook["cells"] == [] and says in notebook["metadata"]["reading_flag"]


def test_good_files(tmp_path):
    path = tmp_path / "n.ipynb"
    for raw in (json.dumps(GOOD).encode(), b"\xef\xbb\xbf" + json.dumps(GOOD).encode()):
        path.write_bytes(raw)
        assert read_submission(path)["cells"][0]["source"] == "x = 1"


def test_older_formats_are_converted(tmp_path):
    path = tmp_path / "n.ipynb"
    cell = {"cell_type": "code", "input": "x = 1", "outputs": [], "language": "python", "metadata": {}}
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": [{"cells": [cell]}]}
    path.write_text(json.dumps(old))
    assert "".join(read_submission(path)["cells"][0]["source"]) == "x = 1"


def test_what_is_no_plain_file(tmp_path):
    (tmp_path / "secret.ipynb").write_text(json.dumps(GOOD))
    (tmp_path / "link.ipynb").symlink_to(tmp_path / "secret.ipynb")
    (tmp_path / "folder.ipynb").mkdir()
    os.mkfifo(tmp_path / "pipe.ipynb")
    for name, says in {
        "link": "it is a link",
        "folder": "no plain file",
        "pipe": "no plain file",
        "none": "No such",
    }.items():
        with pytest.raises(Unreadable, match=says):
            read_submission(tmp_path / f"{name}.ipynb")


def test_a_file_too_large_is_not_even_read(tmp_path):
    path = tmp_path / "n.ipynb"
    with path.open("wb") as file:
        file.truncate((MOST_MB + 1) * 2**20)
    with pytest.raises(Unreadable, match=f"at most {MOST_MB}"):
        read_submission(path)


def test_links_are_replaced_and_what_they_pointed_to_is_let_alone(tmp_path):
    outside = tmp_path / "outside.txt"
    outside.write_text("secret")
    folder = tmp_path / "submission"
    (folder / "inner").mkdir(parents=True)
    (folder / "plain.txt").write_text("mine")
    (folder / "inner" / "link.txt").symlink_to(outside)
    (folder / "away").symlink_to(tmp_path)
    assert sorted(unlink_links(folder)) == ["away", "inner/link.txt"]
    assert "secret" not in (folder / "inner" / "link.txt").read_text()
    assert outside.read_text() == "secret" and (folder / "plain.txt").read_text() == "mine"


@pytest.fixture
def folder(tmp_path):
    """`folder("a.ipynb", …)`: a submission that holds these files; gives the place of the notebook that is expected."""

    def make(*names):
        for name in names:
            path = tmp_path / "01_x" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(GOOD))
        return tmp_path / "01_x" / "01_x.ipynb"

    return make


@pytest.mark.parametrize("name", ["01_x (1).ipynb", "ann_123_01_x.ipynb", "über.ipynb"])
def test_the_only_notebook_is_graded_whatever_its_name(folder, name):
    expected = folder(
        name, "data.csv", ".ipynb_checkpoints/01_x-checkpoint.ipynb", ".hidden.ipynb", "old/01_x.ipynb"
    )
    found, flag = find_notebook(expected)
    assert found == expected.with_name(name)
    assert "01_x.ipynb is missing" in flag and name in flag


def test_the_expected_one_counts_and_others_are_named(folder):
    expected = folder("01_x.ipynb", "01_x (1).ipynb")
    found, flag = find_notebook(expected)
    assert found == expected
    assert flag == "01_x.ipynb is graded; beside it lie other notebooks, not used: 01_x (1).ipynb"


def test_among_several_none_is_guessed(folder):
    with pytest.raises(Unreadable, match=r"\(a.ipynb, b.ipynb\): rename one to 01_x.ipynb"):
        find_notebook(folder("a.ipynb", "b.ipynb"))
    with pytest.raises(Unreadable, match=r"c.ipynb, d.ipynb, e.ipynb and 2 more\)"):
        find_notebook(folder("c.ipynb", "d.ipynb", "e.ipynb", "f.ipynb", "g.ipynb"))


@pytest.mark.parametrize("names", [[], ["01_x.ipynb"], ["01_x.ipynb", "notes.txt"], ["notes.txt"]])
def test_no_other_notebook_no_flag(folder, tmp_path, names):
    expected = folder(*names)
    assert find_notebook(expected) == (expected, "")


def test_links_and_folders_are_no_other_notebook_now_or_after(folder, tmp_path):
    """What is made of a link must not be taken for a second notebook, when the submission is graded again."""
    (tmp_path / "secret.ipynb").write_text(json.dumps(GOOD))
    expected = folder("mine.ipynb")
    (expected.parent / "link.ipynb").symlink_to(tmp_path / "secret.ipynb")
    (expected.parent / "folder.ipynb").mkdir()
    os.mkfifo(expected.parent / "pipe.ipynb")
    first = find_notebook(expected)
    assert first[0].name == "mine.ipynb"
    assert unlink_links(expected.parent) == ["link.ipynb"]
    assert find_notebook(expected) == first


def test_a_link_in_the_place_of_the_notebook_is_not_passed_over(folder, tmp_path):
    (tmp_path / "secret.ipynb").write_text(json.dumps(GOOD))
    expected = folder("mine.ipynb")
    expected.symlink_to(tmp_path / "nothing.ipynb")
    found, flag = find_notebook(expected)
    assert found == expected and "mine.ipynb" in flag
    with pytest.raises(Unreadable, match="it is a link"):
        read_bytes(found)


def test_a_flag_shows_names_that_cannot_mislead(folder):
    _, flag = find_notebook(folder("a\u202ebpynb.\n\x1b[31m.ipynb"))
    assert "a\\u202ebpynb.\\u000a\\u001b[31m.ipynb" in flag and flag.isprintable()
