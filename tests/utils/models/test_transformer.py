"""Attention against loops; layers and encoder against torch.nn; padding that no logit can see."""

import copy
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from course_utils.models.multihead import MultiHeadAttention, attention_weights, scaled_dot_product
from course_utils.models.sequences import length_mask
from course_utils.models.transformer import (
    EncoderLayer,
    TransformerClassifier,
    TransformerEncoder,
    sinusoidal_positions,
)

B, T, S, D, HEADS, FF, V = 3, 5, 4, 8, 2, 11, 10
LENGTHS = torch.tensor([5, 1, 3])


def normal(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def shake(module, seed=0):
    """Give every parameter, biases and norms too, a value that tells: none stays 0 or 1."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, dtype=parameter.dtype, generator=generator) / 2)
    return module


def close(ours, theirs, atol=1e-10):
    torch.testing.assert_close(ours, theirs, rtol=0, atol=atol)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 3), st.integers(1, 3), st.data())
def test_attention_agrees_with_a_loop(T, S, d_k, d_v, data):
    q, k, v = normal(T, d_k), normal(S, d_k, seed=1), normal(S, d_v, seed=2)
    rows = st.lists(st.booleans(), min_size=S, max_size=S).filter(any)
    mask = torch.tensor(data.draw(st.lists(rows, min_size=T, max_size=T)))
    output, weights = scaled_dot_product(q, k, v, mask)
    for t in range(T):
        exps = [math.exp(float(q[t] @ k[s]) / math.sqrt(d_k)) if mask[t, s] else 0.0 for s in range(S)]
        for s in range(S):
            assert weights[t, s].item() == pytest.approx(exps[s] / sum(exps), abs=1e-12)
            assert mask[t, s] or weights[t, s] == 0
        for j in range(d_v):
            expected = sum(e * v[s, j].item() for s, e in enumerate(exps)) / sum(exps)
            assert output[t, j].item() == pytest.approx(expected, abs=1e-12)


def test_multi_head_attention_agrees_with_a_loop_over_heads():
    ours = shake(MultiHeadAttention(D, HEADS).double())
    x, memory = normal(B, T, D), normal(B, S, D, seed=1)
    output, weights = ours(x, memory)
    width = D // HEADS
    heads = []
    for head in range(HEADS):
        part = slice(head * width, (head + 1) * width)
        q, k, v = (
            source @ layer.weight[part].T + layer.bias[part]
            for layer, source in ((ours.query, x), (ours.key, memory), (ours.value, memory))
        )
        attended, expected = scaled_dot_product(q, k, v)
        close(weights[:, head], expected)
        heads.append(attended)
    close(output, torch.cat(heads, -1) @ ours.output.weight.T + ours.output.bias)


def gradients(run, module, *inputs):
    """Return outputs, and the gradients of inputs and of every parameter by name."""
    inputs = [x.clone().requires_grad_() for x in inputs]
    outputs = run(module, *inputs)
    sum((output * normal(*output.shape, seed=7)).sum() for output in outputs).backward()
    return outputs, [x.grad for x in inputs], {name: p.grad for name, p in module.named_parameters()}


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("way", ["load", "save"])
def test_multi_head_attention_agrees_with_the_library(way, masked):
    if way == "load":
        library = shake(nn.MultiheadAttention(D, HEADS, batch_first=True, dtype=torch.float64))
        ours = MultiHeadAttention(D, HEADS).double().load_library(library)
    else:
        ours = shake(MultiHeadAttention(D, HEADS).double())
        library = ours.to_library()
    seen = length_mask(torch.tensor([4, 1, 2]), S) if masked else torch.ones(B, S, dtype=torch.bool)
    x, memory = normal(B, T, D), normal(B, S, D, seed=1)
    mine = gradients(lambda m, x, y: m(x, y, seen[:, None, None]), ours, x, memory)
    theirs = gradients(
        lambda m, x, y: m(x, y, y, key_padding_mask=~seen, average_attn_weights=False), library, x, memory
    )
    for a, b in zip((*mine[0], *mine[1]), (*theirs[0], *theirs[1]), strict=True):
        close(a, b)
    for kind in ("weight", "bias"):
        joined = torch.cat([mine[2][f"{name}.{kind}"] for name in ("query", "key", "value")])
        close(joined, theirs[2][f"in_proj_{kind}"])
        close(mine[2][f"output.{kind}"], theirs[2][f"out_proj.{kind}"])


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("way", ["load", "save"])
def test_encoder_layer_agrees_with_the_library(way, norm_first, masked):
    if way == "load":
        library = nn.TransformerEncoderLayer(
            D, HEADS, FF, dropout=0.0, batch_first=True, norm_first=norm_first, dtype=torch.float64
        )
        ours = EncoderLayer(D, HEADS, FF, norm_first).double().load_library(shake(library))
    else:
        ours = shake(EncoderLayer(D, HEADS, FF, norm_first).double())
        library = ours.to_library()
    seen = length_mask(LENGTHS, T) if masked else torch.ones(B, T, dtype=torch.bool)
    x = normal(B, T, D)
    mine = gradients(lambda m, x: (m(x, seen[:, None, None])[0],), ours, x)
    theirs = gradients(lambda m, x: (m(x, src_key_padding_mask=~seen),), library, x)
    close(mine[0][0], theirs[0][0])
    close(mine[1][0], theirs[1][0])
    names = {"widen": "linear1", "narrow": "linear2", "norm_attention": "norm1", "norm_ff": "norm2"}
    for name, grad in mine[2].items():
        part, kind = name.rsplit(".", 1)
        if part in names:
            close(grad, theirs[2][f"{names[part]}.{kind}"])
    for kind in ("weight", "bias"):
        joined = torch.cat([mine[2][f"attention.{name}.{kind}"] for name in ("query", "key", "value")])
        close(joined, theirs[2][f"self_attn.in_proj_{kind}"])
        close(mine[2][f"attention.output.{kind}"], theirs[2][f"self_attn.out_proj.{kind}"])


@pytest.mark.parametrize("norm_first", [False, True])
def test_encoder_agrees_with_the_library(norm_first):
    ours = shake(TransformerEncoder(D, HEADS, 3, FF, norm_first).double())
    library = nn.TransformerEncoder(
        ours.layers[0].to_library(),
        3,
        copy.deepcopy(ours.norm) if norm_first else None,
        enable_nested_tensor=False,
    )
    library.layers = nn.ModuleList(layer.to_library() for layer in ours.layers)
    x = normal(B, T, D)
    real = length_mask(LENGTHS, T)
    theirs = library(x + sinusoidal_positions(T, D), src_key_padding_mask=~real)
    output, weights = ours(x, LENGTHS)
    close(output[real], theirs[real])
    assert not output[~real].any()
    assert weights.shape == (3, B, HEADS, T, T)
    close(weights.sum(-1), torch.ones(3, B, HEADS, T, dtype=torch.float64))
    for b, n in enumerate(LENGTHS.tolist()):
        assert not weights[:, b, :, :, n:].any()


def test_dropout_acts_in_training_only_and_keeps_the_weights_it_reports():
    layer = MultiHeadAttention(D, HEADS, dropout=0.5).double()
    x = normal(B, T, D)
    torch.manual_seed(0)
    (one, w1), (two, w2) = layer(x, x), layer(x, x)
    assert not torch.equal(one, two) and torch.equal(w1, w2)
    layer.eval()
    assert torch.equal(layer(x, x)[0], layer(x, x)[0])
    model = TransformerClassifier(V, 2, D, HEADS, dropout=0.5)
    tokens = torch.arange(6).view(2, 3)
    assert not torch.equal(model(tokens), model(tokens))
    assert torch.equal(model.eval()(tokens), model(tokens))


@settings(deadline=None, max_examples=20)
@given(steps=st.integers(1, 40), half=st.integers(1, 6))
def test_positions_agree_with_the_formula(steps, half):
    size = 2 * half
    codes = sinusoidal_positions(steps, size)
    assert codes.shape == (steps, size)
    for t in range(steps):
        for i in range(half):
            angle = t / 10000 ** (2 * i / size)
            assert codes[t, 2 * i].item() == pytest.approx(math.sin(angle), abs=1e-12)
            assert codes[t, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-12)


@pytest.mark.parametrize("norm_first", [False, True])
def test_padding_changes_no_bit_of_a_logit_or_gradient(norm_first):
    model = TransformerClassifier(V, 2, D, HEADS, 2, FF, norm_first).double()
    tokens = torch.randint(V, (B, T), generator=torch.Generator().manual_seed(0))
    results = []
    for filler in (0, 3, -1, 10**9):
        padded = torch.where(length_mask(LENGTHS, T), tokens, filler)
        model.zero_grad()
        logits = model(padded, LENGTHS)
        logits.square().sum().backward()
        results.append([logits, *(p.grad.clone() for p in model.parameters())])
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))
    for b, n in enumerate(LENGTHS.tolist()):  # each sequence alone, without padding
        close(model(tokens[b : b + 1, :n]), results[0][0][b : b + 1], atol=1e-12)


@pytest.mark.parametrize("filler", [math.nan, math.inf, -math.inf, 1e300])
def test_real_input_in_padding_changes_no_bit(filler):
    encoder = TransformerEncoder(D, HEADS, 2, FF).double()
    real = length_mask(LENGTHS, T)[:, :, None]
    results = []
    for value in (0.0, filler):
        x = torch.where(real, normal(B, T, D), value).requires_grad_()
        encoder.zero_grad()
        output, weights = encoder(x, LENGTHS)
        output.square().sum().backward()
        results.append([output, weights, x.grad, *(p.grad.clone() for p in encoder.parameters())])
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))
    assert not results[0][2][~real.expand(B, T, D)].any()


@settings(deadline=None, max_examples=25)
@given(
    lengths=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    heads=st.integers(1, 3),
    layers=st.integers(1, 2),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_shapes_and_dtypes(lengths, heads, layers, dtype):
    model = TransformerClassifier(V, 3, 2 * heads, heads, layers).to(dtype)
    tokens = torch.zeros(len(lengths), max(lengths), dtype=torch.int64)
    logits = model(tokens, torch.tensor(lengths))
    assert logits.shape == (len(lengths), 3) and logits.dtype == dtype
    output, weights = model.encode(tokens)
    assert output.shape == (*tokens.shape, 2 * heads)
    assert weights.shape == (layers, len(lengths), heads, max(lengths), max(lengths))


def test_order_counts():
    model = TransformerClassifier(V, 2, D, HEADS).double().eval()
    assert not torch.allclose(model(torch.tensor([[1, 2, 3]])), model(torch.tensor([[3, 2, 1]])))


@pytest.mark.parametrize("norm_first", [False, True])
def test_gradcheck(norm_first):
    torch.manual_seed(3)
    encoder = TransformerEncoder(4, 2, 1, 6, norm_first).double()
    x = normal(2, 3, 4).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: encoder(x, torch.tensor([3, 1])), (x,))


def no_key():
    return attention_weights(
        torch.zeros(2, 3), torch.zeros(2, 3), torch.tensor([[True, True], [False, False]])
    )


@pytest.mark.parametrize(
    "call, message",
    [
        (no_key, "mask must leave every query a key to look at"),
        (
            lambda: attention_weights(torch.zeros(2, 3), torch.zeros(2, 3), torch.ones(2, 2)),
            "mask must be bool",
        ),
        (lambda: MultiHeadAttention(6, 4), "size must be a multiple of heads=4, got 6"),
        (lambda: MultiHeadAttention(6, 0), "heads must be at least 1, got 0"),
        (lambda: EncoderLayer(4, 2, 0), "ff_size must be at least 1, got 0"),
        (lambda: TransformerEncoder(3, 3), "size must be even.*got 3"),
        (lambda: TransformerEncoder(4, 2, 0), "num_layers must be at least 1, got 0"),
        (
            lambda: TransformerEncoder(4, 2)(torch.zeros(2, 3, 5)),
            r"x must be \(B, T>=1, D=4\), got \(2, 3, 5\)",
        ),
        (lambda: TransformerEncoder(4, 2)(torch.zeros(2, 0, 4)), r"got \(2, 0, 4\)"),
        (
            lambda: TransformerEncoder(4, 2)(torch.zeros(2, 3, 4), torch.tensor([3, 4])),
            r"lengths must be in 1\.\.T=3, got 4 at row 1",
        ),
        (lambda: sinusoidal_positions(3, 5), "size must be even and at least 2, got 5"),
        (lambda: sinusoidal_positions(0, 4), "steps must be at least 1, got 0"),
        (lambda: TransformerClassifier(0, 2, 4), "vocab_size must be at least 1, got 0"),
        (lambda: TransformerClassifier(5, 0, 4), "num_classes must be at least 1, got 0"),
        (
            lambda: TransformerClassifier(5, 2, 4)(torch.zeros(3, dtype=torch.long)),
            r"tokens must be \(B, T>=1\)",
        ),
        (
            lambda: TransformerClassifier(5, 2, 4)(torch.zeros(2, 3).long(), torch.tensor([0, 3])),
            "got 0 at row 0",
        ),
        (
            lambda: MultiHeadAttention(4, 2).load_library(nn.MultiheadAttention(4, 1)),
            r"layer must have \(D, heads\) = \(4, 2\), got \(4, 1\)",
        ),
        (lambda: MultiHeadAttention(4, 2).load_library(nn.MultiheadAttention(4, 2, bias=False)), "biases"),
        (lambda: MultiHeadAttention(4, 2).load_library(nn.MultiheadAttention(4, 2, kdim=3)), "one size"),
        (
            lambda: EncoderLayer(4, 2, 6).load_library(nn.TransformerEncoderLayer(4, 2, 6)),
            r"layer must have \(norm_first, F, layer_norm_eps\) = \(True, 6, 1e-05\), got \(False",
        ),
        (
            lambda: EncoderLayer(4, 2, 6).load_library(
                nn.TransformerEncoderLayer(4, 2, 6, activation="gelu", norm_first=True)
            ),
            "layer must have relu",
        ),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
