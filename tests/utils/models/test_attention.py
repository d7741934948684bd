"""Attention against loops over its equations, against torch's, and against garbage in the padding."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from course_utils.models.attention import (
    ATTENTIONS,
    AdditiveAttention,
    DotAttention,
    GeneralAttention,
    ScaledDotAttention,
    masked_softmax,
)

B, T, S, Q, M = 3, 4, 6, 5, 5
LENGTHS = torch.tensor([6, 1, 4])
KINDS = list(ATTENTIONS)
sizes = st.integers(1, 5)


def make(kind, query_size=Q, memory_size=M, seed=0):
    torch.manual_seed(seed)
    return ATTENTIONS[kind](query_size, memory_size).double()


def inputs(seed=1, query_size=Q, memory_size=M, steps=T):
    generator = torch.Generator().manual_seed(seed)
    query = torch.randn(B, steps, query_size, generator=generator, dtype=torch.float64)
    return query, torch.randn(B, S, memory_size, generator=generator, dtype=torch.float64)


def score_by_hand(attention, s, h):
    weights = {name: weight.detach().numpy() for name, weight in attention.named_parameters()}
    if isinstance(attention, AdditiveAttention):
        return weights["v.weight"][0] @ np.tanh(weights["query.weight"] @ s + weights["memory.weight"] @ h)
    if isinstance(attention, GeneralAttention):
        return s @ weights["memory.weight"] @ h
    return s @ h / (math.sqrt(len(s)) if isinstance(attention, ScaledDotAttention) else 1)


@pytest.mark.parametrize("kind", KINDS)
def test_agrees_with_loops_over_the_equations(kind):
    memory_size = M if "dot" in kind else 3
    attention = make(kind, memory_size=memory_size)
    query, memory = inputs(memory_size=memory_size)
    context, weights = attention(query, memory, LENGTHS)
    assert context.shape == (B, T, memory_size) and weights.shape == (B, T, S)
    for b in range(B):
        for t in range(T):
            states = memory[b, : LENGTHS[b]].numpy()
            e = [score_by_hand(attention, query[b, t].numpy(), h) for h in states]
            alpha = [math.exp(score) / sum(map(math.exp, e)) for score in e]
            expected = sum(a * h for a, h in zip(alpha, states, strict=True))
            padded = alpha + [0.0] * (S - len(alpha))
            np.testing.assert_allclose(weights[b, t].tolist(), padded, rtol=0, atol=1e-12)
            np.testing.assert_allclose(context[b, t].tolist(), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_scaled_dot_agrees_with_the_library(lengths):
    query, memory = inputs()
    mask = None if lengths is None else (torch.arange(S) < lengths[:, None])[:, None]
    expected = F.scaled_dot_product_attention(query, memory, memory, attn_mask=mask)
    context, _ = ScaledDotAttention(Q, M)(query, memory, lengths)
    torch.testing.assert_close(context, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("garbage", [math.nan, math.inf, -math.inf, 1e300])
def test_padding_changes_no_result_and_no_gradient(kind, garbage):
    results = []
    for padding in (0.0, garbage):
        attention = make(kind)
        query, memory = inputs()
        for row, length in enumerate(LENGTHS):
            memory[row, length:] = padding
        query.requires_grad_(), memory.requires_grad_()
        context, weights = attention(query, memory, LENGTHS)
        (context.square().sum() + (weights * torch.arange(S)).sum()).backward()
        gradients = [parameter.grad for parameter in attention.parameters()]
        results.append([context, weights, query.grad, memory.grad, *gradients])
        for row, length in enumerate(LENGTHS):
            assert not weights[row, :, length:].any() and not memory.grad[row, length:].any()
    for clean, dirty in zip(*results, strict=True):
        assert torch.equal(clean, dirty) and clean.isfinite().all()


@pytest.mark.parametrize("kind", KINDS)
def test_gradcheck(kind):
    attention = make(kind, 3, 3)
    query, memory = inputs(query_size=3, memory_size=3, steps=2)
    query.requires_grad_(), memory.requires_grad_()
    names, parameters = (
        zip(*attention.named_parameters(), strict=True) if kind not in ("dot", "scaled dot") else ((), ())
    )

    def call(query, memory, *weights):
        arguments = (query, memory, LENGTHS)
        return torch.func.functional_call(attention, dict(zip(names, weights, strict=True)), arguments)

    assert torch.autograd.gradcheck(call, (query, memory, *parameters))


@pytest.mark.parametrize("kind", KINDS)
def test_one_query_at_a_time_equals_all_at_once(kind):
    attention = make(kind)
    query, memory = inputs()
    context, weights = attention(query, memory, LENGTHS)
    prepared = attention.prepare(memory, LENGTHS)
    for t in range(T):
        one_context, one_weights = attention.attend(query[:, t], prepared)
        torch.testing.assert_close(one_context, context[:, t], rtol=0, atol=1e-12)
        torch.testing.assert_close(one_weights, weights[:, t], rtol=0, atol=1e-12)


@settings(deadline=None, max_examples=60)
@given(
    kind=st.sampled_from(KINDS),
    batch=sizes,
    steps=sizes,
    size=sizes,
    data=st.data(),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_weights_are_a_distribution_over_the_real_steps(kind, batch, steps, size, data, dtype):
    lengths = torch.tensor(data.draw(st.lists(st.integers(1, steps), min_size=batch, max_size=batch)))
    attention = ATTENTIONS[kind](size, size).to(dtype)
    query, memory = torch.randn(batch, 2, size, dtype=dtype), torch.randn(batch, steps, size, dtype=dtype)
    context, weights = attention(query, memory, lengths)
    real = torch.arange(steps) < lengths[:, None]
    assert context.dtype == weights.dtype == dtype
    assert not weights.masked_select(~real[:, None]).any()
    torch.testing.assert_close(weights.sum(2), torch.ones(batch, 2, dtype=dtype))
    bounds = memory.masked_fill(~real[..., None], -math.inf).amax(1)
    assert (context <= bounds[:, None] + 1e-5).all()  # a weighted mean is at most the largest


def test_masked_softmax_of_real_entries_is_the_softmax_and_empty_rows_are_zero():
    scores = torch.tensor([[1.0, math.nan, 3.0], [math.nan, math.inf, 0.0]], dtype=torch.float64)
    scores.requires_grad_()
    mask = torch.tensor([[True, False, True], [False, False, False]])
    weights = masked_softmax(scores, mask)
    low = 1 / (1 + math.exp(2))
    expected = torch.tensor([[low, 0, 1 - low], [0, 0, 0]], dtype=torch.float64)
    torch.testing.assert_close(weights, expected, rtol=0, atol=1e-15)
    weights[:, 0].sum().backward()
    slope = low * (1 - low)
    expected = torch.tensor([[slope, 0, -slope], [0, 0, 0]], dtype=torch.float64)
    torch.testing.assert_close(scores.grad, expected, rtol=0, atol=1e-15)


@pytest.mark.parametrize("size", [1e4, -1e4])
def test_masked_softmax_survives_large_scores(size):
    scores = torch.tensor([[size, size, size - 1e4, 0.0]])
    weights = masked_softmax(scores, torch.tensor([[True, True, True, False]]))
    assert weights.tolist() == [[0.5, 0.5, 0.0, 0.0]]


def test_the_keys_of_additive_attention_are_computed_once_for_all_queries():
    attention = make("additive")
    calls = []
    attention.memory.register_forward_hook(lambda *_: calls.append(1))
    query, memory = inputs()
    prepared = attention.prepare(memory, LENGTHS)
    for t in range(T):
        attention.attend(query[:, t], prepared)
    assert len(calls) == 1


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: DotAttention(4, 5), "query_size = memory_size, got 4 and 5"),
        (lambda: AdditiveAttention(0, 5), "query_size must be at least 1, got 0"),
        (lambda: GeneralAttention(5, 0), "memory_size must be at least 1, got 0"),
        (lambda: AdditiveAttention(5, 5, 0), "hidden_size must be at least 1, got 0"),
        (
            lambda: DotAttention(5, 5)(torch.ones(2, 5), torch.ones(2, 3, 4)),
            r"memory must be .*M=5\), got \(2, 3, 4\)",
        ),
        (
            lambda: DotAttention(5, 5)(torch.ones(2, 5), torch.ones(2, 0, 5)),
            r"memory must be .*got \(2, 0, 5\)",
        ),
        (
            lambda: DotAttention(5, 5)(torch.ones(3, 5), torch.ones(2, 3, 5)),
            r"query must be \(B=2.*got \(3, 5\)",
        ),
        (
            lambda: DotAttention(5, 5)(torch.ones(2, 4), torch.ones(2, 3, 5)),
            r"query must be .*Q=5.*got \(2, 4\)",
        ),
        (
            lambda: DotAttention(5, 5)(torch.ones(2, 5), torch.ones(2, 3, 5), torch.tensor([3, 0])),
            "lengths must be in 1..T=3, got 0 at row 1",
        ),
        (lambda: masked_softmax(torch.ones(2, 3), torch.ones(2, 3)), "mask must be bool, got torch.float32"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
