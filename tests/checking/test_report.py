"""`checking`, its parts and points, what it prints, and the scoreboard."""

import pytest

from course_utils.checking import CheckFailed, NotAnswered, StudentError, checking, scoreboard


def test_all_parts_pass(capsys):
    with checking("q") as check:
        with check.part("one", points=1):
            pass
        with check.part("two", points=2):
            pass
    assert (check.earned, check.total, check.failed) == (3, 3, [])
    assert capsys.readouterr().out == "✓ one [1]\n✓ two [2]\n"


def test_a_failed_part_does_not_stop_the_next():
    ran = []
    with pytest.raises(CheckFailed) as caught, checking("q") as check:
        with check.part("one", points=1):
            raise CheckFailed("the bias is missing")
        with check.part("two", points=2):
            ran.append(2)
    assert ran == [2] and (caught.value.earned, caught.value.total) == (2, 3)
    assert str(caught.value) == "✗ one [1]: the bias is missing\n✓ two [2]"
    assert caught.value._render_traceback_()[0] == "✗ one [1]: the bias is missing"


def test_nothing_answered_is_not_answered():
    with pytest.raises(NotAnswered) as caught, checking("q") as check:
        for name in "ab":
            with check.part(name, points=1):
                raise NotAnswered("Exercise q: write it")
    assert str(caught.value) == "Exercise q: write it" and caught.value.earned == 0
    assert isinstance(caught.value, NotImplementedError)


def test_answered_in_part_is_no_stub():
    with pytest.raises(CheckFailed) as caught, checking("q") as check:
        with check.part("a", points=1):
            raise NotAnswered("not yet")
        with check.part("b", points=1):
            raise CheckFailed("wrong")
    assert not isinstance(caught.value, NotAnswered)


def test_an_error_of_the_test_itself_costs_its_part_and_is_kept_for_the_instructor():
    with pytest.raises(CheckFailed) as caught, checking("q") as check:
        with check.part("a", points=1):
            1 / 0  # noqa: B018
        with check.part("b", points=2):
            pass
    assert (caught.value.earned, caught.value.total) == (2, 3)
    assert "ZeroDivisionError" in caught.value.broken[0]
    assert "could not make sense" in str(caught.value) and "1 / 0" not in str(caught.value)


def test_a_failure_before_the_first_part():
    with pytest.raises(NotAnswered), checking("q") as check:
        raise NotAnswered("not defined")
    assert [part.label for part in check.failed] == ["before the first part"]


def test_where_it_began_is_shown_from_the_students_cell():
    cause = None
    try:
        exec(compile("def f():\n    return 1 / 0\nf()", "<cell>", "exec"), {})
    except ZeroDivisionError as error:
        cause = error
    failure = StudentError(["ZeroDivisionError"], "division by zero", "f, line 2")
    failure.__cause__ = cause
    with pytest.raises(CheckFailed) as caught, checking("q") as check, check.part("a", points=1):
        raise failure
    text = "\n".join(caught.value._render_traceback_())
    assert "It began in your code" in text and "f, line 2" in text


def test_the_scoreboard():
    scoreboard.results.clear()
    with checking("right") as check, check.part("a"):
        pass
    for name, failure in (("wrong", CheckFailed("x")), ("blank", NotAnswered("x"))):
        with pytest.raises(CheckFailed), checking(name) as check:
            with check.part("a"):
                raise failure
            with check.part("b"):
                if name == "blank":
                    raise failure
    with pytest.raises(CheckFailed), checking("table missing") as check:
        with check.part("a"):
            pass
        with check.part("b"):
            raise NotAnswered("x")
    names = {name: name for name in ("right", "wrong", "blank", "never")}
    states = dict(scoreboard.rows(names))
    assert states == {"right": "✓ 1 of 1", "wrong": "✗ 1 of 2", "blank": "… not answered", "never": "not run"}
    assert scoreboard.rows({"table missing": "t"}) == [("t", "✗ 1 of 2")]
    shown = scoreboard.show(names)
    assert "**1 of 4**" in shown._repr_markdown_() and "checks that pass: 1 of 4" in repr(shown)
