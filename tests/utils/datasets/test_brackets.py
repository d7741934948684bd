"""Balance and depth against a stack and a grammar; what counting can and cannot tell."""

import itertools
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.datasets.brackets import brackets, is_balanced


def erased(text):
    """Whether text vanishes when adjacent pairs are taken out again and again: balance without a stack."""
    before = None
    while before != text:
        before = text
        for pair in ("()", "[]", "{}", "<>"):
            text = text.replace(pair, "")
    return not text


@settings(deadline=None, max_examples=40)
@given(
    half=st.integers(1, 12),
    low=st.integers(1, 6),
    more=st.integers(0, 8),
    kinds=st.integers(1, 4),
    deepest=st.integers(1, 8),
    seed=st.integers(0, 9999),
)
def test_labels_agree_with_the_grammar(half, low, more, kinds, deepest, seed):
    B, shortest, longest = 2 * half, 2 * low, 2 * (low + more)
    sizes = {"shortest": shortest, "longest": longest, "kinds": kinds, "deepest": deepest, "seed": seed}
    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()
    data = brackets(B, **sizes)
    assert torch.equal(torch.get_rng_state(), before) and (np.random.get_state()[1] == numpy_before).all()
    T = int(data.lengths.max())
    assert data.x.shape == data.depth.shape == (B, T) and data.lengths.shape == data.y.shape == (B,)
    assert all(part.dtype == torch.int64 for part in (data.x, data.lengths, data.y, data.depth))
    assert data.y.sum() == half and shortest <= data.lengths.min() and longest >= T
    for b, n in enumerate(data.lengths.tolist()):
        text = data.text(b)
        assert len(text) == n and erased(text) == bool(data.y[b])
        depth = [sum(1 if s in "([{<" else -1 for s in text[: t + 1]) for t in range(n)]
        assert data.depth[b].tolist() == depth + [0] * (T - n)
        assert depth[-1] == 0  # also where it is not balanced: counts alone tell nothing
        assert not data.x[b, n:].any()
        if data.y[b]:
            assert max(depth) <= deepest and min(depth) >= 0
    for mine, again in zip(data[:4], brackets(B, **sizes)[:4], strict=True):
        assert torch.equal(mine, again)


def test_is_balanced_agrees_with_the_grammar_on_all_short_sequences():
    signs = "([)]"
    for n in range(1, 7):
        for symbols in itertools.product((1, 2, 3, 4), repeat=n):
            assert is_balanced(list(symbols), 2) == erased("".join(signs[s - 1] for s in symbols))


def test_every_shape_is_equally_likely():
    """There are 5 balanced shapes of 6 brackets, 4 of them no deeper than 2."""
    for deepest, shapes in ((3, 5), (2, 4), (1, 1)):
        data = brackets(4000, shortest=6, longest=6, kinds=1, deepest=deepest, seed=0)
        seen = Counter(data.text(b) for b in range(4000) if data.y[b])
        assert len(seen) == shapes and max(seen.values()) < 1.2 * min(seen.values())


def test_twins_have_the_same_brackets_so_counting_them_tells_nothing():
    data = brackets(400, kinds=3, seed=0)
    broken, balanced = data.x[::2], data.x[1::2]
    assert not data.y[::2].any() and data.y[1::2].all()
    assert torch.equal(broken.sort(1).values, balanced.sort(1).values)
    assert torch.equal(data.lengths[::2], data.lengths[1::2])
    assert ((broken != balanced).sum(1) == 2).all()


def test_one_look_at_neighbors_does_not_solve_it():
    """A pair such as "(]" gives some away; a reader of all adjacent pairs is far from right on long sequences."""
    from sklearn.linear_model import LogisticRegression

    def pairs(seed):
        data = brackets(1500, shortest=12, longest=20, kinds=2, seed=seed)
        both = data.x[:, :-1] * 5 + data.x[:, 1:]
        return torch.nn.functional.one_hot(both, 25).sum(1).numpy(), data.y.numpy()

    score = LogisticRegression(C=0.1).fit(*pairs(0)).score(*pairs(1))
    assert 0.5 < score < 0.9


def test_depth_alone_does_not_tell_kinds_apart():
    """With several kinds, a good share of what is not balanced never goes below 0: only kinds are wrong."""
    data = brackets(4000, kinds=3, seed=2)
    crossed = (data.depth >= 0).all(1)[data.y == 0].float().mean()
    assert 0.4 < crossed < 0.9
    one = brackets(4000, kinds=1, seed=2)
    assert not (one.depth >= 0).all(1)[one.y == 0].any()


def test_lengths_are_uniform_and_can_begin_where_training_ended():
    data = brackets(6000, shortest=4, longest=20, seed=3)
    counts = data.lengths.bincount()[4::2]
    assert len(counts) == 9 and counts.max() < 1.3 * counts.min() and not data.lengths.bincount()[5::2].any()
    test = brackets(100, shortest=22, longest=40, seed=4)
    assert test.lengths.min() > data.lengths.max() and test.lengths.max() <= 2 * data.lengths.max()


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: brackets(3, seed=0), "must be even, got 3, 4, 20"),
        (lambda: brackets(0, seed=0), "count must be .* at least 2, got 0"),
        (lambda: brackets(2, shortest=5, seed=0), "must be even, got 2, 5, 20"),
        (lambda: brackets(2, shortest=0, seed=0), "lengths must be 2 <= shortest <= longest, got 0 and 20"),
        (lambda: brackets(2, kinds=5, seed=0), r"kinds must be in 1..4, got 5"),
        (lambda: brackets(2, deepest=0, seed=0), "deepest must be at least 1, got 0"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
