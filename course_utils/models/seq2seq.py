"""Encoder and decoder, with and without attention.

    encoder     h_1 … h_S, state       a recurrent network over E_x[x_1] … E_x[x_S]
    decoder     s_i = f(s_{i-1}, E_y[y_{i-1}], c_i)
    output      p(y_i | y_<i, x) = softmax(W [s_i; c_i; E_y[y_{i-1}]] + b)

The decoder begins where the encoder ended (Sutskever, Vinyals & Le, 2014). Without attention c_i is the
encoder's last state at every step (Cho et al., 2014, "Learning phrase representations using RNN encoder-
decoder"): one vector for a source of any length. With attention it is a mean of all h_j, weighed anew at each
step by s_{i-1} (Bahdanau, Cho & Bengio, 2015, eq. 4 to 6). The two models differ in nothing else.

Batch first: B batch, S source length, T target length, V target vocabulary.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from course_utils.models.attention import ATTENTIONS, Memory
from course_utils.models.checks import check_sizes, require
from course_utils.models.sequences import check_lengths, zero_padding
from course_utils.models.stacked import Bidirectional, Make
from course_utils.models.states import Directions, final_hidden, output_size


class DecoderState(NamedTuple):
    """What the decoder carries from step to step; B is the first axis of every tensor.

    Attributes:
        hidden: s_i, in the form of the recurrent layer.
        context: c_i (B, M), that of the last step; without attention, of every step.
        weights: α_i (B, S) of the last step; None without attention and before the first step.
        memory: what attention looks at; None without attention.
    """

    hidden: Any
    context: Tensor
    weights: Tensor | None
    memory: Memory | None


class Decoded(NamedTuple):
    """What `Seq2Seq` returns.

    Attributes:
        logits: (B, T, V).
        weights: α (B, T, S), one row a target token; None without attention.
    """

    logits: Tensor
    weights: Tensor | None


class Seq2Seq(nn.Module):
    """Reads one sequence, writes another.

    Args:
        make: makes a recurrent layer from (input_size, hidden_size), such as `GRU`, `LSTM` or
            partial(Stacked, GRU, num_layers=2).
        source_size: number of source tokens.
        target_size: V, number of target tokens.
        hidden_size: H, of encoder (each direction) and decoder.
        bos: the target token that stands before the first, 0..V-1.
        attention: a name in `ATTENTIONS`, or None for the encoder's last state. The query is the hidden state
            s_{i-1} of H features, the memory has H, or 2H when bidirectional (too many for the dot products).
        embedding_size: E, of source and target tokens; H when None.
        bidirectional: read the source both ways. The decoder then begins where the layer that reads back
            ended: at the first source token (Bahdanau et al., appendix A.2.2, without its tanh layer).
        dropout: p of dropout on embeddings and on what the logits read.

    Raises:
        ValueError: a size below 1, bos outside the vocabulary, or an unknown attention.
    """

    def __init__(
        self,
        make: Make,
        source_size: int,
        target_size: int,
        hidden_size: int,
        *,
        bos: int,
        attention: str | None = None,
        embedding_size: int | None = None,
        bidirectional: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        embedding_size = hidden_size if embedding_size is None else embedding_size
        check_sizes(
            source_size=source_size,
            target_size=target_size,
            hidden_size=hidden_size,
            embedding_size=embedding_size,
        )
        require(0 <= bos < target_size, f"bos must be in 0..V-1={target_size - 1}, got {bos}")
        require(
            attention is None or attention in ATTENTIONS,
            f"attention must be None or in {list(ATTENTIONS)}, got {attention!r}",
        )
        self.source_size, self.target_size, self.bos = source_size, target_size, bos
        self.source_embedding = nn.Embedding(source_size, embedding_size)
        self.target_embedding = nn.Embedding(target_size, embedding_size)
        self.encoder = (
            Bidirectional(make, embedding_size, hidden_size)
            if bidirectional
            else make(embedding_size, hidden_size)
        )
        memory_size = output_size(self.encoder)
        self.attention = None if attention is None else ATTENTIONS[attention](hidden_size, memory_size)
        self.decoder = make(embedding_size + memory_size, hidden_size)
        self.features_size = hidden_size + memory_size + embedding_size
        self.output = nn.Linear(self.features_size, target_size)
        self.dropout = nn.Dropout(dropout)

    def encode(self, source: Tensor, lengths: Tensor | None = None) -> Any:
        """Read the source and return the decoder's state before its first step.

        Args:
            source: (B, S) int64; any id may stand in padding.
            lengths: (B,) real tokens of each source, 1..S; None when all are full.

        Raises:
            ValueError: source is not (B, S>=1), a real token is outside the vocabulary, or a length outside 1..S.
        """
        source, lengths = self._checked(source, lengths, self.source_size)
        return self._read(source, lengths)

    def _read(self, source: Tensor, lengths: Tensor | None) -> DecoderState:
        embedded = self.dropout(self.source_embedding(source))  # (B, S, E)
        memory, state = self.encoder(embedded, None, lengths)  # (B, S, M)
        hidden = state.back if isinstance(state, Directions) else state
        prepared = None if self.attention is None else self.attention.prepare(memory, lengths)
        return DecoderState(hidden, final_hidden(state), None, prepared)

    def start(self, source: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Any]:
        """Return what a decoder begins with: <bos> for each source, (B,), and the state.

        `greedy(model.step, *model.start(source, lengths), eos=eos, max_length=20)` writes the answers.
        """
        return source.new_full((len(source),), self.bos), self.encode(source, lengths)

    def advance(self, tokens: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        """Take one step, up to the features [s_i; c_i; E_y[y_{i-1}]], (B, H + M + E), that logits are made of."""
        hidden, context, weights, memory = state
        embedded = self.dropout(self.target_embedding(tokens))  # (B, E)
        if self.attention is not None and memory is not None:
            context, weights = self.attention.attend(final_hidden(hidden), memory)  # (B, M), (B, S)
        output, hidden = self.decoder(torch.cat([embedded, context], 1)[:, None], hidden)  # (B, 1, H)
        features = torch.cat([output[:, 0], context, embedded], dim=1)  # (B, H + M + E)
        return features, DecoderState(hidden, context, weights, memory)

    def step(self, tokens: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Take one step: the function that `course_utils.decoding` drives.

        Args:
            tokens: (B,) int64, y_{i-1}, in 0..V-1.
            state: from `start` or the step before.

        Returns:
            logits of y_i, (B, V), and the state after the step.
        """
        features, state = self.advance(tokens, state)
        return self.output(self.dropout(features)), state

    def forward(
        self,
        source: Tensor,
        lengths: Tensor | None,
        target: Tensor,
        *,
        teacher_forcing: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> Decoded:
        """Predict every target token from the source and the tokens before it.

        After <bos>, each step is given the true previous token with probability `teacher_forcing`, else the
        most likely token of the model's own last step (scheduled sampling; Bengio et al., 2015), by a coin
        for each token. 1 is teacher forcing and 0 is free running; neither draws a coin. No gradient flows
        through the choice.

        Args:
            source, lengths: as for `encode`.
            target: (B, T) int64, y_1 … y_T without <bos>, every id in 0..V-1, padding too; T is how many steps
                are taken, and all that free running uses of it.
            teacher_forcing: 0..1.
            generator: of the coins; None for torch's own.

        Raises:
            ValueError: as `encode`; target is not (B, T>=1) or holds other ids; teacher_forcing outside 0..1.
        """
        rows, states = self._run(source, lengths, target, teacher_forcing, generator)
        weights = None if self.attention is None else torch.stack([state.weights for state in states], 1)
        return Decoded(torch.stack(rows, dim=1), weights)  # (B, T, V), (B, T, S)

    def _run(
        self,
        source: Tensor,
        lengths: Tensor | None,
        target: Tensor,
        teacher_forcing: float,
        generator: torch.Generator | None,
    ) -> tuple[list[Tensor], list[Any]]:
        """Return each step's logits (B, V) and state."""
        require(0 <= teacher_forcing <= 1, f"teacher_forcing must be in 0..1, got {teacher_forcing}")
        tokens, state = self.start(source, lengths)
        self._check_target(target, source, state)
        device = target.device if generator is None else generator.device
        if 0 < teacher_forcing < 1:
            coins = torch.rand(target.shape, generator=generator, device=device) < teacher_forcing
        else:
            coins = torch.full(target.shape, teacher_forcing == 1, device=device)
        rows, states = [], []
        for truth, forced in zip(target.unbind(1), coins.to(target.device).unbind(1), strict=True):
            logits, state = self.step(tokens, state)
            rows.append(logits)
            states.append(state)
            tokens = torch.where(forced, truth, logits.argmax(dim=1))  # (B,)
        return rows, states

    def _check_target(self, target: Tensor, source: Tensor, state: Any) -> None:
        require(
            target.dim() == 2 and len(target) == len(source) and target.shape[1] >= 1,
            f"target must be (B={len(source)}, T>=1), got {tuple(target.shape)}",
        )
        _check_ids("target", target, self._vocabulary(state))

    def _vocabulary(self, state: Any) -> int:
        return self.target_size

    @staticmethod
    def _checked(source: Tensor, lengths: Tensor | None, size: int) -> tuple[Tensor, Tensor | None]:
        """Return source with 0 at padding and lengths as int64, after a check."""
        require(
            source.dim() == 2 and source.shape[1] >= 1, f"source must be (B, S>=1), got {tuple(source.shape)}"
        )
        if lengths is not None:
            lengths = check_lengths(lengths, *source.shape)
            source = zero_padding(source, lengths)
        _check_ids("source", source, size)
        return source, lengths


def _check_ids(name: str, tokens: Tensor, size: int) -> None:
    wrong = tokens[(tokens < 0) | (tokens >= size)]
    require(not len(wrong), f"{name} must hold ids in 0..{size - 1}, got {wrong[:1].tolist()}")
