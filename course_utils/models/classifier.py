"""A label for a whole sequence: encode every step, pool the real ones, read the label from the pool.

    e_t = E[token_t], or x_t as it is      B sequences, T steps, I features
    output, state = encoder(e, lengths)    any recurrent layer or stack of them
    logits = W pool + b                    C classes

Pooling "last" takes the state with which each direction ends; "mean" and "max" run over the real steps alone
("max" after Collobert & Weston, 2008, "A unified architecture for natural language processing"). Batch first.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from course_utils.models.checks import check_sizes
from course_utils.models.sequences import check_lengths, length_mask, zero_padding
from course_utils.models.states import final_hidden, output_size

POOLINGS = ("last", "mean", "max")


def pool(output: Tensor, state: Any, lengths: Tensor | None = None, pooling: str = "last") -> Tensor:
    """Sum up each sequence in one vector, from its real steps.

    Args:
        output, state: what a recurrent layer returned; output (B, T, F).
        lengths: (B,) real steps of each sequence, 1..T; None when all are full.
        pooling: "last", the state with which each direction ends; "mean" or "max" over time, per feature.

    Returns:
        (B, F).

    Raises:
        ValueError: an unknown pooling, or a length outside 1..T.
    """
    if pooling not in POOLINGS:
        raise ValueError(f"pooling must be in {list(POOLINGS)}, got {pooling!r}")
    if lengths is not None:
        lengths = check_lengths(lengths, *output.shape[:2])
    if pooling == "last":
        return final_hidden(state)
    if lengths is None:
        return output.mean(1) if pooling == "mean" else output.amax(1)
    if pooling == "mean":
        return zero_padding(output, lengths).sum(1) / lengths[:, None]
    real = length_mask(lengths, output.shape[1])[:, :, None]  # (B, T, 1)
    return torch.where(real, output, -math.inf).amax(1)  # zeros in padding would beat negative features


class SequenceClassifier(nn.Module):
    """Embedding (for tokens), encoder, pooling, linear head.

    Args:
        encoder: takes (x, state, lengths) and returns (output, state): a layer, `Bidirectional`, `Stacked`, ….
        num_classes: C, at least 1.
        vocab_size: V, when the input is tokens, which are embedded in the encoder's input_size; None when it
            is real vectors.
        pooling: "last", "mean" or "max".
        dropout: p of dropout on the pooled vector.

    Raises:
        ValueError: a size below 1 or an unknown pooling.
    """

    def __init__(
        self,
        encoder: nn.Module,
        num_classes: int,
        vocab_size: int | None = None,
        pooling: str = "last",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if pooling not in POOLINGS:
            raise ValueError(f"pooling must be in {list(POOLINGS)}, got {pooling!r}")
        check_sizes(num_classes=num_classes, vocab_size=vocab_size)
        self.pooling = pooling
        self.embedding = (
            nn.Identity() if vocab_size is None else nn.Embedding(vocab_size, encoder.input_size)  # type: ignore[arg-type]
        )
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(output_size(encoder), num_classes)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return logits (B, C).

        Args:
            x: tokens (B, T) int64, 0..V-1 at the real steps, or vectors (B, T, I).
            lengths: (B,) real steps of each sequence, 1..T; None when all are full.

        Raises:
            ValueError: x has another shape, or a length is outside 1..T.
        """
        return self.head(self.dropout(self.features(x, lengths)))  # (B, C)

    def features(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the pooled vector (B, F) that the head reads, arguments as for the call."""
        dims = 2 if isinstance(self.embedding, nn.Embedding) else 3
        if x.dim() != dims or x.shape[1] < 1:
            expected = "tokens (B, T>=1)" if dims == 2 else "vectors (B, T>=1, I)"
            raise ValueError(f"x must be {expected}, got {tuple(x.shape)}")
        if lengths is not None:
            lengths = check_lengths(lengths, *x.shape[:2])
            x = zero_padding(x, lengths)  # any id or number may stand in padding
        output, state = self.encoder(self.embedding(x), None, lengths)  # (B, T, F)
        return pool(output, state, lengths, self.pooling)
