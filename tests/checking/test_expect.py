"""Expectations: every right answer passes whatever its style, a wrong one fails with the sentence that names it."""

import re

import numpy as np
import pytest
import torch

from course_utils.checking import (
    CheckFailed,
    InProcess,
    NotAnswered,
    as_array,
    describe,
    expect,
    expect_choice,
    expect_close,
    expect_number,
    expect_raises,
    expect_shape,
    expect_text,
    student,
    using,
)

RIGHT = [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(
    "value",
    [
        RIGHT,
        ((1, 2), (3, 4)),
        np.array(RIGHT),
        np.array(RIGHT, dtype=np.float32),
        np.array([[1, 2], [3, 4]]),
        torch.tensor(RIGHT),
        torch.tensor(RIGHT, dtype=torch.float64, requires_grad=True),
        torch.tensor(RIGHT, dtype=torch.bfloat16),
        torch.tensor(RIGHT, dtype=torch.float16),
        [torch.tensor([1.0, 2.0]), np.array([3, 4])],
        [[torch.tensor(1.0), 2], [np.float64(3), 4]],
    ],
)
def test_close_takes_every_style(value):
    expect_close(value, RIGHT, what="it")
    expect_close(value, torch.tensor(RIGHT), what="it")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (None, "is a `return` missing"),
        ("[[1, 2], [3, 4]]", "the text"),
        ({"a": 1}, "a dict of 1"),
        ([[1, 2], [3]], "different shapes"),
        ([["a", "b"]], "the text 'a'"),
        (np.array([object()]), "array of object"),
        (10**400, "array of object"),
        ([1.0, 2.0], "shape (2,), expected (2, 2)"),
        ([[1.0, 2.0], [3.0, float("nan")]], "contains nan"),
        ([[1.0, 2.0], [3.0, float("inf")]], "contains infinity"),
        ([[1.0, 2.0], [3.0, 5.0]], "1 of 4 entries differ"),
        ([[2.0, 3.0], [4.0, 5.0]], "one is added"),
        (lambda: 1, "array of object"),
    ],
)
def test_close_says_what_is_wrong(value, says):
    with pytest.raises(CheckFailed, match=re.escape(says)):
        expect_close(value, RIGHT, what="it", suspects={"one is added": lambda: np.array(RIGHT) + 1})


def test_a_suspect_that_is_right_is_never_named():
    expect_close(0.0, 0.0, what="it", suspects={"wrong sign": -0.0})
    with pytest.raises(CheckFailed, match="differs from the right value"):
        expect_close(1.0, 0.0, what="it", suspects={"wrong sign": -0.0})


def test_values_are_shown_only_when_asked():
    with pytest.raises(CheckFailed) as hidden:
        expect_close([1.0, 2.0], [1.0, 7.125], what="it")
    with pytest.raises(CheckFailed) as shown:
        expect_close([1.0, 2.0], [1.0, 7.125], what="it", reveal=True)
    assert "7.12" not in str(hidden.value) and "7.12" in str(shown.value)


def test_booleans_empty_arrays_and_complex_numbers():
    expect_close([True, False], [1, 0], what="it")
    expect_close(np.array([], dtype=float), [], what="it")
    expect_close([1j], np.array([1j]), what="it")


def test_shapes():
    expect_shape(torch.zeros(2, 3), (2, 3), what="it")
    expect_shape(5, (), what="it")
    with pytest.raises(CheckFailed, match="batch and time are swapped"):
        expect_shape(torch.zeros(3, 2), [2, 3], what="it", suspects={"batch and time are swapped": (3, 2)})
    with pytest.raises(CheckFailed, match=r"shape \(1,\), expected \(2,\)"):
        expect_shape([0], (2,), what="it")


def test_expect():
    expect(np.bool_(True), "never")
    with pytest.raises(CheckFailed, match="because"):
        expect([], "because")


@pytest.mark.parametrize("value", [0.5, np.float32(0.5), np.array([[0.5]]), torch.tensor(0.5), 0.5000001])
def test_numbers_pass(value):
    expect_number(value, 0.5, what="it")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("0.5", "without quotes"),
        (True, "expected a number"),
        (np.bool_(True), "expected a number"),
        ([0.5, 0.5], "a list of 2"),
        (None, "None"),
        (float("nan"), "finite"),
        (float("-inf"), "finite"),
        (10**400, "finite"),
        (0.5 + 0j, "expected a number"),
        (0.25, "it is halved"),
        (0.51, "is not it"),
        (torch.zeros(2), "shape (2,)"),
    ],
)
def test_numbers_that_are_wrong(value, says):
    with pytest.raises(CheckFailed, match=re.escape(says)):
        expect_number(value, 0.5, what="it", suspects={"it is halved": 0.25})


OPTIONS = ["many-to-one", "one-to-many", "both"]


@pytest.mark.parametrize("value", ["many-to-one", "Many to one", " MANY_TO-ONE. ", "many‑to‑one)"])
def test_choices_pass(value):
    expect_choice(value, "many-to-one", OPTIONS, what="it")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("one-to-many", "it reads many"),
        ("both", "not this one"),
        ("many", "expected one of"),
        (3, "expected one of"),
        (["many-to-one"], "expected one of"),
        (torch.tensor(3), "expected one of"),
        (None, "expected one of"),
    ],
)
def test_choices_that_are_wrong(value, says):
    with pytest.raises(CheckFailed, match=says):
        expect_choice(value, "many-to-one", OPTIONS, what="it", suspects={"one to many": "it reads many"})


@pytest.mark.parametrize(
    "value", [["a", "c"], {"C", "a"}, ("a", "c"), "a, c", "a and c", np.array(["a", "c"]).tolist()]
)
def test_several_choices(value):
    expect_choice(value, {"a", "c"}, ["a", "b", "c"], what="it")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (["a"], "something is missing"),
        (["a", "b", "c"], "b is wrong"),
        (torch.tensor(3), "expected"),
        (np.array(3), "expected"),
        ([torch.zeros(2)], "expected"),
        (3, "expected"),
    ],
)
def test_several_choices_that_are_wrong(value, says):
    with pytest.raises(CheckFailed, match=says):
        expect_choice(value, {"a", "c"}, ["a", "b", "c"], what="it", suspects={"b": "b is wrong"})


def test_text():
    accepted = [r"vanish\w* gradient", r"gradients? vanish"]
    expect_text("Vanishing  Gradients!", accepted, what="it")
    for value, says in {
        "exploding gradients vanish": "the other",
        "momentum": "'momentum' is not it",
        "word " * 20: "at most 12 words",
        3: "expected text in quotes",
    }.items():
        with pytest.raises(CheckFailed, match=says):
            expect_text(value, accepted, what="it", suspects={"explod": "the other"})
    with pytest.raises(NotAnswered):
        expect_text("  ", accepted, what="it")


def test_raises():
    def lengths(n):
        if n == 0:
            raise ValueError("lengths must be positive, got 0")
        if n == 1:
            raise KeyError("x")
        if n == 2:
            raise NotImplementedError("Exercise")
        return n

    with using(InProcess({"f": lengths})):
        expect_raises(ValueError, lambda: student.f(0), what="f(0)", mentions="lengths")
        expect_raises(LookupError, lambda: student.f(1), what="f(1)")
        with pytest.raises(CheckFailed, match="should name `size`"):
            expect_raises(ValueError, lambda: student.f(0), what="f(0)", mentions="size")
        with pytest.raises(CheckFailed, match="but raised KeyError"):
            expect_raises(ValueError, lambda: student.f(1), what="f(1)")
        with pytest.raises(CheckFailed, match="nothing was raised"):
            expect_raises(ValueError, lambda: student.f(3), what="f(3)")
        with pytest.raises(NotAnswered):
            expect_raises(ValueError, lambda: student.f(2), what="f(2)")


def test_as_array_and_describe():
    assert as_array([[1], [2]], "it").shape == (2, 1)
    assert describe(torch.zeros(2, dtype=torch.int8)) == "a tensor of shape (2,) and dtype int8"
    assert describe(np.zeros(3)) == "an array of shape (3,) and dtype float64"
    assert len(describe("x" * 1000)) < 100


def test_arrays_of_booleans_are_revealed_as_they_are():
    with pytest.raises(CheckFailed, match=r"(?s)expected.*\[False  True\].*but got.*\[ True  True\]"):
        expect_close([True, True], np.array([False, True]), what="mask", reveal=True)
