"""Encoder and decoder: one step at a time, free running, and padding that does not matter."""

from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from course_utils.decoding import beam_search, greedy
from course_utils.models.attention import ATTENTIONS
from course_utils.models.lstm import LSTM
from course_utils.models.packed import Packed
from course_utils.models.seq2seq import Seq2Seq
from course_utils.models.stacked import Stacked

B, S, T, V, H, BOS, EOS = 3, 5, 4, 6, 4, 5, 4
LENGTHS = torch.tensor([5, 1, 3])
LAYERS = {
    "lstm": LSTM,
    "torch's gru": partial(Packed, nn.GRU),
    "two layers": partial(Stacked, LSTM, num_layers=2),
}
KINDS = [None, *ATTENTIONS]
BOTH_WAYS = [
    (kind, both) for kind in KINDS for both in (False, True) if not (both and kind in ("dot", "scaled dot"))
]


def build(make=LSTM, attention="additive", seed=0, **options):
    torch.manual_seed(seed)
    return Seq2Seq(make, 7, V, H, bos=BOS, attention=attention, embedding_size=3, **options).double().eval()


def data(seed=1):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(7, (B, S), generator=generator), torch.randint(V, (B, T), generator=generator)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("attention, bidirectional", BOTH_WAYS)
def test_teacher_forcing_equals_one_step_at_a_time(attention, bidirectional, layer):
    model = build(LAYERS[layer], attention, bidirectional=bidirectional)
    source, target = data()
    out = model(source, LENGTHS, target)
    assert out.logits.shape == (B, T, V)
    tokens, state = model.start(source, LENGTHS)
    assert tokens.tolist() == [BOS] * B
    for t in range(T):
        logits, state = model.step(tokens, state)
        torch.testing.assert_close(logits, out.logits[:, t], rtol=0, atol=1e-12)
        if attention is None:
            assert out.weights is None and state.weights is None
        else:
            torch.testing.assert_close(state.weights, out.weights[:, t], rtol=0, atol=1e-12)
        tokens = target[:, t]
    if attention is not None:
        real = torch.arange(S) < LENGTHS[:, None]
        assert out.weights.shape == (B, T, S) and not out.weights.masked_select(~real[:, None]).any()
        torch.testing.assert_close(out.weights.sum(2), torch.ones(B, T).double(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("attention", [None, "additive"])
def test_agrees_with_the_equations_written_out(attention):
    """c_i, the recurrent step and the output layer with the library's LSTM cell, one source without padding."""
    model = build(partial(Packed, nn.LSTM), attention)
    source, target = data()
    source, target = source[:1], target[:1]
    out = model(source, None, target).logits[0]
    encoder, decoder = model.encoder.layer, model.decoder.layer
    memory, (h, c) = encoder(model.source_embedding(source))  # (1, S, H)
    last = h[0]
    for t, previous in enumerate([BOS, *target[0, :-1].tolist()]):
        y = model.target_embedding.weight[previous][None]
        if attention is None:
            context = last
        else:
            net = model.attention
            e = [net.v(torch.tanh(net.query(h[0, 0]) + net.memory(memory[0, j]))) for j in range(S)]
            context = torch.cat(e).softmax(0) @ memory[0]
            context = context[None]
        _, (h, c) = decoder(torch.cat([y, context], 1)[:, None], (h, c))
        logits = model.output.weight @ torch.cat([h[0, 0], context[0], y[0]]) + model.output.bias
        torch.testing.assert_close(out[t], logits, rtol=0, atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("attention", [None, "additive", "general"])
def test_free_running_equals_greedy_decoding(attention, seed):
    model = build(attention=attention, seed=seed)
    source, _ = data(seed)
    steps = 9
    tokens, lengths = greedy(model.step, *model.start(source, LENGTHS), eos=EOS, max_length=steps)
    any_target = torch.randint(V, (B, steps))
    out = model(source, LENGTHS, any_target, teacher_forcing=0.0)
    written = out.logits.argmax(2)
    assert torch.equal(out.logits, model(source, LENGTHS, 0 * any_target, teacher_forcing=0.0).logits)
    for row in range(B):
        assert torch.equal(written[row, : lengths[row]], tokens[row, : lengths[row]])
    beams = beam_search(model.step, *model.start(source, LENGTHS), eos=EOS, max_length=steps, width=1)
    assert [list(found[0].tokens) for found in beams] == [
        row[:n].tolist() for row, n in zip(tokens, lengths, strict=True)
    ]


def test_scheduled_sampling_mixes_truth_and_own_tokens_by_coins_of_the_generator():
    model = build()
    source, target = data()
    generator = torch.Generator().manual_seed(3)
    out = model(source, LENGTHS, target, teacher_forcing=0.5, generator=generator)
    coins = torch.rand(B, T, generator=torch.Generator().manual_seed(3)) < 0.5
    assert coins[:, :-1].any() and not coins[:, :-1].all()
    tokens, state = model.start(source, LENGTHS)
    for t in range(T):
        logits, state = model.step(tokens, state)
        torch.testing.assert_close(logits, out.logits[:, t], rtol=0, atol=1e-12)
        tokens = torch.where(coins[:, t], target[:, t], logits.argmax(1))


def test_teacher_forcing_and_free_running_draw_no_coins():
    model = build()
    source, target = data()
    generator = torch.Generator().manual_seed(0)
    before, everywhere = generator.get_state(), torch.get_rng_state()
    for share in (0.0, 1.0):
        model(source, LENGTHS, target, teacher_forcing=share, generator=generator)
    assert torch.equal(before, generator.get_state())
    model(source, LENGTHS, target, teacher_forcing=0.5, generator=generator)
    assert not torch.equal(before, generator.get_state())
    assert torch.equal(everywhere, torch.get_rng_state())


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("attention", [None, "additive"])
def test_padding_changes_no_result_and_no_gradient(attention, bidirectional):
    results = []
    for padding in (0, 3, -100, 10**6):
        model = build(attention=attention, bidirectional=bidirectional)
        source, target = data()
        for row, length in enumerate(LENGTHS):
            source[row, length:] = padding
        out = model(source, LENGTHS, target)
        F.cross_entropy(out.logits.flatten(0, 1), target.flatten()).backward()
        results.append([out.logits, *(parameter.grad for parameter in model.parameters())])
    for others in results[1:]:
        for clean, dirty in zip(results[0], others, strict=True):
            assert torch.equal(clean, dirty)


@settings(deadline=None, max_examples=25)
@given(
    batch=st.integers(1, 4),
    source_steps=st.integers(1, 5),
    extra=st.integers(0, 3),
    target_steps=st.integers(1, 4),
    attention=st.sampled_from(KINDS),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    seed=st.integers(0, 99),
)
def test_a_source_alone_gives_what_it_gives_in_a_batch(
    batch, source_steps, extra, target_steps, attention, dtype, seed
):
    model = build(attention=attention).to(dtype)
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, source_steps + 1, (batch,), generator=generator)
    source = torch.randint(7, (batch, source_steps + extra), generator=generator)
    target = torch.randint(V, (batch, target_steps), generator=generator)
    together = model(source, lengths, target).logits
    assert together.dtype == dtype and together.shape == (batch, target_steps, V)
    for row in range(batch):
        alone = model(source[row : row + 1, : lengths[row]], None, target[row : row + 1]).logits
        tolerance = 1e-5 if dtype == torch.float32 else 1e-12
        torch.testing.assert_close(together[row], alone[0], rtol=0, atol=tolerance)


def test_a_step_does_not_see_its_own_or_a_later_target():
    model = build()
    source, target = data()
    changed = target.clone()
    changed[:, 2] = (changed[:, 2] + 1) % V
    a, b = model(source, LENGTHS, target).logits, model(source, LENGTHS, changed).logits
    assert torch.equal(a[:, :3], b[:, :3]) and not torch.equal(a[:, 3], b[:, 3])


def test_without_attention_everything_passes_through_one_vector_and_with_it_through_all_states():
    for attention in (None, "additive"):
        model = build(attention=attention)
        state = model.encode(data()[0], LENGTHS)
        assert state.context.shape == (B, H)
        assert (state.memory is None) == (attention is None)


def test_dropout_acts_in_training_only():
    model = build(dropout=0.5)
    source, target = data()
    assert torch.equal(model(source, LENGTHS, target).logits, model(source, LENGTHS, target).logits)
    model.train()
    assert not torch.equal(model(source, LENGTHS, target).logits, model(source, LENGTHS, target).logits)


@pytest.mark.parametrize("attention", [None, "additive"])
def test_it_learns_to_read_backwards(attention):
    """A few steps on one batch: the loss must fall far below that of guessing."""
    torch.manual_seed(0)
    model = Seq2Seq(LSTM, 7, 9, 24, bos=8, attention=attention)
    source = torch.randint(7, (16, 4), generator=torch.Generator().manual_seed(0))
    target = torch.cat([source.flip(1), torch.full((16, 1), 7)], 1)
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    for _ in range(60):
        loss = F.cross_entropy(model(source, None, target).logits.flatten(0, 1), target.flatten())
        optimizer.zero_grad(), loss.backward(), optimizer.step()
    assert loss < 0.1


SOURCE, TARGET = data()


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: Seq2Seq(LSTM, 0, V, H, bos=BOS), "source_size must be at least 1, got 0"),
        (lambda: Seq2Seq(LSTM, 7, 0, H, bos=BOS), "target_size must be at least 1, got 0"),
        (lambda: Seq2Seq(LSTM, 7, V, 0, bos=BOS), "hidden_size must be at least 1, got 0"),
        (
            lambda: Seq2Seq(LSTM, 7, V, H, bos=BOS, embedding_size=0),
            "embedding_size must be at least 1, got 0",
        ),
        (lambda: Seq2Seq(LSTM, 7, V, H, bos=V), "bos must be in 0..V-1=5, got 6"),
        (
            lambda: Seq2Seq(LSTM, 7, V, H, bos=0, attention="soft"),
            "attention must be None or in .*got 'soft'",
        ),
        (
            lambda: Seq2Seq(LSTM, 7, V, H, bos=0, attention="dot", bidirectional=True),
            "query_size = memory_size, got 4 and 8",
        ),
        (lambda: build()(SOURCE[0], None, TARGET), r"source must be \(B, S>=1\), got \(5,\)"),
        (lambda: build()(SOURCE[:, :0], None, TARGET), r"source must be \(B, S>=1\), got \(3, 0\)"),
        (lambda: build()(SOURCE + 7, None, TARGET), r"source must hold ids in 0..6, got \["),
        (lambda: build()(SOURCE, None, TARGET[:2]), r"target must be \(B=3, T>=1\), got \(2, 4\)"),
        (lambda: build()(SOURCE, None, TARGET[:, :0]), r"target must be \(B=3, T>=1\), got \(3, 0\)"),
        (lambda: build()(SOURCE, None, TARGET - 100), r"target must hold ids in 0..5, got \[-"),
        (lambda: build()(SOURCE, 0 * LENGTHS, TARGET), "lengths must be in 1..T=5, got 0 at row 0"),
        (
            lambda: build()(SOURCE, None, TARGET, teacher_forcing=1.5),
            "teacher_forcing must be in 0..1, got 1.5",
        ),
        (
            lambda: build()(SOURCE, None, TARGET, teacher_forcing=float("nan")),
            "teacher_forcing must be .*got nan",
        ),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
