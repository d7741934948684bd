"""The audit log: who got which mark from which version of what, whatever a cut run left at its end."""

import json
import os
import subprocess
import sys
from datetime import datetime

import pytest

from course_admin.grading.audit import AlreadyGrading, Audit
from course_admin.grading.submission import Task

KEY = Task("ann", "01_tiny", b"course", b"answers", version="v1").key()
ODD = [
    "Zoë Müller",
    'O\'Neil, "Pat"; --',
    "名前",
    "𝔷\u2028\u0085\x1b",
    "a\\b",
    b"caf\xe9".decode("utf-8", "surrogateescape"),
    "back\\" + b"\xff".decode("utf-8", "surrogateescape"),
]


@pytest.fixture
def audit(tmp_path):
    return Audit(tmp_path)


def lines(audit):
    return [json.loads(line) for line in audit.path.read_bytes().split(b"\n")[:-1]]


def test_what_is_in_a_line(audit):
    marks = {"a-test": 1.5, "b-test": 0.1, "c-test": 0.2, "why": None}
    with audit.writing():
        audit.add("ann", "01_tiny", KEY, marks, ["please look: a-test"], penalty=0.5)
        audit.add("bob", "01_tiny", KEY, {}, [])
    (line, bobs) = lines(audit)
    assert datetime.fromisoformat(line.pop("time")).utcoffset().total_seconds() == 0
    assert line.pop("by")
    assert line == {
        "student": "ann",
        "notebook": "01_tiny",
        **{name: KEY[name] for name in ("submission", "course", "version", "settings", "seed")},
        "total": 1.3,
        "late": 0.5,
        "marks": marks,
        "flags": ["please look: a-test"],
    }
    assert bobs["total"] == 0 and "late" not in bobs


@pytest.mark.parametrize(
    "change", [{"submission": b"other"}, {"course": b"other"}, {"version": "v2"}, {"limits": {"restarts": 1}},
               {"unsafe": True}, {"withheld": ()}, {"seed": 1}, {"unreadable": "is a link"}, {"note": "another name"}]
)  # fmt: skip
def test_the_key_names_all_that_a_mark_depends_on(change):
    plain = {"course": b"course", "submission": b"answers", "version": "v1"}
    assert Task("bob", "01_tiny", **plain).key() == KEY
    assert Task("ann", "01_tiny", **{**plain, **change}).key() != KEY


def test_the_newest_line_counts(audit):
    with audit.writing():
        for score in (1.0, 3.0, 2.0):
            audit.add("ann", "01_tiny", KEY, {"a": score}, [])
        audit.add("ann", "02_next", KEY, {"a": 9.0}, [])
        audit.add("bob", "01_tiny", KEY, {"a": 0.5}, [])
    with audit.writing():  # another run goes on in the same file
        audit.add("bob", "01_tiny", KEY, {"a": None}, [])
    last = audit.last("01_tiny")
    assert {student: line["marks"]["a"] for student, line in last.items()} == {"ann": 2.0, "bob": None}
    assert len(lines(audit)) == 6
    assert audit.last("03_none") == {}


def test_a_mark_begun_takes_the_place_of_the_one_before(audit):
    with audit.writing():
        audit.add("ann", "01_tiny", KEY, {"a": 1.0}, [])
        audit.add("bob", "01_tiny", KEY, {"a": 1.0}, [])
        audit.begin("ann", "01_tiny", KEY, {"a": 1.5})
        assert set(audit.last("01_tiny")) == {"bob"}
        audit.begin("bob", "02_next", KEY)
        assert set(audit.last("01_tiny")) == {"bob"}
        audit.add("ann", "01_tiny", KEY, {"a": 2.0}, [])
    assert audit.last("01_tiny")["ann"]["marks"] == {"a": 2.0}
    assert [line["held"] for line in lines(audit) if "begun" in line] == [{"a": 1.5}, {}]


def test_a_submission_without_a_mark_says_why_and_keeps_the_mark_before(audit):
    with audit.writing():
        audit.add("ann", "01_tiny", KEY, {"a": 1.0}, [])
        audit.fail("ann", "01_tiny", KEY, "its worker died")
        audit.fail("bob", "01_tiny", KEY, "x" * 5000)
        audit.fail("cas", "01_tiny", KEY, "once")
        audit.add("cas", "01_tiny", KEY, {"a": 1.0}, [])
    assert set(audit.last("01_tiny")) == {"ann", "cas"}
    assert audit.failures("01_tiny") == {"ann": "its worker died", "bob": "x" * 2000}
    assert audit.failures("02_next") == {}


def test_nothing_was_graded_yet(audit):
    assert audit.last("01_tiny") == {}
    with audit.writing():
        assert audit.last("01_tiny") == {}
    assert audit.path.read_bytes() == b""


def test_a_line_torn_anywhere_costs_that_line_alone(audit):
    with audit.writing():
        audit.add("ann", "01_tiny", KEY, {"a": 1.0}, [])
        audit.add("Zoë", "01_tiny", KEY, {"a": 2.0}, ["ß"])
    whole = audit.path.read_bytes()
    first = whole.index(b"\n") + 1
    for cut in range(first, len(whole)):
        audit.path.write_bytes(whole[:cut])
        known = {"ann"} | ({"Zoë"} if cut == len(whole) - 1 else set())  # only the line's end is missing
        assert set(audit.last("01_tiny")) == known
        with audit.writing():
            audit.add("bob", "01_tiny", KEY, {"a": 3.0}, [])
        assert set(audit.last("01_tiny")) == known | {"bob"}
    audit.path.write_bytes(whole + b"\0" * 4096)  # what some file systems leave after a loss of power
    with audit.writing():
        audit.add("bob", "01_tiny", KEY, {"a": 3.0}, [])
    assert set(audit.last("01_tiny")) == {"ann", "Zoë", "bob"}


def test_lines_that_are_no_marks_are_passed_over(audit):
    with audit.writing():
        audit.add("ann", "01_tiny", KEY, {"a": 1.0}, [])
    with open(audit.path, "a") as file:
        file.write('[]\nnull\n"ann"\n{"notebook": "01_tiny"}\n{"student": "ann"}\n\n')
    assert set(audit.last("01_tiny")) == {"ann"}


@pytest.mark.parametrize("name", ODD)
def test_names_with_odd_characters(audit, name):
    with audit.writing():
        audit.add(name, "01_tiny", KEY, {"a": 1.0}, [f"{name}: please look"])
        audit.add("ann", "01_tiny", KEY, {"a": 2.0}, [])
    last = audit.last("01_tiny")
    assert set(last) == {name, "ann"} and last[name]["flags"] == [f"{name}: please look"]
    assert audit.path.read_bytes().count(b"\n") == 2
    assert audit.path.read_text(encoding="utf-8")  # whatever the name, the file is UTF-8


def test_names_can_be_read_as_they_are(audit):
    with audit.writing():
        audit.add("Zoë", "01_tiny", KEY, {}, [])
    assert "Zoë" in audit.path.read_text(encoding="utf-8")


def test_a_second_run_is_refused(audit, tmp_path):
    with audit.writing():
        with pytest.raises(AlreadyGrading, match=r"it holds audit\.jsonl"), Audit(tmp_path).writing():
            pass
        audit.add("ann", "01_tiny", KEY, {}, [])  # and the first one goes on
        code = (
            "import sys; from pathlib import Path; from course_admin.grading.audit import Audit\n"
            "with Audit(Path(sys.argv[1])).writing(): print('inside')"
        )
        done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
        assert "AlreadyGrading" in done.stderr and not done.stdout
    assert set(Audit(tmp_path).last("01_tiny")) == {"ann"}
    with audit.writing():
        pass


def test_a_run_that_broke_off_lets_the_next_one_in(audit, tmp_path):
    with pytest.raises(ZeroDivisionError), audit.writing():
        raise ZeroDivisionError
    code = (
        "import os, signal, sys; from pathlib import Path; from course_admin.grading.audit import Audit\n"
        "with Audit(Path(sys.argv[1])).writing() as audit:\n"
        "    audit.add('bob', '01_tiny', {}, {'a': 1.0}, [])\n"
        "    os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)]).returncode == -9
    with audit.writing():
        audit.add("ann", "01_tiny", KEY, {"a": 2.0}, [])
    assert set(audit.last("01_tiny")) == {"ann", "bob"}


def test_a_line_is_on_the_disk_when_add_returns(audit, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(audit.path.read_bytes()))
    with audit.writing():
        audit.add("ann", "01_tiny", KEY, {"a": 2.0}, [])
    assert len(synced) == 1 and json.loads(synced[0])["student"] == "ann"


def test_someone_without_a_name(audit, monkeypatch):
    """In a container the user may have no entry anywhere."""
    monkeypatch.setattr("getpass.getuser", lambda: {}["nobody"])
    with audit.writing():
        audit.add("ann", "01_tiny", KEY, {}, [])
    assert lines(audit)[0]["by"] == str(os.getuid())
