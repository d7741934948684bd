"""The pointer-generator: at each step, write a word of the vocabulary or copy one from the source.

See, Liu & Manning (2017), "Get to the point: summarization with pointer-generator networks", section 2.2:

    p_gen = σ(wᵀ [c_t; s_t; x_t] + b)                                   eq. 8
    P(w)  = p_gen P_vocab(w) + (1 - p_gen) Σ_{j: w_j = w} α_tj          eq. 9

c_t is the context, s_t the decoder's state, x_t its input, α the attention. A word that the vocabulary lacks
can be copied all the same: within one source such words get the ids V, V + 1, … in order of appearance (the
extended vocabulary), and the networks read each of them as <unk>. Copying goes by position, so a word need
never have been seen. The attention is that of `Seq2Seq` (Bahdanau's: it looks before the state moves).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.models.attention import ATTENTIONS
from course_utils.models.seq2seq import DecoderState, Seq2Seq
from course_utils.models.stacked import Make


class PointerState(NamedTuple):
    """What the pointer-generator carries from step to step; B is the first axis of every tensor.

    Attributes:
        decoder: the state of the network beneath.
        source: (B, S) int64, the source in extended ids; what stands in padding has weight 0.
        room: (B, X) zeros: the places of the X words that the vocabulary lacks.
        log_p_gen: (B,) log p_gen of the last step; None before the first.
    """

    decoder: DecoderState
    source: Tensor
    room: Tensor
    log_p_gen: Tensor | None


class Pointed(NamedTuple):
    """What `PointerGenerator` returns.

    Attributes:
        logits: (B, T, V + X), log P over the extended vocabulary; -inf for what can be neither written nor
            copied. They are logits that happen to be normalized: cross-entropy takes them as they are.
        weights: α (B, T, S), one row a target token.
        p_gen: (B, T), the chance of writing rather than copying.
    """

    logits: Tensor
    weights: Tensor
    p_gen: Tensor


class PointerGenerator(Seq2Seq):
    """Encoder and decoder with attention, over one vocabulary, that can copy.

    Args:
        make, hidden_size, embedding_size, bidirectional, dropout: as for `Seq2Seq`.
        vocab_size: V, of source and target alike.
        bos: the token that stands before the first, 0..V-1.
        unk: the token that stands for every word that the vocabulary lacks, 0..V-1.
        attention: a name in `ATTENTIONS`.

    Raises:
        ValueError: as `Seq2Seq`, unk outside the vocabulary, or no attention.
    """

    def __init__(
        self,
        make: Make,
        vocab_size: int,
        hidden_size: int,
        *,
        bos: int,
        unk: int,
        attention: str = "additive",
        embedding_size: int | None = None,
        bidirectional: bool = False,
        dropout: float = 0.0,
    ) -> None:
        if not 0 <= unk < vocab_size:
            raise ValueError(f"unk must be in 0..V-1={vocab_size - 1}, got {unk}")
        if attention not in ATTENTIONS:
            raise ValueError(f"attention must be in {list(ATTENTIONS)}, got {attention!r}")
        super().__init__(
            make,
            vocab_size,
            vocab_size,
            hidden_size,
            bos=bos,
            attention=attention,
            embedding_size=embedding_size,
            bidirectional=bidirectional,
            dropout=dropout,
        )
        self.vocab_size, self.unk = vocab_size, unk
        self.switch = nn.Linear(self.features_size, 1)

    def encode(self, source: Tensor, lengths: Tensor | None = None) -> PointerState:
        """Read the source and return the state before the first step.

        Args:
            source: (B, S) int64 in extended ids (see `extend`); X is how many of V, V + 1, … the batch needs.
            lengths: (B,) real tokens of each source, 1..S; None when all are full.

        Raises:
            ValueError: source is not (B, S>=1), holds a negative id, an id that no source of S words can need
                (V + S and up), or a length outside 1..S.
        """
        size = self.vocab_size
        source, lengths = self._checked(source, lengths, size + source.shape[-1])
        known = torch.where(source < size, source, self.unk)
        extra = max(0, int(source.max()) + 1 - size)
        state = self._read(known, lengths)
        return PointerState(state, source, state.context.new_zeros(len(source), extra), None)

    def step(self, tokens: Tensor, state: PointerState) -> tuple[Tensor, PointerState]:
        """Take one step.

        Args:
            tokens: (B,) int64 extended ids, y_{i-1}, in 0..V+X-1.
            state: from `start` or the step before.

        Returns:
            log P(y_i) over the extended vocabulary, (B, V + X), and the state after the step.
        """
        known = torch.where(tokens < self.vocab_size, tokens, self.unk)
        features, decoder = self.advance(known, state.decoder)
        switch = self.switch(features)  # (B, 1)
        log_write, log_copy = F.logsigmoid(switch), F.logsigmoid(-switch)
        written = log_write + self.output(self.dropout(features)).log_softmax(dim=1)  # (B, V)
        places = torch.cat([torch.zeros_like(written), state.room], dim=1)  # (B, V + X)
        assert decoder.weights is not None  # there is always attention here
        # Σ α over the places of each word. Logarithms from here on: no probability is rounded to 0.
        copied = log_copy + _log(places.scatter_add(1, state.source, decoder.weights))  # (B, V + X)
        known_words, extra_words = copied.split([self.vocab_size, state.room.shape[1]], dim=1)
        log_probs = torch.cat([torch.logaddexp(written, known_words), extra_words], dim=1)
        return log_probs, PointerState(decoder, state.source, state.room, log_write.squeeze(1))

    def forward(  # type: ignore[override]
        self,
        source: Tensor,
        lengths: Tensor | None,
        target: Tensor,
        *,
        teacher_forcing: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> Pointed:
        """Predict every target token. As `Seq2Seq.forward`, with source and target in extended ids."""
        rows, states = self._run(source, lengths, target, teacher_forcing, generator)
        weights = torch.stack([state.decoder.weights for state in states], dim=1)  # (B, T, S)
        p_gen = torch.stack([state.log_p_gen for state in states], dim=1).exp()  # (B, T)
        return Pointed(torch.stack(rows, dim=1), weights, p_gen)

    def _vocabulary(self, state: Any) -> int:
        return self.vocab_size + state.room.shape[1]


def extend(
    words: Sequence[str], vocabulary: Mapping[str, int], extra: Iterable[str] = ()
) -> tuple[list[int], list[str]]:
    """Number the words of a source; those that the vocabulary lacks get V, V + 1, … in order of appearance.

    >>> extend(["call", "Zoe", "or", "Zoe"], {"call": 0, "or": 1, "<unk>": 2})
    ([0, 3, 1, 3], ['Zoe'])

    Args:
        words: of one source.
        vocabulary: word to id, V ids 0..V-1.
        extra: words that already have the ids V, V + 1, …

    Returns:
        The extended ids, and the extra words in the order of theirs.
    """
    beyond = {word: len(vocabulary) + k for k, word in enumerate(extra)}
    ids = []
    for word in words:
        if word not in vocabulary:
            beyond.setdefault(word, len(vocabulary) + len(beyond))
        ids.append(vocabulary[word] if word in vocabulary else beyond[word])
    return ids, list(beyond)


def target_ids(
    words: Sequence[str], vocabulary: Mapping[str, int], extra: Sequence[str], unk: int
) -> list[int]:
    """Number the words of a target: by the vocabulary, else by its source's extra words, else unk."""
    beyond = {word: len(vocabulary) + k for k, word in enumerate(extra)}
    return [vocabulary.get(word, beyond.get(word, unk)) for word in words]


def to_words(ids: Iterable[int], vocabulary: Mapping[str, int], extra: Sequence[str]) -> list[str]:
    """Return the words of extended ids, given the extra words of the source.

    Raises:
        ValueError: an id beyond the vocabulary and the extra words.
    """
    names = [*sorted(vocabulary, key=vocabulary.__getitem__), *extra]
    words = []
    for token in ids:
        if not 0 <= token < len(names):
            raise ValueError(f"ids must be in 0..V+X-1={len(names) - 1}, got {token}")
        words.append(names[token])
    return words


def _log(x: Tensor) -> Tensor:
    """Return log x, -inf at 0, with a gradient of 0 there where log's own would be NaN after a product."""
    positive = x > 0
    return torch.where(positive, torch.where(positive, x, 1.0).log(), -torch.inf)
