"""Messages of many students in groups: what says the same is one, what does not is several."""

import pytest

from course_admin.report_messages import (
    MOST_MESSAGES,
    UNANSWERED,
    failures_in,
    flags_by_kind,
    grouped,
    key_of,
    kind_of,
)


def test_failures_in_a_verdict() -> None:
    message = "✓ a [1]\n✗ quantized: parameters [0.5]: n: wrong\n  [1, 2]\n✗ two steps: h: shape (2,), expected (3,)\n✓ c"
    assert failures_in(message) == ["n: wrong\n  [1, 2]", "h: shape (2,), expected (3,)"]
    assert failures_in("no parts here") == ["no parts here"] and failures_in("") == []


def test_one_submission_does_not_fill_the_report() -> None:
    assert len(failures_in("\n".join(f"✗ p: {n}" for n in range(1000)))) == MOST_MESSAGES


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("one step: the tanh is missing", "gradient of x: the tanh is missing"),
        (
            "h: 3 of 8 entries differ (largest difference 0.12)",
            "h: 8 of 8 entries differ (largest difference 1e-05)",
        ),
        (
            "y: the time axis is still there (shape (2, 1, 6), expected (2, 6))",
            "y: the time axis is still there",
        ),
        (
            "your code raised TypeError: bad operand (in step, line 3)",
            "your code raised TypeError: bad operand (in cell, line 14)",
        ),
        (
            "answer: expected one of 'a', 'b'; got the text 'c'",
            "answer: expected one of 'a', 'b'; got the text 'dear'",
        ),
        ("y: expected\n[[1 2]]\nbut got\n[[3 4]]", "y: expected\n[[1 2]]\nbut got\n[[5 6]]"),
        ("loss: contains nan", "loss: contains inf"),
    ],
)
def test_messages_that_say_the_same(one: str, other: str) -> None:
    assert key_of(one) == key_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("one step: the tanh is missing", "one step: the bias is missing"),
        ("h: 3 of 8 entries differ", "c: 3 of 8 entries differ"),
        ("forget_1: it differs by 0.5", "forget_2: it differs by 0.5"),
        (
            "your code raised TypeError: bad operand (in f, line 3)",
            "your code raised ValueError: too few (in f, line 3)",
        ),
    ],
)
def test_messages_that_do_not(one: str, other: str) -> None:
    assert key_of(one) != key_of(other)


def test_groups() -> None:
    messages = {
        "ann": ["h: 1 of 8 entries differ from the right value", "the bias is missing here"],
        "bob": [
            "h: 2 of 8 entries differ from the right value",
            "h: 2 of 8 entries differ from the right value",
        ],
        "cas": [
            "h: 2 of 8 entries differ from the right value",
            "`x` is not answered yet: put your answer where the dots are",
        ],
        "dan": [
            "`y` is not defined yet: run the cell that defines it",
            "Exercise cell: one step",
            "the bias is missing here",
        ],
        "eve": ["x: not answered yet", "the bias is missing here"],
    }
    found = [(group.count, group.message) for group in grouped(messages)]
    assert found == [
        (3, "the bias is missing here"),
        (
            3,
            "h: 2 of 8 entries differ from the right value",
        ),  # the most common of its group; named mistakes stand first
        (3, UNANSWERED),
    ]


@pytest.mark.parametrize(
    ("flag", "kind"),
    [
        ("please look: rnn-cell starts or ends processes", "starts or ends processes"),
        ("please look: a cell starts or ends processes", "starts or ends processes"),
        ("rnn-cell-test: its text was changed; the original counts", "its text was changed"),
        ("rnn-cell: stands there 2 times; the last counts", "stands there … times"),
        ("a cell killed its kernel: signal 9", "a cell killed its kernel"),
        ("the file is not JSON (cut short?); graded as empty", "the file is not JSON (cut short?)"),
        ("cell-test: the test itself failed; please look: Traceback\n  File x", "the test itself failed"),
    ],
)
def test_kinds_of_flags(flag: str, kind: str) -> None:
    assert kind_of(flag) == kind


def test_flags_by_kind() -> None:
    flags = {"ann": ["x: rare", "a: often", "b: often"], "bob": ["c: often"]}
    assert flags_by_kind(flags) == {
        "often": [("ann", "a: often"), ("ann", "b: often"), ("bob", "c: often")],
        "rare": [("ann", "x: rare")],
    }
