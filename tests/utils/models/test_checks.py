"""Checks that several families share: the argument by its name, what came, what was expected."""

import pytest
import torch

from course_utils.models.checks import check_layer_call, check_sizes, require


def test_a_condition_that_holds_passes_and_another_says_why():
    require(True, "never seen")
    with pytest.raises(ValueError, match="because"):
        require(False, "because")


def test_the_first_size_below_one_is_named():
    check_sizes(width=1, vocab_size=None)
    with pytest.raises(ValueError, match="height must be at least 1, got 0"):
        check_sizes(width=3, height=0, depth=-1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_call_is_completed(dtype):
    x = torch.full((2, 3, 4), torch.nan, dtype=dtype)
    x[0], x[1, :2] = 1.0, 2.0
    clean, h, lengths = check_layer_call(x, None, torch.tensor([3, 2], dtype=torch.int32), 4, 5)
    assert clean[1, 2].eq(0).all() and clean[1, :2].eq(2).all() and clean[0].eq(1).all()
    assert h.shape == (2, 5) and h.dtype == dtype and not h.any()
    assert lengths is not None and lengths.dtype == torch.int64 and lengths.tolist() == [3, 2]
    given = torch.ones(2, 5, dtype=dtype)
    same, h, lengths = check_layer_call(x, given, None, 4, 5)
    assert same is x and h is given and lengths is None


@pytest.mark.parametrize(
    ("shape", "state", "lengths", "message"),
    [
        ((2, 3), None, None, r"x must be \(B, T>=1, I=4\), got \(2, 3\)"),
        ((2, 0, 4), None, None, r"x must be \(B, T>=1, I=4\), got \(2, 0, 4\)"),
        ((2, 3, 5), None, None, r"x must be \(B, T>=1, I=4\), got \(2, 3, 5\)"),
        ((2, 3, 4), (1, 5), None, r"state must be \(B, H\)=\(2, 5\), got \(1, 5\)"),
        ((2, 3, 4), None, [3, 4], r"lengths must be in 1..T=3, got 4 at row 1"),
    ],
)
def test_a_wrong_call_is_refused(shape, state, lengths, message):
    h = None if state is None else torch.zeros(state)
    with pytest.raises(ValueError, match=message):
        check_layer_call(torch.zeros(shape), h, None if lengths is None else torch.tensor(lengths), 4, 5)
