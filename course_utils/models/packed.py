"""torch.nn's recurrent layers behind the interface of ours, with packed sequences inside.

The library's layers are faster and know nothing of `lengths`: a batch is packed, which removes the padding,
run, and padded again. So `Packed(nn.LSTM, I, H)` stands wherever `LSTM(I, H)` does, as an independent
reference or for its speed; `partial(Packed, nn.LSTM)` is a factory for the wrappers in `stacked.py`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from course_utils.models.sequences import check_lengths
from course_utils.models.states import map_state


class Packed(nn.Module):
    """One layer of `torch.nn`, one direction, batch first: B batch, T time, I input, H hidden.

    Args:
        kind: `nn.RNN`, `nn.LSTM` or `nn.GRU`.
        input_size, hidden_size: I and H.
        options: for `kind`, such as nonlinearity="relu"; more layers or directions are the business of
            `Stacked` and `Bidirectional`.

    Raises:
        ValueError: options for layers, directions, projections or the order of axes.
    """

    def __init__(
        self, kind: Callable[..., nn.RNNBase], input_size: int, hidden_size: int, **options: Any
    ) -> None:
        super().__init__()
        wrong = {"num_layers", "bidirectional", "proj_size", "batch_first", "dropout"} & options.keys()
        if wrong:
            raise ValueError(f"options must leave one plain layer, got {sorted(wrong)}")
        self.layer = kind(input_size, hidden_size, batch_first=True, **options)
        self.input_size, self.hidden_size = input_size, hidden_size

    def forward(self, x: Tensor, state: Any = None, lengths: Tensor | None = None) -> tuple[Tensor, Any]:
        """Run over all steps.

        Args:
            x: (B, T, I).
            state: h (B, H), a pair (h, c) for `nn.LSTM`, or None for zeros.
            lengths: (B,) real steps of each sequence, 1..T; None when all are full.

        Returns:
            output: (B, T, H), zero at padding.
            state: of each sequence's own last step.

        Raises:
            ValueError: a length outside 1..T.
        """
        theirs = None if state is None else map_state(lambda part: part[None], state)  # (1, B, H)
        if lengths is None:
            output, theirs = self.layer(x, theirs)
        else:
            lengths = check_lengths(lengths, *x.shape[:2])
            packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
            packed_output, theirs = self.layer(packed, theirs)
            output, _ = pad_packed_sequence(packed_output, batch_first=True, total_length=x.shape[1])
        return output, map_state(lambda part: part[0], theirs)

    def load_library(self, layer: nn.RNNBase) -> Packed:
        """Copy the weights of a layer of the same kind and sizes; return self."""
        self.layer.load_state_dict(layer.state_dict())
        return self

    def to_library(self) -> nn.RNNBase:
        """Return a copy of the layer inside."""
        return copy.deepcopy(self.layer)
