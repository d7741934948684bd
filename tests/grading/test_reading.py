"""Whatever lies where a notebook should lie is read, or is called by what it is."""

import json
import os

import pytest

from course_admin.grading.reading import (
    MOST_MB,
    SubmissionExporter,
    Unreadable,
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
