"""The pointer-generator against dictionaries, and copying words that no vocabulary holds."""

import math
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from course_utils.decoding import beam_search, brute_force, greedy
from course_utils.models.attention import ATTENTIONS
from course_utils.models.lstm import LSTM
from course_utils.models.packed import Packed
from course_utils.models.pointer import PointerGenerator, extend, target_ids, to_words

V, H, BOS, EOS, UNK = 7, 4, 5, 4, 6
SOURCE = torch.tensor([[0, 7, 2, 7, 8], [3, 0, 0, 0, 0], [7, 7, 1, 0, 0]])  # three have words beyond V = 7
LENGTHS = torch.tensor([5, 1, 3])
TARGET = torch.tensor([[7, 0, 8, 4], [3, 4, 6, 6], [1, 7, 7, 4]])
B, S, T, X = 3, 5, 4, 2


def build(make=LSTM, seed=0, **options):
    torch.manual_seed(seed)
    model = PointerGenerator(make, V, H, bos=BOS, unk=UNK, embedding_size=3, **options).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)  # far from uniform
    return model


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_the_distribution_sums_to_one_over_the_extended_vocabulary(attention):
    out = build(attention=attention)(SOURCE, LENGTHS, TARGET)
    assert out.logits.shape == (B, T, V + X) and out.weights.shape == (B, T, S) and out.p_gen.shape == (B, T)
    torch.testing.assert_close(out.logits.exp().sum(2), torch.ones(B, T).double(), rtol=0, atol=1e-12)
    beyond = out.logits[:, :, V:] > -math.inf
    assert beyond.all(1).tolist() == beyond.any(1).tolist() == [[True, True], [False, False], [True, False]]


def test_agrees_with_a_hand_computation_with_dictionaries():
    """Equations 8 and 9, source by source, with words instead of ids."""
    model = build()
    out = model(SOURCE, LENGTHS, TARGET)
    for b in range(B):
        tokens, state = model.start(SOURCE[b : b + 1, : LENGTHS[b]])
        for t in range(T):
            known = torch.where(tokens < V, tokens, UNK)
            features, decoder = model.advance(known, state.decoder)
            z = (model.switch.weight[0] @ features[0] + model.switch.bias[0]).item()
            p_gen = 1 / (1 + math.exp(-z))
            written = (model.output.weight @ features[0] + model.output.bias).softmax(0).tolist()
            P = {w: p_gen * p for w, p in enumerate(written)}
            for word, alpha in zip(
                SOURCE[b, : LENGTHS[b]].tolist(), decoder.weights[0].tolist(), strict=True
            ):
                P[word] = P.get(word, 0.0) + (1 - p_gen) * alpha
            expected = torch.tensor([P.get(w, 0.0) for w in range(V + X)], dtype=torch.float64)
            torch.testing.assert_close(out.logits[b, t].exp(), expected, rtol=0, atol=1e-12)
            assert out.p_gen[b, t].item() == pytest.approx(p_gen, abs=1e-12)
            _, state = model.step(tokens, state)
            tokens = TARGET[b, t : t + 1]


@pytest.mark.parametrize("bidirectional", [False, True])
def test_teacher_forcing_equals_step_by_step_and_free_running_equals_greedy(bidirectional):
    model = build(partial(Packed, nn.GRU), bidirectional=bidirectional)
    out = model(SOURCE, LENGTHS, TARGET)
    tokens, state = model.start(SOURCE, LENGTHS)
    for t in range(T):
        log_probs, state = model.step(tokens, state)
        torch.testing.assert_close(log_probs, out.logits[:, t], rtol=0, atol=1e-12)
        tokens = TARGET[:, t]
    written = model(SOURCE, LENGTHS, TARGET, teacher_forcing=0.0).logits.argmax(2)
    tokens, lengths = greedy(model.step, *model.start(SOURCE, LENGTHS), eos=EOS, max_length=T)
    for row in range(B):
        assert torch.equal(written[row, : lengths[row]], tokens[row, : lengths[row]])


def test_a_beam_reorders_what_is_copied_from():
    model = build(seed=3)
    options = dict(eos=EOS, max_length=3, n_best=9)
    found = beam_search(model.step, *model.start(SOURCE, LENGTHS), width=729, **options)
    expected = brute_force(model.step, *model.start(SOURCE, LENGTHS), **options)
    for ours, theirs in zip(found, expected, strict=True):
        assert [h.tokens for h in ours] == [h.tokens for h in theirs]
    assert any(token >= V for hypothesis in found[0] for token in hypothesis.tokens)
    assert not any(token >= V for hypothesis in found[1] for token in hypothesis.tokens)


def test_gradcheck():
    model = build()
    names, parameters = zip(*model.named_parameters(), strict=True)
    possible = torch.zeros(B, T, V + X, dtype=torch.bool)
    with torch.no_grad():
        possible |= model(SOURCE, LENGTHS, TARGET).logits > -math.inf

    def call(*weights):
        out = torch.func.functional_call(
            model, dict(zip(names, weights, strict=True)), (SOURCE, LENGTHS, TARGET)
        )
        return out.logits[possible], out.p_gen

    assert torch.autograd.gradcheck(call, parameters, fast_mode=True)


@pytest.mark.parametrize("loss_fn", ["cross_entropy", "nll"])
def test_the_loss_is_finite_and_so_are_its_gradients_where_words_are_impossible(loss_fn):
    model = build()
    log_probs = model(SOURCE, LENGTHS, TARGET).logits
    assert log_probs.isneginf().any()
    rows, wanted = log_probs.flatten(0, 1), TARGET.flatten()
    loss = F.cross_entropy(rows, wanted) if loss_fn == "cross_entropy" else F.nll_loss(rows, wanted)
    loss.backward()
    assert loss.isfinite()
    for parameter in model.parameters():
        assert parameter.grad.isfinite().all() and parameter.grad.any()


def test_padding_changes_no_result_and_no_gradient():
    results = []
    for padding in (0, 8, 99, -100):
        model = build()
        source = SOURCE.clone()
        for row, length in enumerate(LENGTHS):
            source[row, length:] = padding
        out = model(source, LENGTHS, TARGET)
        F.nll_loss(out.logits.flatten(0, 1), TARGET.flatten()).backward()
        results.append([out.logits, out.weights, *(parameter.grad for parameter in model.parameters())])
    for others in results[1:]:
        for clean, dirty in zip(results[0], others, strict=True):
            assert torch.equal(clean, dirty)


def test_the_networks_read_every_unknown_word_as_unk():
    """Which of the unknown words stands where changes what is copied, not what is written."""
    model = build()
    swapped = torch.tensor([[0, 8, 2, 8, 7]])
    a, b = model(SOURCE[:1], None, TARGET[:1] * 0), model(swapped, None, TARGET[:1] * 0)
    assert torch.equal(a.weights, b.weights) and torch.equal(a.logits[..., :V], b.logits[..., :V])
    assert torch.equal(a.logits[..., [V, V + 1]], b.logits[..., [V + 1, V]])


def test_tiny_probabilities_stay_finite():
    model = build().float()
    with torch.no_grad():
        model.switch.bias.fill_(200.0)  # p_gen rounds to 1, so 1 - p_gen would be 0
    out = model(SOURCE, LENGTHS, TARGET)
    assert out.logits[0, :, V].isfinite().all() and (out.logits[0, :, V] < -100).all()


def test_gradients_are_finite_where_attention_rounds_to_zero():
    model = build()
    with torch.no_grad():
        model.attention.v.weight.mul_(1e6)
    out = model(SOURCE, LENGTHS, 0 * TARGET)
    assert (out.weights[0] == 0).any()
    F.nll_loss(out.logits.flatten(0, 1), 0 * TARGET.flatten()).backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


words = st.lists(st.sampled_from(["call", "Zoe", "Ann", "now", "Bo"]), min_size=1, max_size=8)


@settings(deadline=None, max_examples=60)
@given(source=words, target=words)
def test_words_to_ids_and_back(source, target):
    vocabulary = {"<unk>": 0, "call": 1, "now": 2}
    ids, extra = extend(source, vocabulary)
    assert to_words(ids, vocabulary, extra) == source
    assert extra == list(dict.fromkeys(word for word in source if word not in vocabulary))
    wanted = target_ids(target, vocabulary, extra, unk=0)
    for word, token, back in zip(target, wanted, to_words(wanted, vocabulary, extra), strict=True):
        assert back == word if word in vocabulary or word in source else token == 0


def test_it_learns_to_copy_words_it_has_never_seen():
    """A source of one unknown word between known ones; the answer is that word, whatever it is."""
    torch.manual_seed(0)
    model = PointerGenerator(LSTM, V, 16, bos=BOS, unk=UNK)
    generator = torch.Generator().manual_seed(0)
    source = torch.randint(4, (32, 4), generator=generator)
    source[torch.arange(32), torch.randint(4, (32,), generator=generator)] = V
    target = torch.tensor([[V, EOS]]).expand(32, 2)
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    for _ in range(80):
        loss = F.nll_loss(model(source, None, target).logits.flatten(0, 1), target.flatten())
        optimizer.zero_grad(), loss.backward(), optimizer.step()
    out = model(source, None, target)
    assert loss < 0.1 and (out.p_gen[:, 0] < 0.2).all() and (out.p_gen[:, 1] > 0.8).all()


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: PointerGenerator(LSTM, V, H, bos=BOS, unk=V), "unk must be in 0..V-1=6, got 7"),
        (lambda: PointerGenerator(LSTM, V, H, bos=-1, unk=UNK), "bos must be in 0..V-1=6, got -1"),
        (
            lambda: PointerGenerator(LSTM, V, H, bos=BOS, unk=UNK, attention=None),
            "attention must be in .*got None",
        ),
        (lambda: build()(SOURCE + 10, LENGTHS, TARGET), r"source must hold ids in 0..11, got \["),
        (lambda: build()(SOURCE - 1, LENGTHS, TARGET), r"source must hold ids in 0..11, got \[-1\]"),
        (lambda: build()(SOURCE, LENGTHS, TARGET + 1), r"target must hold ids in 0..8, got \[9\]"),
        (lambda: build()(SOURCE[0], None, TARGET), r"source must be \(B, S>=1\), got \(5,\)"),
        (lambda: to_words([3], {"a": 0, "b": 1}, ["c"]), "ids must be in 0..V.X-1=2, got 3"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
