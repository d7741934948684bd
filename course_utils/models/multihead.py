"""Multi-head attention (Vaswani et al., 2017, "Attention is all you need", NeurIPS 30).

    Attention(Q, K, V) = softmax(Q Kᵀ / √d_k) V                                          eq. 1
    MultiHead(Q, K, V) = concat(head_1, …, head_h) W^O,  head_i = Attention(Q W_i^Q, …)  section 3.2.2

Batch first: B batch, T queries, S keys, D model size, d_k = D / heads. A mask is True where a query may look.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from course_utils.models.checks import require


def attention_weights(q: Tensor, k: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return softmax(Q Kᵀ / √d_k), how much each query takes of each key.

    Args:
        q, k: (..., T, d_k), (..., S, d_k).
        mask: bool, broadcast to (..., T, S), or None to look everywhere.

    Returns:
        (..., T, S); each row sums to 1 and is exactly 0 where masked.

    Raises:
        ValueError: a mask that is not bool, or one that leaves a query nothing to look at.
    """
    scores = q @ k.mT / math.sqrt(q.shape[-1])  # (..., T, S)
    if mask is not None:
        require(mask.dtype == torch.bool, f"mask must be bool, got {mask.dtype}")
        require(bool(mask.any(-1).all()), "mask must leave every query a key to look at, got a row without")
        scores = scores.masked_fill(~mask, -math.inf)
    return scores.softmax(-1)


def scaled_dot_product(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Attend (eq. 1): every query takes a weighted mean of the values.

    Args:
        q, k, mask: as `attention_weights`.
        v: (..., S, d_v), finite everywhere: a weight of zero does not undo a NaN.

    Returns:
        output: (..., T, d_v).
        weights: (..., T, S).
    """
    weights = attention_weights(q, k, mask)
    return weights @ v, weights


class MultiHeadAttention(nn.Module):
    """Several attentions side by side, each on its own projection (section 3.2.2).

    Args:
        size: D, a multiple of heads.
        heads: number of attentions, at least 1.
        dropout: chance that a weight is dropped in training.

    Raises:
        ValueError: heads below 1, or a size that is no multiple of it.
    """

    def __init__(self, size: int, heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        require(heads >= 1, f"heads must be at least 1, got {heads}")
        require(size >= 1 and size % heads == 0, f"size must be a multiple of heads={heads}, got {size}")
        self.size, self.heads = size, heads
        self.query, self.key, self.value, self.output = (nn.Linear(size, size) for _ in range(4))
        self.dropout = nn.Dropout(dropout)
        for projection in (self.query, self.key, self.value, self.output):
            nn.init.xavier_uniform_(projection.weight)
            nn.init.zeros_(projection.bias)

    def forward(self, x: Tensor, memory: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Let x (B, T, D) look at memory (B, S, D); the two are one in self-attention.

        Args:
            mask: bool, broadcast to (B, heads, T, S), or None.

        Returns:
            output: (B, T, D).
            weights: (B, heads, T, S), before dropout.
        """
        q, k, v = self._split(self.query(x)), self._split(self.key(memory)), self._split(self.value(memory))
        weights = attention_weights(q, k, mask)  # (B, heads, T, S)
        attended = self.dropout(weights) @ v  # (B, heads, T, d_k)
        return self.output(attended.transpose(1, 2).flatten(2)), weights  # (B, T, D)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (B, heads, T, d_k)

    @torch.no_grad()
    def load_library(self, layer: nn.MultiheadAttention) -> MultiHeadAttention:
        """Copy the weights of `torch.nn.MultiheadAttention`; return self.

        Raises:
            ValueError: other sizes, no bias, or keys and values of sizes of their own.
        """
        theirs = (layer.embed_dim, layer.num_heads)
        require(
            theirs == (self.size, self.heads),
            f"layer must have (D, heads) = {(self.size, self.heads)}, got {theirs}",
        )
        require(
            layer.in_proj_weight is not None and layer.in_proj_bias is not None and layer.bias_k is None,
            "layer must have biases, one size for query, key and value, and no bias_k",
        )
        inward = (self.query, self.key, self.value)
        for ours, weight, bias in zip(
            inward, layer.in_proj_weight.chunk(3), layer.in_proj_bias.chunk(3), strict=True
        ):
            ours.weight.copy_(weight)
            ours.bias.copy_(bias)
        self.output.load_state_dict(layer.out_proj.state_dict())
        return self

    @torch.no_grad()
    def to_library(self) -> nn.MultiheadAttention:
        """Return a `torch.nn.MultiheadAttention` (batch first) with the same weights."""
        like = self.query.weight
        layer = nn.MultiheadAttention(
            self.size, self.heads, self.dropout.p, batch_first=True, device=like.device, dtype=like.dtype
        )
        inward = (self.query, self.key, self.value)
        layer.in_proj_weight.copy_(torch.cat([projection.weight for projection in inward]))
        layer.in_proj_bias.copy_(torch.cat([projection.bias for projection in inward]))
        layer.out_proj.load_state_dict(self.output.state_dict())
        return layer.train(self.training)
