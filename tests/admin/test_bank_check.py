"""The check itself: verdicts, what it refuses to call proved, and candidates that would stop a weaker one."""

import io
import json
import time

import pytest
from bank_course import BankCourse
from rich.console import Console

from course_admin.bank.check import check_bank
from course_admin.bank.runner import Outcome, SetupError, Task, run

TEST = """from course_utils.checking import checking, expect_number, student

with checking("f") as check:
    with check.part("one", points=1):
        expect_number(student.f(1), 1, what="f(1)")
    with check.part("g", points=2):
        expect_number(student.g(2), 2, what="g(2)")
"""
GOOD = "def f(x):\n    return x\n\n\ndef g(x):\n    return x\n"


@pytest.fixture
def bank_course(tmp_path, monkeypatch) -> BankCourse:
    monkeypatch.setattr("course_admin.bank.check.LEAST", {"right": 1, "wrong": 1})
    return BankCourse(tmp_path)


def judge(*candidates: str, setup: str = "", test: str = TEST, **limits: float) -> list[Outcome]:
    tasks = [Task(candidate, test, 3, **limits) for candidate in candidates]
    outcomes = dict(run(setup, tasks, jobs=2))
    return [outcomes[index] for index in range(len(tasks))]


def check(course: BankCourse, **settings) -> tuple[int, str]:
    out = io.StringIO()
    code = check_bank(course.root, "01", jobs=2, console=Console(file=out, width=100), **settings)
    return code, out.getvalue()


def explain_survivors(course: BankCourse) -> None:
    check(course, json_file=course.root / "check.json")
    data = json.loads((course.root / "check.json").read_text())
    survivors = data["questions"]["running-sum"]["survivors"]
    entries = [f'[[equivalent]]\nmutant = {json.dumps(name)}\nwhy = "no matter"\n' for name in survivors]
    course.put("running-sum/mutants.toml", "".join(entries))


def test_outcomes_of_answers_that_behave_and_that_do_not():
    started = time.monotonic()
    good, wrong, stub, loop, spin, leave, exits, hungry, noisy = judge(
        GOOD,
        GOOD.replace("return x", "return x + 1", 1),
        GOOD.replace("return x", "raise NotImplementedError('Exercise')"),
        GOOD.replace("return x", "while True: pass", 1),
        "while True:\n    pass\n" + GOOD,
        "import os\nos._exit(0)\n" + GOOD,
        "import sys\nsys.exit()\n" + GOOD,
        GOOD.replace("return x", "return len(bytearray(2**36))", 1),
        "import sys\nprint('x' * 10**6)\nprint('y', file=sys.stderr)\n" + GOOD,
        cpu_seconds=4,
        call_seconds=1,
    )
    assert (good.score, good.kind, good.total) == (3, "passed", 3)
    assert (wrong.score, wrong.kind) == (2, "failed") and "2 is not it" in wrong.message
    assert (stub.score, stub.kind) == (0, "not-answered")
    assert (loop.score, loop.kind) == (2, "failed") and "did not finish" in loop.message
    assert spin.score == 0 and "KeyboardInterrupt" in spin.cell_error
    assert (leave.score, leave.kind) == (0, "died")
    assert exits.kind == "not-answered" and "SystemExit" in exits.cell_error
    assert hungry.score == 2 and "MemoryError" in hungry.message
    assert noisy.kind == "passed"
    assert time.monotonic() - started < 60


def test_one_that_sleeps_is_stopped_and_one_that_eats_its_whole_time():
    stubborn = "import signal\nsignal.signal(signal.SIGPROF, signal.SIG_IGN)\nwhile True:\n    pass\n"
    sleepy = "import time\ntime.sleep(600)\n"
    for outcome in judge(stubborn, sleepy, cpu_seconds=1, call_seconds=1):
        assert (outcome.score, outcome.kind) == (0, "timeout")


def test_the_setup_runs_once_and_answers_do_not_see_each_other():
    setter, reader = judge(
        "shared.append(1)\n" + GOOD,
        "assert not shared\n" + GOOD.replace("return x", "return x + len(shared)"),
        setup="print('noise')\nshared = []",
    )
    assert setter.kind == reader.kind == "passed"


def test_a_broken_setup_says_so():
    with pytest.raises(SetupError, match="ZeroDivisionError"):
        judge(GOOD, setup="1 / 0")


def test_an_exception_of_the_test_is_no_failure_of_the_answer():
    (outcome,) = judge(GOOD, test="x = 1\n{}['missing']\n")
    assert outcome.kind == "test-error"
    assert "KeyError" in outcome.message and "line 2" in outcome.message


def test_a_bank_is_proved_once_its_survivors_are_explained(bank_course):
    code, said = check(bank_course)
    assert code == 1 and "survivor without explanation" in said
    explain_survivors(bank_course)
    code, said = check(bank_course, json_file=bank_course.root / "check.json")
    data = json.loads((bank_course.root / "check.json").read_text())
    assert data["totals"]["right"] == data["totals"]["accepted"] == 3
    assert data["totals"]["wrong"] == data["totals"]["rejected"] == data["totals"]["named"] == 3
    share = data["totals"]["killed"] / data["totals"]["mutants"]
    assert (code == 0) == data["proved"] == (share >= 0.95), said
    assert data["questions"]["running-sum"]["problems"] == []


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("total/right_a.py", "total = 13\n", "right_a is right but got 0 of 2"),
        ("total/wrong_a.py", "# score: 0\n# says: x\ntotal = 12\n", "should get 0 but got 2"),
        ("total/wrong_a.py", "# score: 1\n# says: not it\ntotal = 13\n", "should get 1 but got 0"),
        ("total/wrong_a.py", "# score: 0\n# says: nowhere\ntotal = 13\n", "no message matches /nowhere/"),
        (
            "running-sum/mutants.toml",
            '[[equivalent]]\nmutant = "line 7: gone"\nwhy = "x"\n',
            "stale explanation: line 7: gone",
        ),
    ],
)
def test_what_keeps_a_bank_from_being_proved(bank_course, path, text, said):
    bank_course.put(path, text)
    exercise = path.split("/")[0]
    code, output = check(bank_course, exercise=exercise)
    assert code == 1 and said in " ".join(output.split())


def test_a_bank_with_mistakes_or_a_broken_setup_gives_two(bank_course):
    bank_course.put("total/wrong_a.py", "# says: x\ntotal = 1\n")
    code, said = check(bank_course)
    assert code == 2 and 'needs "score"' in said
    (bank_course.bank / "total" / "wrong_a.py").unlink()
    bank_course.setup = "import no_such_module"
    bank_course.write()
    code, said = check(bank_course)
    assert code == 2 and "the setup cell raised ModuleNotFoundError" in said


def test_a_question_without_answers_is_not_proved(bank_course):
    (bank_course.bank / "total" / "answers.toml").unlink()
    (bank_course.bank / "total").rmdir()
    code, said = check(bank_course, exercise="total")
    assert code == 1 and "no answers in the bank" in said


def test_points_of_the_parts_must_add_up_and_a_test_must_not_break(bank_course):
    bank_course.cells["total-test"] = bank_course.cells["total-test"].replace("points=2", "points=1")
    bank_course.write()
    assert "add up to 1 points, the cell has 2" in check(bank_course, exercise="total")[1]
    bank_course.cells["total-test"] += "\n    if student.total == 15:\n        raise IndexError('mine')"
    bank_course.write()
    code, said = check(bank_course, exercise="total")
    assert code == 1 and "TEST ERROR on wrong 1" in said and "Mend the test first" in said
