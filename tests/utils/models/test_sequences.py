"""Masks, last steps and reading backwards against loops over sequences cut to their lengths."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.models.sequences import check_lengths, last_steps, length_mask, reverse_padded, zero_padding


@st.composite
def padded(draw, dtypes=(torch.float32, torch.float64, torch.int64)):
    """A batch (B, T, …) of any rank and dtype, and lengths from 1 to T."""
    lengths = draw(st.lists(st.integers(1, 6), min_size=1, max_size=5))
    steps = max(lengths) + draw(st.integers(0, 2))
    shape = (len(lengths), steps, *draw(st.sampled_from([(), (1,), (3,), (2, 3)])))
    x = torch.arange(1, 1 + math.prod(shape)).view(shape)  # no zero among them
    return x.to(draw(st.sampled_from(dtypes))), torch.tensor(
        lengths, dtype=draw(st.sampled_from([torch.int64, torch.int32, torch.uint8]))
    )


@settings(deadline=None, max_examples=60)
@given(padded())
def test_every_helper_agrees_with_a_loop(batch):
    x, given_lengths = batch
    lengths = check_lengths(given_lengths, *x.shape[:2])
    assert lengths.dtype == torch.int64 and lengths.tolist() == given_lengths.tolist()
    mask, zeroed = length_mask(lengths, x.shape[1]), zero_padding(x, lengths)
    last, back = last_steps(x, lengths), reverse_padded(x, lengths)
    assert mask.dtype == torch.bool and mask.shape == x.shape[:2]
    assert {zeroed.dtype, last.dtype, back.dtype} == {x.dtype}
    for b, n in enumerate(lengths.tolist()):
        assert mask[b].tolist() == [True] * n + [False] * (x.shape[1] - n)
        assert torch.equal(zeroed[b, :n], x[b, :n]) and not zeroed[b, n:].any()
        assert torch.equal(last[b], x[b, n - 1])
        assert torch.equal(back[b, :n], x[b, :n].flip(0)) and torch.equal(back[b, n:], x[b, n:])
    assert torch.equal(reverse_padded(back, lengths), x)


@settings(deadline=None, max_examples=20)
@given(padded())
def test_without_lengths_every_sequence_is_full(batch):
    x, _ = batch
    full = torch.full((len(x),), x.shape[1])
    assert torch.equal(last_steps(x, None), last_steps(x, full))
    assert torch.equal(reverse_padded(x, None), reverse_padded(x, full))
    assert torch.equal(zero_padding(x, full), x) and length_mask(full, x.shape[1]).all()


@pytest.mark.parametrize("poison", [math.nan, math.inf, -math.inf])
def test_padding_reaches_no_result_and_no_gradient(poison):
    lengths = torch.tensor([3, 1])
    x = torch.arange(6.0, dtype=torch.float64).view(2, 3)
    x[1, 1:] = poison
    x.requires_grad_()
    total = zero_padding(x, lengths).exp().sum() + last_steps(x, lengths).sum()
    total = total + zero_padding(reverse_padded(x, lengths), lengths).sum()
    total.backward()
    assert total.item() == pytest.approx(1 + math.e + math.e**2 + math.e**3 + 2 + (2 + 3) + (0 + 1 + 2 + 3))
    expected = x.detach().exp() + 1
    expected[0, 2] += 1  # a last step
    expected[1, 0] += 1
    expected[1, 1:] = 0
    torch.testing.assert_close(x.grad, expected, rtol=0, atol=1e-12)


def test_gradcheck():
    lengths = torch.tensor([4, 1, 2])
    x = torch.randn(
        3, 4, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True
    )
    for helper in (zero_padding, last_steps, reverse_padded):
        assert torch.autograd.gradcheck(lambda x, helper=helper: helper(x, lengths), (x,))


def test_helpers_leave_their_arguments_alone():
    x, lengths = torch.ones(2, 3), torch.tensor([1, 3])
    for helper in (zero_padding, last_steps, reverse_padded):
        helper(x, lengths).fill_(7.0)
    assert x.eq(1).all() and lengths.tolist() == [1, 3]


@pytest.mark.parametrize(
    "lengths, message",
    [
        (torch.tensor([3, 0, 1]), r"lengths must be in 1\.\.T=4, got 0 at row 1"),
        (torch.tensor([3, 4, 5]), r"lengths must be in 1\.\.T=4, got 5 at row 2"),
        (torch.tensor([-1, 9, 5]), r"lengths must be in 1\.\.T=4, got -1 at row 0"),
        (torch.tensor([1, 2]), r"integers of shape \(B,\)=\(3,\), got \(2,\) of torch.int64"),
        (torch.tensor([[1, 2, 3]]), r"got \(1, 3\)"),
        (torch.tensor(2), r"got \(\) of"),
        (torch.tensor([1.0, 2.0, 3.0]), "got .* of torch.float32"),
        (torch.tensor([True, True, True]), "got .* of torch.bool"),
    ],
)
def test_errors_name_what_came(lengths, message):
    with pytest.raises(ValueError, match=message):
        check_lengths(lengths, 3, 4)


def test_lengths_may_stay_on_the_cpu():
    """The meta device computes shapes and devices alone, and like a GPU refuses operands from elsewhere."""
    x, lengths = torch.ones(2, 3, 4, device="meta"), torch.tensor([1, 3])
    assert length_mask(lengths, 3).device.type == "cpu"
    assert length_mask(lengths, 3, x.device).device.type == "meta"
    for helper, shape in ((zero_padding, (2, 3, 4)), (last_steps, (2, 4)), (reverse_padded, (2, 3, 4))):
        found = helper(x, lengths)
        assert found.device.type == "meta" and found.shape == shape
