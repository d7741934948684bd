"""Two tasks on one network (Caruana, 1997, "Multitask learning", Machine Learning 28; Collobert & Weston, 2008).

    output, state = encoder(E[tokens])         shared layers
    label_logits  = W_l pool(output) + b_l     one label a sentence, L of them
    tag_logits_t  = W_t output_t + b_t         one tag a token, K of them

Each head alone is a single-task model with the same body, to compare with. Batch first: B batch, T time, V vocabulary.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.models.checks import check_sizes
from course_utils.models.classifier import POOLINGS, pool
from course_utils.models.sequences import check_lengths, length_mask, zero_padding
from course_utils.models.states import output_size


class TaskLogits(NamedTuple):
    """What each head says: label (B, L) and tags (B, T, K), or None where the model has no such head."""

    label: Tensor | None
    tags: Tensor | None


class MultiTaskTagger(nn.Module):
    """Embedding and shared layers, a label head, a tag head.

    Args:
        encoder: takes (x, state, lengths) and returns (output, state): the shared layers.
        vocab_size: V, at least 1; tokens are embedded in the encoder's input_size.
        num_labels: L, or None for no label head.
        num_tags: K, or None for no tag head.
        pooling: how the label head sums up a sentence, "last", "mean" or "max".
        dropout: p of dropout on embeddings and on what the heads read.

    Raises:
        ValueError: a size below 1, no head at all, or an unknown pooling.
    """

    def __init__(
        self,
        encoder: nn.Module,
        vocab_size: int,
        *,
        num_labels: int | None = None,
        num_tags: int | None = None,
        pooling: str = "mean",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        check_sizes(vocab_size=vocab_size, num_labels=num_labels, num_tags=num_tags)
        if num_labels is None and num_tags is None:
            raise ValueError(
                "num_labels or num_tags must be given, got None for both: a model without a head"
            )
        if pooling not in POOLINGS:
            raise ValueError(f"pooling must be in {list(POOLINGS)}, got {pooling!r}")
        self.pooling = pooling
        self.embedding = nn.Embedding(vocab_size, encoder.input_size)  # type: ignore[arg-type]
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        width = output_size(encoder)
        self.label_head = None if num_labels is None else nn.Linear(width, num_labels)
        self.tag_head = None if num_tags is None else nn.Linear(width, num_tags)

    def forward(self, tokens: Tensor, lengths: Tensor | None = None) -> TaskLogits:
        """Return the logits of the heads there are.

        Args:
            tokens: (B, T) int64, 0..V-1 at the real steps.
            lengths: (B,) real steps of each sentence, 1..T; None when all are full.

        Returns:
            label (B, L) and tags (B, T, K), zero at padding.

        Raises:
            ValueError: tokens of another shape, or a length outside 1..T.
        """
        if tokens.dim() != 2 or tokens.shape[1] < 1:
            raise ValueError(f"tokens must be (B, T>=1), got {tuple(tokens.shape)}")
        if lengths is not None:
            lengths = check_lengths(lengths, *tokens.shape)
            tokens = zero_padding(tokens, lengths)  # any id may stand in padding
        x = self.dropout(self.embedding(tokens))  # (B, T, I)
        output, state = self.encoder(x, None, lengths)  # (B, T, F)
        label = tags = None
        if self.label_head is not None:
            label = self.label_head(self.dropout(pool(output, state, lengths, self.pooling)))  # (B, L)
        if self.tag_head is not None:
            tags = self.tag_head(self.dropout(output))  # (B, T, K)
            tags = tags if lengths is None else zero_padding(tags, lengths)
        return TaskLogits(label, tags)


def tag_loss(logits: Tensor, tags: Tensor, lengths: Tensor | None = None) -> Tensor:
    """Return the mean cross-entropy over the real tokens, in nats: each token counts once, in any sentence.

    Args:
        logits: (B, T, K).
        tags: (B, T) int64, 0..K-1 at the real steps.
        lengths: (B,), or None when all are full.

    Raises:
        ValueError: the shapes do not belong together, or a length is outside 1..T.
    """
    if logits.shape[:-1] != tags.shape:
        raise ValueError(f"tags must be {tuple(logits.shape[:-1])}, got {tuple(tags.shape)}")
    if lengths is None:
        return F.cross_entropy(logits.flatten(0, 1), tags.flatten())
    real = length_mask(check_lengths(lengths, *tags.shape), tags.shape[1])  # (B, T)
    return F.cross_entropy(logits[real], tags[real])  # (tokens, K), (tokens,)


def multitask_loss(
    logits: TaskLogits,
    labels: Tensor | None,
    tags: Tensor | None,
    lengths: Tensor | None = None,
    *,
    weight: float = 0.5,
) -> Tensor:
    """Return (1 - weight) · label loss + weight · tag loss, over the heads there are, in nats.

    A model with one head gets that head's loss, unweighted, so that single-task training is what it always is.

    Args:
        logits: of `MultiTaskTagger`.
        labels: (B,) int64; None where there is no label head.
        tags: (B, T) int64; None where there is no tag head.
        lengths: (B,), or None when all are full.
        weight: 0..1, of the tags.

    Raises:
        ValueError: weight outside 0..1, a head without its targets, or shapes that do not belong together.
    """
    if not 0 <= weight <= 1:
        raise ValueError(f"weight must be in 0..1, got {weight}")
    label = None if logits.label is None else F.cross_entropy(logits.label, _given("labels", labels))
    tag = None if logits.tags is None else tag_loss(logits.tags, _given("tags", tags), lengths)
    losses = [loss for loss in (label, tag) if loss is not None]
    return losses[0] if len(losses) == 1 else torch.lerp(losses[0], losses[1], weight)


def _given(name: str, target: Tensor | None) -> Tensor:
    if target is None:
        raise ValueError(f"{name} must be given to a model that has a head for them, got None")
    return target
