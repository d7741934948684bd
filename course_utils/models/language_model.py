"""A recurrent language model (Mikolov et al., 2010, "Recurrent neural network based language model").

    p(w_{t+1} | w_1 … w_t) = softmax(W h_t + b),   h_t from the recurrent layers over E[w_1] … E[w_t]

With `tied`, W is E itself (Press & Wolf, 2017; Inan, Khosravi & Socher, 2017): a word's input and output
vectors are one, which saves V · I parameters. Batch first: B batch, T time, V vocabulary.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.models.checks import check_sizes
from course_utils.models.sequences import check_lengths, length_mask, zero_padding
from course_utils.models.states import output_size


class LanguageModel(nn.Module):
    """Embedding, recurrent layers, logits for the next token.

    Args:
        layer: takes (x, state, lengths) and returns (output, state); reads ahead only. Its input_size is the
            size of the embedding.
        vocab_size: V, at least 1.
        tied: use the embedding as output weights; the layer's output must be as wide as its input.
        dropout: p of dropout on the embeddings and on what the logits read.

    Parameters: `embedding.weight` (V, I), those of `layer`, `decoder.weight` (V, H), `decoder.bias` (V,).

    Raises:
        ValueError: vocab_size below 1, a layer that reads back, or unequal widths when tied.
    """

    def __init__(
        self, layer: nn.Module, vocab_size: int, *, tied: bool = False, dropout: float = 0.0
    ) -> None:
        super().__init__()
        check_sizes(vocab_size=vocab_size)
        if getattr(layer, "bidirectional", False):
            raise ValueError(
                "layer must read ahead only: one that reads back sees the token it is to predict"
            )
        inward, outward = int(layer.input_size), output_size(layer)  # type: ignore[arg-type]
        if tied and inward != outward:
            raise ValueError(f"tied weights need equal widths, got input_size {inward} and output {outward}")
        self.vocab_size = vocab_size
        self.embedding = nn.Embedding(vocab_size, inward)
        self.layer = layer
        self.dropout = nn.Dropout(dropout)
        self.decoder = nn.Linear(outward, vocab_size)
        if tied:
            # As a linear layer draws them: N(0, 1), the embedding's own, would make large logits.
            self.embedding.weight = self.decoder.weight

    def forward(self, tokens: Tensor, state: Any = None, lengths: Tensor | None = None) -> tuple[Tensor, Any]:
        """Read tokens and predict the one after each.

        Args:
            tokens: (B, T) int64, 0..V-1 at the real steps.
            state: what the last call returned, to read on (detached, for truncated BPTT); None to begin.
            lengths: (B,) real steps of each sequence, 1..T; None when all are full.

        Returns:
            logits: (B, T, V); row t is about token t + 1. Those at padding mean nothing.
            state: of each sequence's own last step.

        Raises:
            ValueError: tokens of another shape, or a length outside 1..T.
        """
        if tokens.dim() != 2 or tokens.shape[1] < 1:
            raise ValueError(f"tokens must be (B, T>=1), got {tuple(tokens.shape)}")
        if lengths is not None:
            lengths = check_lengths(lengths, *tokens.shape)
            tokens = zero_padding(tokens, lengths)  # any id may stand in padding
        x = self.dropout(self.embedding(tokens))  # (B, T, I)
        output, state = self.layer(x, state, lengths)  # (B, T, H)
        return self.decoder(self.dropout(output)), state  # (B, T, V)

    def token_nll(
        self, tokens: Tensor, targets: Tensor, state: Any = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, Any]:
        """Return -log p(target | tokens so far) at each step, (B, T) in nats, and the state.

        Args:
            tokens, state, lengths: as for the call.
            targets: (B, T) int64, the token after each of `tokens`.

        Returns:
            nll: (B, T), zero at padding; its sum over time is -log p of a sequence.
            state: as the call's.

        Raises:
            ValueError: targets are not shaped as tokens, or as for the call.
        """
        if targets.shape != tokens.shape:
            raise ValueError(f"targets must be {tuple(tokens.shape)} as tokens, got {tuple(targets.shape)}")
        logits, state = self(tokens, state, lengths)
        if lengths is not None:
            targets = zero_padding(targets, lengths)
        nll = F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")  # (B, V, T) to (B, T)
        return nll if lengths is None else zero_padding(nll, lengths), state

    def nll(
        self, tokens: Tensor, targets: Tensor, state: Any = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, Any]:
        """Return the mean of `token_nll` over the real tokens, a scalar in nats per token, and the state.

        Its exponential is the perplexity; divided by ln 2 it is in bits.
        """
        each, state = self.token_nll(tokens, targets, state, lengths)
        if lengths is None:
            return each.mean(), state
        return each.sum() / length_mask(lengths, tokens.shape[1]).sum(), state

    def step(self, token: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Read one token a sequence, (B,); return the logits for the next, (B, V), and the state.

        This is the step that the decoders of `course_utils.decoding` call: they choose from the logits and
        feed what they chose.
        """
        if token.dim() != 1:
            raise ValueError(f"token must be (B,), got {tuple(token.shape)}")
        logits, state = self(token[:, None], state)
        return logits[:, 0], state


def shifted(tokens: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor | None]:
    """Cut tokens (B, T) into inputs (B, T-1), targets (B, T-1), each the token after, and their lengths.

    Raises:
        ValueError: fewer than two steps, or a length below 2, which leaves nothing to predict.
    """
    if tokens.dim() != 2 or tokens.shape[1] < 2:
        raise ValueError(f"tokens must be (B, T>=2), got {tuple(tokens.shape)}")
    if lengths is not None:
        lengths = check_lengths(lengths, *tokens.shape) - 1
        short = (lengths < 1).nonzero()
        if len(short):
            raise ValueError(f"lengths must be at least 2, got 1 at row {int(short[0])}")
    return tokens[:, :-1], tokens[:, 1:], lengths
