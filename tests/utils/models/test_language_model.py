"""Logits, likelihoods and states of a language model, whole, in pieces and one token at a time."""

import math
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from course_utils.decoding import beam_search, greedy, sample
from course_utils.models.gru import GRU
from course_utils.models.language_model import LanguageModel, shifted
from course_utils.models.lstm import LSTM
from course_utils.models.packed import Packed
from course_utils.models.sequences import length_mask
from course_utils.models.sizes import count_parameters
from course_utils.models.stacked import Bidirectional, ResidualStack, Stacked
from course_utils.models.states import final_hidden, map_state
from course_utils.training.truncated import fit_truncated

B, T, I, H, V = 3, 6, 4, 5, 7  # noqa: E741
LENGTHS = torch.tensor([6, 1, 4])
MAKES = [LSTM, GRU, partial(Packed, nn.LSTM)]


def draw(*shape, seed=0):
    return torch.randint(V, shape, generator=torch.Generator().manual_seed(seed))


def close(a, b, atol=1e-12):
    torch.testing.assert_close(a, b, rtol=0, atol=atol)


@settings(deadline=None, max_examples=30)
@given(
    lengths=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    layers=st.integers(1, 2),
    make=st.sampled_from(MAKES),
    tied=st.booleans(),
    cut=st.integers(0, 4),
)
def test_whole_cut_and_one_token_at_a_time(lengths, layers, make, tied, cut):
    model = LanguageModel(Stacked(make, H if tied else I, H, layers), V, tied=tied).double()
    tokens = draw(len(lengths), max(lengths))
    steps = tokens.shape[1]
    logits, end = model(tokens)
    assert logits.shape == (*tokens.shape, V) and logits.dtype == torch.float64
    state, each = None, []
    for t in range(steps):
        step, state = model.step(tokens[:, t], state)
        each.append(step)
    close(torch.stack(each, 1), logits)
    close(final_hidden(state), final_hidden(end))
    if 0 < cut < steps:
        first, state = model(tokens[:, :cut])
        close(torch.cat([first, model(tokens[:, cut:], state)[0]], 1), logits)
    padded, ends = model(tokens, None, torch.tensor(lengths))
    for b, n in enumerate(lengths):
        alone, end = model(tokens[b : b + 1, :n])
        close(padded[b : b + 1, :n], alone)
        close(final_hidden(ends)[b : b + 1], final_hidden(end))


def test_nll_is_the_mean_in_nats_over_real_tokens():
    model = LanguageModel(LSTM(I, H), V).double()
    tokens, targets = draw(B, T), draw(B, T, seed=1)
    logits, _ = model(tokens)
    p = logits.softmax(-1)
    expected = [
        [-math.log(p[b, t, targets[b, t]].item()) if t < n else 0.0 for t in range(T)]
        for b, n in enumerate(LENGTHS.tolist())
    ]
    each, _ = model.token_nll(tokens, targets, None, LENGTHS)
    close(each, torch.tensor(expected, dtype=torch.float64))
    mean, _ = model.nll(tokens, targets, None, LENGTHS)
    assert mean.item() == pytest.approx(sum(map(sum, expected)) / 11, abs=1e-12)
    full, _ = model.nll(tokens, targets)
    close(full, nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten()))


def test_a_model_of_zeros_is_uniform():
    model = LanguageModel(GRU(I, H), V).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    assert model.nll(draw(B, T), draw(B, T))[0].item() == pytest.approx(math.log(V), abs=1e-12)


@pytest.mark.parametrize("make", MAKES)
def test_padding_changes_no_bit(make):
    torch.manual_seed(0)
    model = LanguageModel(Stacked(make, I, H, 2), V).double()
    real, results = length_mask(LENGTHS, T), []
    for filler in (0, 5, -100, 10**9):
        model.zero_grad()
        tokens, targets = (torch.where(real, draw(B, T, seed=s), filler) for s in (0, 1))
        loss, state = model.nll(tokens, targets, None, LENGTHS)
        loss.backward()
        results.append([loss, final_hidden(state), *(p.grad.clone() for p in model.parameters())])
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


def test_truncated_bptt_cuts_the_gradient_and_keeps_the_value():
    model = LanguageModel(LSTM(I, H), V).double()
    targets = draw(1, 6, seed=1)
    absent = torch.tensor([[0, 1, 2, 3, 4, 5]])
    _, state = model(absent[:, :3])
    values = []
    for begin in (state, map_state(torch.Tensor.detach, state)):
        model.zero_grad()
        loss, _ = model.nll(torch.full((1, 3), 6), targets[:, 3:], begin)
        loss.backward()
        values.append((loss.item(), model.embedding.weight.grad[:3].abs().sum().item()))
    assert values[0][0] == values[1][0]
    assert values[0][1] > 0 and values[1][1] == 0  # nothing reaches the tokens of the first piece


def test_tied_weights_are_one_parameter():
    plain, tied = LanguageModel(LSTM(H, H), V), LanguageModel(LSTM(H, H), V, tied=True).double()
    assert count_parameters(plain) - count_parameters(tied) == V * H
    assert tied.embedding.weight is tied.decoder.weight
    assert tied.embedding.weight.abs().max() <= H**-0.5  # drawn as a linear layer's, small logits
    assert "decoder.bias" in tied.state_dict()
    tokens, targets = draw(B, T), draw(B, T, seed=1)
    tied.nll(tokens, targets)[0].backward()
    loose = LanguageModel(LSTM(H, H), V).double()
    loose.load_state_dict(tied.state_dict())
    loose.nll(tokens, targets)[0].backward()
    close(tied.embedding.weight.grad, loose.embedding.weight.grad + loose.decoder.weight.grad)


def test_gradients_agree_with_numerical_ones():
    torch.manual_seed(1)
    model = LanguageModel(GRU(3, 3), 4, tied=True).double()
    tokens = torch.tensor([[0, 1, 2], [3, 0, 0]])

    def loss(weight):
        return torch.func.functional_call(
            model, {"embedding.weight": weight}, (tokens, None, torch.tensor([3, 1]))
        )[0]

    assert torch.autograd.gradcheck(loss, (model.embedding.weight.detach().clone().requires_grad_(),))


def test_dropout_in_training_only():
    model = LanguageModel(LSTM(I, H), V, dropout=0.5)
    tokens = draw(B, T)
    assert not torch.equal(model(tokens)[0], model(tokens)[0])
    assert torch.equal(model.eval()(tokens)[0], model(tokens)[0])


def test_dropout_acts_on_embeddings_and_on_what_the_logits_read():
    model, seen = LanguageModel(LSTM(I, H), V).double(), []
    model.dropout = nn.Identity()
    model.dropout.register_forward_hook(lambda module, args, result: seen.append(result.shape) or 0 * result)
    logits, _ = model(draw(B, T))
    assert seen == [(B, T, I), (B, T, H)]
    assert torch.equal(logits, model.decoder.bias.expand(B, T, V))  # nothing else is left


def test_it_learns_a_cycle():
    torch.manual_seed(2)
    model = LanguageModel(ResidualStack(GRU, 8, 16, 2), V)
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    text = (torch.arange(13)[None] + torch.arange(V)[:, None]) % V  # (V, 13)
    inputs, targets, _ = shifted(text)
    for _ in range(60):
        optimizer.zero_grad()
        model.nll(inputs, targets)[0].backward()
        optimizer.step()
    assert model.nll(inputs, targets)[0].item() < 0.1


def test_it_is_what_decoders_and_truncated_training_call():
    torch.manual_seed(3)
    model = LanguageModel(Stacked(LSTM, 8, 16, 2), V)
    text = (torch.arange(61) + torch.arange(V)[:, None]) % V  # 0 1 2 … 6 0 1 …, from every beginning
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    loss = lambda logits, target: nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten())
    history = fit_truncated(model, text[:, :-1], text[:, 1:], loss, optimizer, 60, length=10)
    assert history.losses[-1] < 0.2
    start = torch.tensor([0, 3])
    options = {"eos": V - 1, "max_length": 9}
    expected = [[1, 2, 3, 4, 5, 6], [4, 5, 6, 6, 6, 6]]
    tokens, lengths = greedy(model.step, start, None, **options)
    assert tokens.tolist() == expected and lengths.tolist() == [6, 3]
    cold = {"generator": torch.Generator().manual_seed(0), "temperature": 0.05}
    assert sample(model.step, start, None, **cold, **options)[0].tolist() == expected
    best = [beam[0] for beam in beam_search(model.step, start, None, width=3, **options)]
    assert [list(map(int, hypothesis.tokens)) for hypothesis in best] == [expected[0], expected[1][:3]]


def test_shifted():
    inputs, targets, lengths = shifted(torch.tensor([[1, 2, 3], [4, 5, 0]]), torch.tensor([3, 2]))
    assert inputs.tolist() == [[1, 2], [4, 5]] and targets.tolist() == [[2, 3], [5, 0]]
    assert lengths.tolist() == [2, 1]
    assert shifted(torch.tensor([[1, 2]]))[2] is None


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: LanguageModel(LSTM(I, H), 0), "vocab_size must be at least 1, got 0"),
        (lambda: LanguageModel(LSTM(I, H), V, tied=True), "equal widths, got input_size 4 and output 5"),
        (lambda: LanguageModel(Bidirectional(LSTM, I, H), V), "layer must read ahead only"),
        (
            lambda: LanguageModel(Stacked(partial(Bidirectional, LSTM), I, H, 2), V),
            "layer must read ahead only",
        ),
        (lambda: LanguageModel(LSTM(I, H), V)(draw(B)), r"tokens must be \(B, T>=1\), got \(3,\)"),
        (lambda: LanguageModel(LSTM(I, H), V)(draw(B, 0)), r"got \(3, 0\)"),
        (lambda: LanguageModel(LSTM(I, H), V)(draw(B, T), None, LENGTHS - 1), "got 0 at row 1"),
        (lambda: LanguageModel(LSTM(I, H), V).step(draw(B, 1)), r"token must be \(B,\), got \(3, 1\)"),
        (
            lambda: LanguageModel(LSTM(I, H), V).nll(draw(B, T), draw(B, 1)),
            r"targets must be \(3, 6\) .*got \(3, 1\)",
        ),
        (lambda: shifted(draw(B, 1)), r"tokens must be \(B, T>=2\), got \(3, 1\)"),
        (lambda: shifted(draw(B, T), LENGTHS), "lengths must be at least 2, got 1 at row 1"),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
