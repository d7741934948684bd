"""Scheduled sampling: the three formulas, their limits and where they reach one half."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.training.schedules import exponential_decay, inverse_sigmoid_decay, linear_decay

SCHEDULES = {
    "linear": (lambda i, k: linear_decay(i, slope=1 / (10 * k), floor=0.1)),
    "exponential": (lambda i, k: exponential_decay(i, k=1 - 1 / (1 + k))),
    "inverse sigmoid": (lambda i, k: inverse_sigmoid_decay(i, k=k)),
}


@given(step=st.integers(0, 400), k=st.floats(1, 100))
def test_formulas(step, k):
    assert linear_decay(step, slope=k / 1000, start=0.9, floor=0.2) == max(0.2, 0.9 - k / 1000 * step)
    assert exponential_decay(step, k=k / 101) == pytest.approx((k / 101) ** step)
    assert inverse_sigmoid_decay(step, k=k) == pytest.approx(k / (k + math.exp(step / k)))


@pytest.mark.parametrize("name", SCHEDULES)
@given(k=st.floats(1, 1e4))
def test_every_schedule_is_a_probability_that_never_rises_and_ends_at_its_limit(name, k):
    with warnings.catch_warnings(action="error"):  # no overflow, however late
        values = SCHEDULES[name](np.array([0, 1, 5, 100, 1e4, 1e9]), k)
    assert ((values >= 0) & (values <= 1)).all() and (np.diff(values) <= 0).all()
    assert values[-1] == pytest.approx(0.1 if name == "linear" else 0.0)
    assert values[0] == pytest.approx(k / (k + 1) if name == "inverse sigmoid" else 1.0)


def test_where_one_half_is_reached():
    assert linear_decay(50, slope=1 / 100) == 0.5
    assert exponential_decay(10, k=0.5 ** (1 / 10)) == pytest.approx(0.5)
    assert inverse_sigmoid_decay(20 * math.log(20), k=20) == pytest.approx(0.5)


def test_a_number_gives_a_number_and_an_array_an_array():
    for schedule in SCHEDULES.values():
        assert type(schedule(3, 2.0)) is float
        several = schedule([[0, 3]], 2.0)
        assert several.shape == (1, 2) and several[0, 1] == schedule(3, 2.0)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: linear_decay(-1, slope=0.1), "step must be at least 0, got -1"),
        (lambda: linear_decay(0, slope=-0.1), "slope must be at least 0, got -0.1"),
        (lambda: linear_decay(0, slope=0.1, start=0.2, floor=0.5), "got 0.5 and 0.2"),
        (lambda: linear_decay(0, slope=0.1, start=1.5), "got 0.0 and 1.5"),
        (lambda: exponential_decay(0, k=1.0), "k must be more than 0 and less than 1, got 1.0"),
        (lambda: exponential_decay([0, math.nan], k=0.5), "step must be at least 0, got nan"),
        (lambda: inverse_sigmoid_decay(0, k=0.5), "k must be at least 1, got 0.5"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
