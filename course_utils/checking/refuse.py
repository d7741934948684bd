"""Where the exercise is to write a thing, the library's own version of it refuses to run.

The refusal sits in torch's dispatcher, below every way of reaching an operator (`nn.RNN`, `torch._VF`, `torch.ops`, an alias,
`getattr`). It lasts only while a check calls student code; in a kernel of its own, while one check's calls follow each other.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any
from unittest import mock

import torch

RECURRENT = [
    "rnn_tanh.input", "rnn_tanh.data", "rnn_relu.input", "rnn_relu.data", "rnn_tanh_cell", "rnn_relu_cell",
    "lstm.input", "lstm.data", "lstm_cell", "gru.input", "gru.data", "gru_cell",
    "_thnn_fused_lstm_cell", "_thnn_fused_gru_cell", "mkldnn_rnn_layer", "quantized_lstm.input", "quantized_gru.input",
]  # fmt: skip
OPERATORS = {
    "rnn": RECURRENT,
    "one_hot": ["one_hot"],
    "embedding": ["embedding", "embedding_bag", "_embedding_bag", "_embedding_bag_forward_only"],
    "layer_norm": ["layer_norm", "native_layer_norm"],
}
PYTHON_FUNCTIONS = {
    "clip": ["torch.nn.utils.clip_grad_norm_", "torch.nn.utils.clip_grad.clip_grad_norm_"],
}
MEANING = {
    "rnn": "the library's recurrent layers and cells",
    "one_hot": "the library's one_hot",
    "embedding": "the library's embedding",
    "layer_norm": "the library's layer_norm",
    "clip": "the library's clip_grad_norm_",
}


class Refused(RuntimeError):
    """Student code called what the exercise asks to write."""


@contextmanager
def refusing(families: Sequence[str]) -> Iterator[None]:
    """Make the named families of library operators raise `Refused` inside the block.

    Args:
        families: keys of `MEANING`.
    """
    if not families:
        yield
        return
    library = torch.library.Library("aten", "IMPL")
    patches = []
    try:
        for family in families:
            for operator in OPERATORS.get(family, []):
                namespace, _, overload = operator.partition(".")
                packet = getattr(torch.ops.aten, namespace, None)
                if packet is None or (overload or "default") not in packet.overloads():
                    continue
                with (
                    warnings.catch_warnings()
                ):  # torch warns that the operator is overridden, which is the point
                    warnings.simplefilter("ignore")
                    library.impl(operator, _refuse(family), "CPU")
            for path in PYTHON_FUNCTIONS.get(family, []):
                patches.append(mock.patch(path, _refuse(family)))
        for patch in patches:
            patch.start()
        yield
    finally:
        for patch in patches:
            patch.stop()
        library._destroy()


class Refusal:
    """`refusing` that stays in force from one block to the next as long as they ask for the same: to change it is slow."""

    def __init__(self) -> None:
        self._families: list[str] = []
        self._lasting = ExitStack()

    def __call__(self, families: Sequence[str]) -> AbstractContextManager[None]:
        """From now on these families refuse, and no others."""
        if list(families) != self._families:
            self._families = []
            self._lasting.close()
            self._lasting.enter_context(refusing(families))
            self._families = list(families)
        return nullcontext()


def _refuse(family: str) -> Any:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise Refused(f"this exercise asks you to write it: {MEANING[family]} may not be called here")

    return refuse
