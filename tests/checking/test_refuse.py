"""`refusing`: the library's operators refuse inside the block, below every way of reaching them, and work after it."""

import pytest
import torch
from torch import nn

from course_utils.checking.refuse import MEANING, Refusal, Refused, refusing

X, W, B = torch.zeros(1, 2), torch.eye(2), torch.zeros(2)
SEQUENCE = torch.zeros(1, 3, 2)

CALLS = {
    "rnn": [
        lambda: nn.RNN(2, 2)(SEQUENCE),
        lambda: nn.RNN(2, 2, nonlinearity="relu")(SEQUENCE),
        lambda: nn.RNN(2, 2)(nn.utils.rnn.pack_sequence([torch.zeros(2, 2)])),
        lambda: nn.LSTM(2, 2)(SEQUENCE),
        lambda: nn.GRU(2, 2)(SEQUENCE),
        lambda: nn.RNNCell(2, 2)(X),
        lambda: nn.LSTMCell(2, 2)(X),
        lambda: nn.GRUCell(2, 2)(X),
        lambda: torch._VF.rnn_tanh_cell(X, X, W, W, B, B),
        lambda: torch.ops.aten.rnn_tanh_cell(X, X, W, W),
        lambda: torch.rnn_relu_cell(X, X, W, W),
    ],
    "one_hot": [lambda: nn.functional.one_hot(torch.tensor([1]), 2)],
    "embedding": [
        lambda: nn.Embedding(3, 2)(torch.tensor([1])),
        lambda: nn.EmbeddingBag(3, 2)(torch.tensor([[1]])),
    ],
    "layer_norm": [lambda: nn.LayerNorm(2)(X), lambda: nn.functional.layer_norm(X, (2,))],
    "clip": [lambda: nn.utils.clip_grad_norm_([nn.Parameter(B)], 1.0)],
}
CASES = [(family, call) for family, calls in CALLS.items() for call in calls]


@pytest.mark.parametrize(("family", "call"), CASES)
def test_refused_inside_and_allowed_after(family, call):
    with refusing([family]), pytest.raises(Refused, match="asks you to write it"):
        call()
    call()


def test_every_family_is_covered():
    assert CALLS.keys() >= MEANING.keys()


def test_gradients_and_other_operators_go_on():
    with refusing(["rnn", "embedding", "layer_norm", "one_hot", "clip"]):
        x = torch.ones(2, requires_grad=True)
        torch.tanh(nn.Linear(2, 2)(x)).sum().backward()
        assert x.grad is not None


def test_blocks_nest_and_an_error_inside_ends_them():
    with refusing(["rnn"]):
        with refusing(["layer_norm"]), pytest.raises(Refused):
            nn.LayerNorm(2)(X)
        with pytest.raises(Refused):
            nn.RNNCell(2, 2)(X)
    with pytest.raises(ZeroDivisionError), refusing(["rnn"]):
        raise ZeroDivisionError
    nn.RNNCell(2, 2)(X)


def test_no_families_change_nothing():
    with refusing([]):
        nn.RNNCell(2, 2)(X)


def test_a_refusal_lasts_until_another_is_asked_for():
    refusal = Refusal()
    for _ in range(2):
        with refusal(["rnn"]), pytest.raises(Refused):
            nn.RNNCell(2, 2)(X)
    with pytest.raises(Refused):
        nn.RNNCell(2, 2)(X)
    with refusal(["layer_norm"]):
        nn.RNNCell(2, 2)(X)
        with pytest.raises(Refused):
            nn.LayerNorm(2)(X)
    with refusal([]):
        nn.LayerNorm(2)(X)
