"""Two heads on shared layers: each as a model of its own would say, and losses over real tokens only."""

import math
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from course_utils.models.classifier import POOLINGS, SequenceClassifier
from course_utils.models.gru import GRU
from course_utils.models.lstm import LSTM
from course_utils.models.packed import Packed
from course_utils.models.sequences import length_mask
from course_utils.models.stacked import Bidirectional, Stacked
from course_utils.models.tagger import MultiTaskTagger, TaskLogits, multitask_loss, tag_loss

B, T, I, H, V, L, K = 3, 5, 4, 3, 8, 2, 6  # noqa: E741
LENGTHS = torch.tensor([5, 1, 3])
BiLSTM = partial(Bidirectional, LSTM)


def draw(*shape, high=V, seed=0):
    return torch.randint(high, shape, generator=torch.Generator().manual_seed(seed))


def close(a, b, atol=1e-12):
    torch.testing.assert_close(a, b, rtol=0, atol=atol)


def tagger(make=BiLSTM, **options):
    return MultiTaskTagger(Stacked(make, I, H, 2), V, **{"num_labels": L, "num_tags": K, **options}).double()


@settings(deadline=None, max_examples=30)
@given(
    lengths=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    make=st.sampled_from([LSTM, BiLSTM, partial(Bidirectional, GRU), partial(Packed, nn.LSTM)]),
    pooling=st.sampled_from(POOLINGS),
)
def test_each_sentence_alone_gives_the_same(lengths, make, pooling):
    model = tagger(make, pooling=pooling)
    tokens = draw(len(lengths), max(lengths) + 1)
    label, tags = model(tokens, torch.tensor(lengths))
    assert label.shape == (len(lengths), L) and tags.shape == (*tokens.shape, K)
    for b, n in enumerate(lengths):
        alone = model(tokens[b : b + 1, :n])
        close(label[b : b + 1], alone.label)
        close(tags[b : b + 1, :n], alone.tags)
        assert not tags[b, n:].any()


def test_single_task_models_have_one_head_on_the_same_body():
    both, labels, tags = tagger(), tagger(num_tags=None), tagger(num_labels=None)
    labels.load_state_dict({k: v for k, v in both.state_dict().items() if not k.startswith("tag_head")})
    tags.load_state_dict({k: v for k, v in both.state_dict().items() if not k.startswith("label_head")})
    tokens = draw(B, T)
    logits = both(tokens, LENGTHS)
    assert labels(tokens, LENGTHS).tags is None and tags(tokens, LENGTHS).label is None
    close(labels(tokens, LENGTHS).label, logits.label)
    close(tags(tokens, LENGTHS).tags, logits.tags)
    classifier = SequenceClassifier(both.encoder, L, V, "mean").double()
    classifier.embedding, classifier.head = both.embedding, both.label_head
    close(classifier(tokens, LENGTHS), logits.label)


def test_losses_by_hand():
    logits = tagger()(draw(B, T), LENGTHS)
    labels, tags = draw(B, high=L), draw(B, T, high=K)
    log_p = logits.tags.log_softmax(-1)
    each = [-log_p[b, t, tags[b, t]].item() for b, n in enumerate(LENGTHS.tolist()) for t in range(n)]
    expected = sum(each) / len(each)
    assert len(each) == 9
    assert tag_loss(logits.tags, tags, LENGTHS).item() == pytest.approx(expected, abs=1e-12)
    label = nn.functional.cross_entropy(logits.label, labels).item()
    loss = multitask_loss(logits, labels, tags, LENGTHS, weight=0.3)
    assert loss.item() == pytest.approx(0.7 * label + 0.3 * expected, abs=1e-12)
    only_label, only_tags = TaskLogits(logits.label, None), TaskLogits(None, logits.tags)
    assert multitask_loss(only_label, labels, None).item() == pytest.approx(label, abs=1e-12)
    assert multitask_loss(only_tags, None, tags, LENGTHS, weight=0.3).item() == pytest.approx(
        expected, abs=1e-12
    )
    full = nn.functional.cross_entropy(logits.tags.transpose(1, 2), tags)
    close(tag_loss(logits.tags, tags), full)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_padding_changes_no_bit(pooling):
    torch.manual_seed(0)
    model, real, results = tagger(pooling=pooling), length_mask(LENGTHS, T), []
    for filler in (0, 4, -100, 10**9):
        model.zero_grad()
        logits = model(torch.where(real, draw(B, T), filler), LENGTHS)
        tags = torch.where(real, draw(B, T, high=K), filler)
        loss = multitask_loss(logits, draw(B, high=L), tags, LENGTHS)
        loss.backward()
        results.append([*logits, loss, *(p.grad.clone() for p in model.parameters())])
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))
    wrong = logits.tags.detach().clone()
    wrong[~real] = math.nan
    close(tag_loss(wrong, tags, LENGTHS), tag_loss(logits.tags, tags, LENGTHS))


def test_both_tasks_train_the_shared_layers():
    model = tagger()
    logits = model(draw(B, T), LENGTHS)
    for loss, silent in ((logits.label.sum(), "tag_head"), (logits.tags.sum(), "label_head")):
        model.zero_grad()
        loss.backward(retain_graph=True)
        for name, parameter in model.named_parameters():
            assert (parameter.grad is None or not parameter.grad.any()) == name.startswith(silent), name


def test_gradcheck():
    torch.manual_seed(1)
    model = MultiTaskTagger(Bidirectional(GRU, 2, 2), 4, num_labels=2, num_tags=2).double()
    tokens, lengths = torch.tensor([[0, 1, 2], [3, 0, 0]]), torch.tensor([3, 1])
    labels, tags = torch.tensor([0, 1]), torch.tensor([[0, 1, 1], [1, 0, 0]])

    def loss(weight):
        logits = torch.func.functional_call(model, {"embedding.weight": weight}, (tokens, lengths))
        return multitask_loss(logits, labels, tags, lengths)

    assert torch.autograd.gradcheck(loss, (model.embedding.weight.detach().clone().requires_grad_(),))


def test_dropout_in_training_only():
    model = tagger(dropout=0.5)
    tokens = draw(B, T)
    assert not torch.equal(model(tokens).tags, model(tokens).tags)
    model.eval()
    assert torch.equal(model(tokens).tags, model(tokens).tags)


def test_dropout_acts_on_embeddings_and_on_what_the_heads_read():
    model, seen = tagger(), []
    model.dropout = nn.Identity()
    model.dropout.register_forward_hook(lambda module, args, result: seen.append(result.shape) or 0 * result)
    label, tags = model(draw(B, T))
    assert seen == [(B, T, I), (B, 2 * H), (B, T, 2 * H)]
    assert torch.equal(label, model.label_head.bias.expand(B, L))  # nothing else is left
    assert torch.equal(tags, model.tag_head.bias.expand(B, T, K))


def test_it_learns_both_tasks():
    torch.manual_seed(2)
    model = MultiTaskTagger(Bidirectional(GRU, 8, 12), V, num_labels=2, num_tags=2)
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    tokens, lengths = draw(128, T, seed=3), draw(128, high=T, seed=4) + 1
    labels = (tokens[:, 0] > 3).long()
    tags = torch.cat([tokens[:, 1:] % 2, tokens.new_zeros(128, 1)], 1)  # of the token after: needs context
    tags[torch.arange(128), lengths - 1] = 0
    for _ in range(80):
        optimizer.zero_grad()
        multitask_loss(model(tokens, lengths), labels, tags, lengths).backward()
        optimizer.step()
    label, tag = model(tokens, lengths)
    real = length_mask(lengths, T)
    assert (label.argmax(-1) == labels).double().mean() > 0.9
    assert (tag.argmax(-1) == tags)[real].double().mean() > 0.95


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: tagger(num_labels=None, num_tags=None), "num_labels or num_tags must be given"),
        (lambda: tagger(num_labels=0), "num_labels must be at least 1, got 0"),
        (lambda: tagger(num_tags=0), "num_tags must be at least 1, got 0"),
        (lambda: MultiTaskTagger(LSTM(I, H), 0, num_tags=K), "vocab_size must be at least 1, got 0"),
        (lambda: tagger(pooling="sum"), "pooling must be in .*, got 'sum'"),
        (lambda: tagger()(draw(B)), r"tokens must be \(B, T>=1\), got \(3,\)"),
        (lambda: tagger()(draw(B, T), LENGTHS - 1), "got 0 at row 1"),
        (lambda: tag_loss(torch.zeros(B, T, K), draw(B, 1)), r"tags must be \(3, 5\), got \(3, 1\)"),
        (lambda: tag_loss(torch.zeros(B, T, K), draw(B, T), LENGTHS + 1), "got 6 at row 0"),
        (
            lambda: multitask_loss(tagger()(draw(B, T)), draw(B), draw(B, T), weight=1.5),
            r"in 0\.\.1, got 1.5",
        ),
        (lambda: multitask_loss(tagger()(draw(B, T)), None, draw(B, T)), "labels must be given .*got None"),
        (
            lambda: multitask_loss(tagger()(draw(B, T)), draw(B, high=L), None),
            "tags must be given .*got None",
        ),
    ],
)
def test_errors_name_the_argument(call, message):
    with pytest.raises(ValueError, match=message):
        call()
