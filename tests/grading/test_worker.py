"""Grading one notebook: verdicts, points and outputs; the same job twice gives the same result."""

import json

import pytest

from course_admin.grading.examiner import close_examiners, grade_in_process
from course_admin.grading.sandbox import SandboxUnavailable
from course_admin.grading.worker import (
    Job,
    Verdict,
    grade,
    is_test,
    only_definitions,
    only_shows,
    run_test,
    score_lines,
)
from course_utils.checking import InProcess
from tests.grading import tiny


def cell_of(code, points=4, grade_id="q-test"):
    grader = {"grade": True, "solution": False, "grade_id": grade_id, "points": points}
    return {"cell_type": "code", "source": code, "outputs": [], "metadata": {"nbgrader": grader}}


def verdict(code, namespace=None, flags=None):
    return run_test(cell_of(code), InProcess(namespace or {}, []), 0, flags if flags is not None else [])


HEAD = "from course_utils.checking import *\nwith checking('q') as check:\n"
TWO = HEAD + (
    "    with check.part('a', points=1):\n        expect_close(student.a, 1, what='a')\n"
    "    with check.part('b', points=3):\n        expect_close(student.b, 2, what='b')"
)


@pytest.mark.parametrize(
    ("namespace", "outcome", "earned", "kinds"),
    [
        ({"a": 1, "b": 2}, "passed", 4, ["stream"]),
        ({"a": 0, "b": 2}, "partly", 3, ["stream", "execute_result"]),
        ({"a": 0, "b": 0}, "failed", 0, ["error"]),
        ({}, "unanswered", 0, ["error"]),
        ({"a": ..., "b": ...}, "unanswered", 0, ["error"]),
    ],
)
def test_outcomes(namespace, outcome, earned, kinds):
    result, outputs = verdict(TWO, namespace)
    assert (result.outcome, result.earned, [o["output_type"] for o in outputs]) == (outcome, earned, kinds)


@pytest.mark.parametrize("namespace", [{"a": 1, "b": 2}, {"a": 0, "b": 2}, {"a": 0, "b": 0}, {}])
def test_nbgrader_reads_the_same_points_from_the_outputs(namespace):
    import nbformat
    from nbgrader.utils import determine_grade

    result, outputs = verdict(TWO, namespace)
    cell = nbformat.from_dict(cell_of(TWO) | {"outputs": outputs})
    assert determine_grade(cell) == (result.earned, 4.0)


def test_a_broken_test_is_the_instructors_affair():
    flags: list[str] = []
    result, outputs = verdict("secret = 7\nraise KeyError('secret')", flags=flags)
    assert (result.outcome, result.earned) == ("error", 0)
    assert "KeyError" in flags[0] and "KeyError" not in str(outputs) and "told" in result.message


def test_tests_begin_alike_whatever_came_before():
    import random

    code = "import random, numpy, torch\nprint(random.random(), numpy.random.rand(), float(torch.rand(1)))"
    first = verdict(code)[0].message
    random.random()
    assert verdict(code)[0].message == first


def test_tests_do_not_share_names():
    assert verdict("left = 1")[0].outcome == "passed"
    flags: list[str] = []
    assert verdict("left", flags=flags)[0].outcome == "error"


def test_only_definitions_of_experiments_run():
    code = "import os\nx = train()\ndef f():\n    return 1\nclass A: pass\nprint(f())"
    kept = only_definitions(code)
    assert (
        "import os" in kept
        and "def f" in kept
        and "class A" in kept
        and "train" not in kept
        and "print" not in kept
    )
    assert only_definitions("not python (") == ""


@pytest.mark.parametrize(
    ("code", "later", "shows"),
    [
        ("plotting.show(plotting.lstm_cell(), alt='a cell')", "lstm_cell = 1", True),
        ("steps = 5", "step = 1", True),
        ("steps = 5", "print(steps)", False),
        ("for n in range(3):\n    print(n)", "n + 1", False),
        ("import math as m", "m.pi", False),
        ("import os.path", "os.getcwd()", False),
        ("def f():\n    pass", "f()", False),
        ("left, (right, *rest) = parts", "rest", False),
        ("with open('x') as file:\n    pass", "file", False),
    ],
)
def test_a_cell_only_shows_if_no_later_one_uses_its_names(code, later, shows):
    assert only_shows(code, [{"source": "x = 1"}, {"source": later}]) is shows
    assert only_shows(code, [])


def test_the_scoreboard_becomes_one_of_points():
    verdicts = [
        Verdict("gates-test", 4, 2.5, "partly", ""),
        Verdict("one-hot-test", 3, 3, "passed", ""),
    ]
    assert score_lines(verdicts).splitlines() == [
        "gates    2.5 of 4",
        "one-hot  3 of 3",
        "",
        "graded by machine: 5.5 of 7 points",
    ]


def test_which_cells_are_tests(source):
    found = [cell["id"] for cell in source["cells"] if is_test(cell)]
    assert found == ["tasks-test", "scale-test", "step-test"]


# With a sandboxed kernel ---------------------------------------------------------------------------------------------------


def scores(result):
    return {v.grade_id: (v.outcome, v.earned) for v in result.verdicts}


@pytest.mark.sandbox
def test_a_right_submission_and_again(job):
    first, second = grade(job()), grade(job())
    assert scores(first) == {
        "tasks-test": ("passed", 1.0),
        "scale-test": ("passed", 3.0),
        "step-test": ("passed", 3.0),
    }
    assert first.flags == []
    assert first.verdicts == second.verdicts and json.dumps(first.notebook) == json.dumps(second.notebook)
    assert first.flags == second.flags


@pytest.mark.sandbox
def test_untouched_stubs_are_unanswered_and_experiments_are_not_run(job):
    result = grade(job(**{name: tiny.STUBS[name] for name in ("tasks", "scale", "step")}))
    assert set(scores(result).values()) == {("unanswered", 0.0)}
    assert result.flags == []
    study = next(cell for cell in result.notebook["cells"] if "def study" in cell["source"])
    assert study["outputs"] == []


@pytest.mark.sandbox
def test_a_misconception_is_named_and_the_right_value_is_not(job):
    result = grade(job(scale="def scale(x, k):\n    return np.asarray(x) + k"))
    verdict = next(v for v in result.verdicts if v.grade_id == "scale-test")
    assert verdict.outcome == "failed" and "k is added, not multiplied" in verdict.message
    assert "4.5" not in verdict.message and "-6" not in verdict.message


@pytest.mark.sandbox
@pytest.mark.slow
@pytest.mark.parametrize(
    "scale",
    [
        "def scale(x, k):\n    while True: pass",
        "import os\ndef scale(x, k):\n    os._exit(0)",
        "hoard = []\nwhile True: hoard.append(bytearray(b'x' * 10**8))",
        "while True: print('x' * 1000)",
        "import ctypes\ndef scale(x, k):\n    ctypes.string_at(0)",
    ],
    ids=["hangs", "dies", "eats memory", "floods", "crashes"],
)
def test_a_disaster_costs_its_own_question_only(job, scale):
    result = scores(grade(job(scale=scale)))
    assert result["scale-test"][1] == 0
    assert result["tasks-test"] == ("passed", 1.0) and result["step-test"] == ("passed", 3.0)


@pytest.mark.sandbox
def test_in_a_process_of_its_own(job):
    made = job(
        scale="print('✓')\nimport sys; print('x', file=sys.__stdout__)\ndef scale(x, k):\n    return np.asarray(x) * k"
    )
    result = grade_in_process(made)
    assert [v.earned for v in result.verdicts] == [1.0, 3.0, 3.0]


def test_without_bubblewrap_nothing_is_graded(job, tmp_path, monkeypatch):
    close_examiners()  # those of other tests are inside already
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxUnavailable, match="apt install bubblewrap"):
        grade_in_process(job())


def test_unknown_limits_are_refused(job):
    made = job()
    with pytest.raises(ValueError, match="unknown limits"):
        grade_in_process(Job(made.notebook, limits={"speed": 3}))


def test_unsafe_needs_no_bubblewrap(job, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    made = job()
    made.unsafe = True
    close_examiners()
    assert [v.earned for v in grade_in_process(made).verdicts] == [1.0, 3.0, 3.0]
    close_examiners()  # this one would find no bubblewrap later on
