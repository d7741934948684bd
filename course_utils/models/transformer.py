"""A small Transformer encoder (Vaswani et al., 2017, "Attention is all you need", NeurIPS 30).

    x ← LN(x + MultiHead(x, x, x)),  x ← LN(x + FFN(x))                    section 3.1, the paper's post-norm
    FFN(x) = W_2 max(0, W_1 x + b_1) + b_2                                 eq. 2
    PE(t, 2i) = sin(t / 10000^(2i/D)),  PE(t, 2i+1) = cos(t / 10000^(2i/D))    section 3.5

Attention itself is in `multihead.py`. Batch first: B batch, T time, D model size, F feed-forward size.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.models.checks import check_sizes, require
from course_utils.models.multihead import MultiHeadAttention
from course_utils.models.sequences import check_lengths, length_mask, zero_padding


def sinusoidal_positions(steps: int, size: int) -> Tensor:
    """Return the position code (T, D) in float64: waves from 2π to 10000 · 2π steps long (section 3.5).

    Raises:
        ValueError: steps below 1, or a size that is not even and positive.
    """
    require(steps >= 1, f"steps must be at least 1, got {steps}")
    require(size >= 2 and size % 2 == 0, f"size must be even and at least 2, got {size}")
    rates = 10000.0 ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)  # (D/2,)
    angles = torch.arange(steps, dtype=torch.float64)[:, None] * rates  # (T, D/2)
    return torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(1)  # (T, D)


# torch.nn's names, in the order of EncoderLayer._parts.
LIBRARY_PARTS = ("linear1", "linear2", "norm1", "norm2")


class EncoderLayer(nn.Module):
    """Self-attention, then a feed-forward net, each with a skip connection and a layer norm.

    The paper normalizes after each sum, LN(x + f(x)) (section 3.1, post-norm). `norm_first` normalizes what
    goes into f, x + f(LN(x)), which trains without a warm-up (Xiong et al., 2020, ICML, pre-norm).

    Args:
        size, heads: as `MultiHeadAttention`.
        ff_size: F, width of the feed-forward net; None for the paper's 4 D.
        norm_first: pre-norm rather than post-norm.
        dropout: on attention weights, on the feed-forward net's hidden units and on both branches.

    Raises:
        ValueError: ff_size below 1, or as `MultiHeadAttention`.
    """

    def __init__(
        self, size: int, heads: int, ff_size: int | None = None, norm_first: bool = True, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(size, heads, dropout)
        self.norm_first = norm_first
        ff_size = 4 * size if ff_size is None else ff_size
        check_sizes(ff_size=ff_size)
        self.widen, self.narrow = nn.Linear(size, ff_size), nn.Linear(ff_size, size)
        self.norm_attention, self.norm_ff = nn.LayerNorm(size), nn.LayerNorm(size)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the new x (B, T, D) and the weights (B, heads, T, T); mask broadcasts to the weights."""
        inner = self.norm_attention(x) if self.norm_first else x
        attended, weights = self.attention(inner, inner, mask)
        x = x + self.dropout(attended)
        if not self.norm_first:
            x = self.norm_attention(x)
        x = x + self.dropout(self._feed_forward(self.norm_ff(x) if self.norm_first else x))
        return x if self.norm_first else self.norm_ff(x), weights

    def _feed_forward(self, x: Tensor) -> Tensor:
        return self.narrow(self.dropout(F.relu(self.widen(x))))  # (B, T, F), then (B, T, D)

    def load_library(self, layer: nn.TransformerEncoderLayer) -> EncoderLayer:
        """Copy the weights of `torch.nn.TransformerEncoderLayer`; return self.

        Raises:
            ValueError: other sizes, the norm in another place, or an activation that is not relu.
        """
        ours = (self.norm_first, self.widen.out_features, self.norm_ff.eps)
        theirs = (layer.norm_first, layer.linear1.out_features, layer.norm2.eps)
        require(ours == theirs, f"layer must have (norm_first, F, layer_norm_eps) = {ours}, got {theirs}")
        require(layer.activation in (F.relu, torch.relu), "layer must have relu in its feed-forward net")
        self.attention.load_library(layer.self_attn)
        for mine, name in zip(self._parts(), LIBRARY_PARTS, strict=True):
            mine.load_state_dict(getattr(layer, name).state_dict())
        return self

    def to_library(self) -> nn.TransformerEncoderLayer:
        """Return a `torch.nn.TransformerEncoderLayer` (batch first) with the same weights."""
        attention, like = self.attention, self.widen.weight
        layer = nn.TransformerEncoderLayer(
            attention.size, attention.heads, self.widen.out_features, self.dropout.p, batch_first=True,
            norm_first=self.norm_first, device=like.device, dtype=like.dtype,
        )  # fmt: skip
        layer.self_attn = attention.to_library()
        for mine, name in zip(self._parts(), LIBRARY_PARTS, strict=True):
            getattr(layer, name).load_state_dict(mine.state_dict())
        return layer.train(self.training)

    def _parts(self) -> tuple[nn.Module, ...]:
        return self.widen, self.narrow, self.norm_attention, self.norm_ff


class TransformerEncoder(nn.Module):
    """Position codes, then a stack of layers; the counterpart of a recurrent encoder.

    Args:
        size: D, even and a multiple of heads.
        heads, ff_size, norm_first, dropout: as `EncoderLayer`.
        num_layers: at least 1.

    Raises:
        ValueError: sizes that do not fit together.
    """

    def __init__(
        self,
        size: int,
        heads: int = 4,
        num_layers: int = 2,
        ff_size: int | None = None,
        norm_first: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        check_sizes(num_layers=num_layers)
        require(size % 2 == 0, f"size must be even, for pairs of sine and cosine, got {size}")
        self.size, self.dropout = size, nn.Dropout(dropout)
        self.layers = nn.ModuleList(
            EncoderLayer(size, heads, ff_size, norm_first, dropout) for _ in range(num_layers)
        )
        # With pre-norm nothing has normalized the last sum.
        self.norm = nn.LayerNorm(size) if norm_first else nn.Identity()

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Encode x (B, T, D).

        Args:
            lengths: (B,) real steps of each sequence, 1..T; None when all are full. No query looks at padding.

        Returns:
            output: (B, T, D), zero at padding.
            weights: (layers, B, heads, T, T); rows that belong to padding mean nothing.

        Raises:
            ValueError: x has another shape, or a length is outside 1..T.
        """
        require(
            x.dim() == 3 and x.shape[1] >= 1 and x.shape[2] == self.size,
            f"x must be (B, T>=1, D={self.size}), got {tuple(x.shape)}",
        )
        mask = None
        if lengths is not None:
            lengths = check_lengths(lengths, len(x), x.shape[1])
            x = zero_padding(x, lengths)  # or a NaN would pass through a weight of zero
            mask = length_mask(lengths, x.shape[1])[:, None, None]  # (B, 1, 1, T)
        x = self.dropout(x + sinusoidal_positions(x.shape[1], self.size).to(x))
        kept = []
        for layer in self.layers:
            x, weights = layer(x, mask)
            kept.append(weights)
        x = self.norm(x)
        return x if lengths is None else zero_padding(x, lengths), torch.stack(kept)


class TransformerClassifier(nn.Module):
    """Tokens to class logits: embedding, encoder, mean over the real steps, linear head.

    Embeddings start with variance 1/D and are multiplied by √D (section 3.4), so that token and position
    weigh alike at the start.

    Args:
        vocab_size: V. num_classes: C. Each at least 1.
        size, heads, num_layers, ff_size, norm_first, dropout: as `TransformerEncoder`.

    Raises:
        ValueError: a size below 1, or sizes that do not fit together.
    """

    def __init__(
        self,
        vocab_size: int,
        num_classes: int,
        size: int,
        heads: int = 4,
        num_layers: int = 2,
        ff_size: int | None = None,
        norm_first: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        check_sizes(vocab_size=vocab_size, num_classes=num_classes)
        self.encoder = TransformerEncoder(size, heads, num_layers, ff_size, norm_first, dropout)
        self.embedding = nn.Embedding(vocab_size, size)
        self.head = nn.Linear(size, num_classes)
        nn.init.normal_(self.embedding.weight, std=size**-0.5)

    def forward(self, tokens: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return logits (B, C) for tokens (B, T) int64, 0..V-1 at the real steps.

        Raises:
            ValueError: tokens of another shape, or a length outside 1..T.
        """
        output, _ = self.encode(tokens, lengths)
        if lengths is None:
            return self.head(output.mean(1))
        return self.head(output.sum(1) / lengths[:, None])  # output is zero at padding: (B, D) to (B, C)

    def encode(self, tokens: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return output and attention weights as `TransformerEncoder` does, for plots."""
        require(
            tokens.dim() == 2 and tokens.shape[1] >= 1, f"tokens must be (B, T>=1), got {tuple(tokens.shape)}"
        )
        if lengths is not None:
            lengths = check_lengths(lengths, *tokens.shape)
            tokens = zero_padding(tokens, lengths)  # any id may stand in padding
        return self.encoder(self.embedding(tokens) * math.sqrt(self.encoder.size), lengths)
