"""Attention: at each step the decoder looks back at all of the encoder's states, at some more than at others.

    e_ij = a(s_{i-1}, h_j)      α_ij = exp(e_ij) / Σ_k exp(e_ik)      c_i = Σ_j α_ij h_j

(Bahdanau, Cho & Bengio, 2015, "Neural machine translation by jointly learning to align and translate", eq. 5
and 6). The score a is what tells the kinds apart:

    additive      vᵀ tanh(W s + U h)      Bahdanau et al., appendix A.1.2
    dot           sᵀ h                    Luong, Pham & Manning (2015), section 3.1, as is the next
    general       sᵀ W h
    scaled dot    sᵀ h / √H               Vaswani et al. (2017), eq. 1

Batch first: B batch, S source length, T queries asked at once, Q features of a query s, M of a state h. What
stands in padding, NaN included, has weight 0 and reaches neither a result nor a gradient.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_utils.models.checks import check_sizes
from course_utils.models.sequences import check_lengths, length_mask, zero_padding


def masked_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Return the softmax over the last axis, of the entries where mask is True; exactly 0 at the others.

    Args:
        scores: (…, S); what stands at masked entries, NaN or inf included, does not matter.
        mask: bool, broadcast to (…, S).

    Returns:
        (…, S). A row sums to 1, or to 0 if all of it is masked.

    Raises:
        ValueError: mask is not bool.
    """
    if mask.dtype != torch.bool:
        raise ValueError(f"mask must be bool, got {mask.dtype}")
    # -inf before gives the others the right sum; 0 after also rids rows of nothing but -inf of their NaN. Both
    # stop the gradient at masked entries, so it is 0 there and not NaN.
    return scores.masked_fill(~mask, -torch.inf).softmax(dim=-1).masked_fill(~mask, 0.0)


class Memory(NamedTuple):
    """A source, made ready for many queries.

    Attributes:
        keys: (B, S, K), what scores are computed from.
        values: (B, S, M), what the context is a mean of; zero at padding.
        mask: (B, S) bool, True at the real steps.
    """

    keys: Tensor
    values: Tensor
    mask: Tensor


class Attention(nn.Module):
    """What all kinds share; a kind adds `key`, if it projects the memory, and `score`.

    Args:
        query_size: Q, at least 1.
        memory_size: M, at least 1.

    Raises:
        ValueError: a size below 1.
    """

    def __init__(self, query_size: int, memory_size: int) -> None:
        super().__init__()
        check_sizes(query_size=query_size, memory_size=memory_size)
        self.query_size, self.memory_size = query_size, memory_size

    def key(self, memory: Tensor) -> Tensor:
        """Return the keys (B, S, K) of a memory (B, S, M): what a score needs of it, whatever the query."""
        return memory

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        """Return e (B, T, S) from queries (B, T, Q) and keys (B, S, K)."""
        raise NotImplementedError

    def prepare(self, memory: Tensor, lengths: Tensor | None = None) -> Memory:
        """Do once for each source what does not depend on the query.

        Args:
            memory: (B, S, M), the encoder's states.
            lengths: (B,) real steps of each source, 1..S; None when all are full.

        Raises:
            ValueError: memory has another shape, or a length is outside 1..S.
        """
        if memory.dim() != 3 or memory.shape[2] != self.memory_size or memory.shape[1] < 1:
            raise ValueError(f"memory must be (B, S>=1, M={self.memory_size}), got {tuple(memory.shape)}")
        if lengths is None:
            return Memory(self.key(memory), memory, memory.new_ones(memory.shape[:2], dtype=torch.bool))
        lengths = check_lengths(lengths, *memory.shape[:2])
        memory = zero_padding(memory, lengths)  # before any product: 0 · NaN is NaN
        return Memory(self.key(memory), memory, length_mask(lengths, memory.shape[1]))

    def attend(self, query: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Answer queries.

        Args:
            query: (B, Q), or (B, T, Q) for T of them at once.
            memory: from `prepare`.

        Returns:
            context: (B, M) or (B, T, M).
            weights: α, (B, S) or (B, T, S); each row sums to 1.

        Raises:
            ValueError: query has another shape.
        """
        batch = len(memory.values)
        if query.dim() not in (2, 3) or (len(query), query.shape[-1]) != (batch, self.query_size):
            wanted = f"(B={batch}, Q={self.query_size}) or (B={batch}, T, Q={self.query_size})"
            raise ValueError(f"query must be {wanted}, got {tuple(query.shape)}")
        queries = query if query.dim() == 3 else query[:, None]  # (B, T, Q)
        weights = masked_softmax(self.score(queries, memory.keys), memory.mask[:, None])  # (B, T, S)
        context = weights @ memory.values  # (B, T, M)
        return (context, weights) if query.dim() == 3 else (context[:, 0], weights[:, 0])

    def forward(self, query: Tensor, memory: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Prepare a memory (B, S, M) and answer one round of queries. Arguments as for the two steps."""
        return self.attend(query, self.prepare(memory, lengths))


class AdditiveAttention(Attention):
    """e = vᵀ tanh(W s + U h) (Bahdanau et al., 2015). U h does not depend on the query: `prepare` computes it.

    Args:
        query_size, memory_size: Q and M.
        hidden_size: A, units of the tanh layer; as many as Q when None.

    Parameters: `query.weight` W (A, Q), `memory.weight` U (A, M), `v.weight` (1, A).

    Raises:
        ValueError: a size below 1.
    """

    def __init__(self, query_size: int, memory_size: int, hidden_size: int | None = None) -> None:
        super().__init__(query_size, memory_size)
        hidden_size = query_size if hidden_size is None else hidden_size
        check_sizes(hidden_size=hidden_size)
        self.query = nn.Linear(query_size, hidden_size, bias=False)
        self.memory = nn.Linear(memory_size, hidden_size, bias=False)
        self.v = nn.Linear(hidden_size, 1, bias=False)

    def key(self, memory: Tensor) -> Tensor:
        return self.memory(memory)  # (B, S, A)

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        summed = self.query(query)[:, :, None] + keys[:, None]  # (B, T, S, A)
        return self.v(torch.tanh(summed)).squeeze(-1)  # (B, T, S)


class DotAttention(Attention):
    """e = sᵀ h (Luong et al., 2015). No parameters; query and memory must be of one size.

    Raises:
        ValueError: a size below 1, or unequal sizes.
    """

    def __init__(self, query_size: int, memory_size: int) -> None:
        super().__init__(query_size, memory_size)
        if query_size != memory_size:
            raise ValueError(
                f"a dot product needs query_size = memory_size, got {query_size} and {memory_size}"
            )

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        return query @ keys.transpose(1, 2)  # (B, T, S)


class ScaledDotAttention(DotAttention):
    """e = sᵀ h / √Q (Vaswani et al., 2017): the scores' size no longer grows with the number of features."""

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        return super().score(query, keys) / math.sqrt(self.query_size)


class GeneralAttention(Attention):
    """e = sᵀ W h (Luong et al., 2015). Parameters: `memory.weight` W (Q, M)."""

    def __init__(self, query_size: int, memory_size: int) -> None:
        super().__init__(query_size, memory_size)
        self.memory = nn.Linear(memory_size, query_size, bias=False)

    def key(self, memory: Tensor) -> Tensor:
        return self.memory(memory)  # (B, S, Q)

    def score(self, query: Tensor, keys: Tensor) -> Tensor:
        return query @ keys.transpose(1, 2)  # (B, T, S)


ATTENTIONS: dict[str, type[Attention]] = {
    "additive": AdditiveAttention,
    "dot": DotAttention,
    "general": GeneralAttention,
    "scaled dot": ScaledDotAttention,
}
