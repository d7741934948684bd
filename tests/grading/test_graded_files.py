"""A submission's folder in autograded/: whole or as before, whatever lies beside the notebook."""

import json
import os
from datetime import datetime

import pytest

from course_admin.grading import graded_files
from course_admin.grading.graded_files import handed_in, write_notebook


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "autograded" / "ann" / "01_tiny"


@pytest.fixture
def files(tmp_path):
    """`files(**{"a.txt": "text"})`: files of a submission, as `write_notebook` wants them."""

    def make(folder, /, **texts):
        found = {}
        for number, (name, text) in enumerate(texts.items()):
            origin = tmp_path / f"origin-{number}-{len(texts)}-{abs(hash(text))}"
            origin.write_text(text)
            found[folder / name] = origin
        return found

    return make


def standing(folder):
    return {p.relative_to(folder).as_posix(): p.read_text() for p in folder.rglob("*") if p.is_file()}


def test_the_notebook_and_its_files(folder, files):
    path = folder / "n.ipynb"
    write_notebook(path, {"b": "é", "a": 1}, files(folder, **{"data/x.csv": "1", "timestamp.txt": "t"}))
    assert standing(folder) == {
        "n.ipynb": '{"a": 1, "b": "é"}\n',
        "data/x.csv": "1",
        "timestamp.txt": "t",
    }
    assert path.stat().st_mode & 0o777 == 0o444
    write_notebook(
        path, {}, files(folder, **{"data": "a file now"})
    )  # another submission, without the others
    assert standing(folder) == {"n.ipynb": "{}\n", "data": "a file now"}
    write_notebook(path, {}, files(folder, **{"data/x.csv": "2"}))
    assert standing(folder) == {"n.ipynb": "{}\n", "data/x.csv": "2"}


def test_files_in_each_others_way(folder, files):
    """The later ones are the course's: they count."""
    path = folder / "n.ipynb"
    write_notebook(path, {}, files(folder, **{"data": "the student's", "data/x.csv": "the course's"}))
    assert standing(folder) == {"n.ipynb": "{}\n", "data/x.csv": "the course's"}
    write_notebook(path, {}, files(folder, **{"data/x.csv": "the student's", "data": "the course's"}))
    assert standing(folder) == {"n.ipynb": "{}\n", "data": "the course's"}


def test_what_stands_where_the_notebook_belongs(folder, files, tmp_path):
    path = folder / "n.ipynb"
    write_notebook(path, {}, files(folder, **{"n.ipynb/evil.txt": "x", "n.ipynb": "raw"}))
    assert standing(folder) == {"n.ipynb": "{}\n"}
    path.unlink()
    (path / "deep").mkdir(parents=True)
    write_notebook(path, {}, {})
    assert standing(folder) == {"n.ipynb": "{}\n"}
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("x")
    (folder / "link").symlink_to(outside)
    write_notebook(path, {}, {})
    assert standing(folder) == {"n.ipynb": "{}\n"} and (outside / "kept").exists()


def test_what_is_no_plain_file_is_left_out(folder, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    write_notebook(
        folder / "n.ipynb", {}, {folder / "pipe": tmp_path / "pipe", folder / "gone": tmp_path / "gone"}
    )
    assert standing(folder) == {"n.ipynb": "{}\n"}


def test_half_a_surrogate_in_a_students_text(folder):
    notebook = json.loads('{"cells": "\\ud800 \\\\\\udc80 \U0001d537"}')
    write_notebook(folder / "n.ipynb", notebook, {})
    assert json.loads((folder / "n.ipynb").read_text(encoding="utf-8")) == notebook


def test_a_cut_leaves_the_notebook_of_before(folder, monkeypatch):
    path = folder / "n.ipynb"
    write_notebook(path, {"a": 1}, {})
    with monkeypatch.context() as patching:

        def cut(*_):
            raise KeyboardInterrupt

        patching.setattr(graded_files.os, "replace", cut)
        with pytest.raises(KeyboardInterrupt):
            write_notebook(path, {"a": 2}, {})
    assert json.loads(path.read_text()) == {"a": 1}
    write_notebook(path, {"a": 2}, {})
    assert standing(folder) == {"n.ipynb": '{"a": 2}\n'}  # nothing half written is left


@pytest.mark.parametrize(
    "text", ["2026-03-01 12:00:00 UTC", "2026-03-01T14:00:00+02:00\n", "2026-03-01 12:00:00.000000 UTC"]
)
def test_when_it_was_handed_in(tmp_path, text):
    (tmp_path / "timestamp.txt").write_text(text)
    assert handed_in(tmp_path) == (datetime(2026, 3, 1, 12), "")


def test_no_time(tmp_path):
    assert handed_in(tmp_path) == handed_in(tmp_path / "nobody") == (None, "")
    (tmp_path / "timestamp.txt").write_text(" \n")
    assert handed_in(tmp_path) == (None, "")


@pytest.mark.parametrize(
    "raw", [b"soon", b"\xff\xfe\0", b"9" * 400, b"1 2 3", b"0001-01-01 00:00:00+14:00", b"\0"]
)
def test_what_is_no_time_stops_nobody(tmp_path, raw):
    (tmp_path / "timestamp.txt").write_bytes(raw)
    when, flag = handed_in(tmp_path)
    assert when is None and "timestamp.txt" in flag


def test_a_time_that_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "timestamp.txt")
    assert handed_in(tmp_path) == (None, "")
