"""A recurrent autoencoder, for sequences that do not look like those it learned from.

The encoder's last state is all the decoder gets to rebuild the sequence (Srivastava, Mansimov & Salakhutdinov,
2015, "Unsupervised learning of video representations using LSTMs", section 2.2); what it rebuilds badly is an
anomaly (Malhotra et al., 2016, "LSTM-based encoder-decoder for multi-sensor anomaly detection").

    state = encoder(x_1 … x_T),  code = its h
    decoder starts in state, reads code at every step;  x̂_t = W h'_t + b

Rebuilding in reverse order, as both papers do, begins with the step that the state remembers best. The decoder
never reads x itself, which it could copy, anomalies included. Batch first: B batch, T time, I features, H hidden.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from course_utils.models.sequences import check_lengths, reverse_padded, zero_padding
from course_utils.models.states import final_hidden, output_size


class RecurrentAutoencoder(nn.Module):
    """Encoder, decoder, linear read-out.

    Args:
        make: makes a layer from (input_size, hidden_size), such as `LSTM`; one that reads ahead only.
        input_size: I.
        hidden_size: H, the width of the code; narrow enough that only the usual fits through.
        reverse: rebuild the last step first. The result is in the order of x either way.

    Raises:
        ValueError: a layer that reads back.
    """

    def __init__(
        self, make: Callable[[int, int], nn.Module], input_size: int, hidden_size: int, reverse: bool = True
    ) -> None:
        super().__init__()
        self.encoder = make(input_size, hidden_size)
        if getattr(self.encoder, "bidirectional", False):
            raise ValueError("make must give a layer that reads ahead only, got a bidirectional one")
        self.decoder = make(output_size(self.encoder), hidden_size)
        self.readout = nn.Linear(output_size(self.decoder), input_size)
        self.input_size, self.hidden_size, self.reverse = input_size, hidden_size, reverse

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Rebuild x.

        Args:
            x: (B, T, I).
            lengths: (B,) real steps of each sequence, 1..T; None when all are full.

        Returns:
            x̂: (B, T, I), step t for step t of x; zero at padding.

        Raises:
            ValueError: x has another shape, or a length is outside 1..T.
        """
        lengths = self._check(x, lengths)
        _, state = self.encoder(x, None, lengths)
        code = final_hidden(state)[:, None].expand(-1, x.shape[1], -1)  # (B, T, H)
        hidden, _ = self.decoder(code, state, lengths)  # (B, T, H)
        rebuilt = self.readout(hidden)  # (B, T, I)
        if self.reverse:
            rebuilt = reverse_padded(rebuilt, lengths)
        return rebuilt if lengths is None else zero_padding(rebuilt, lengths)

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the code (B, H) of each sequence."""
        return final_hidden(self.encoder(x, None, self._check(x, lengths))[1])

    def step_errors(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the squared error at each step, averaged over features: (B, T), zero at padding."""
        rebuilt = self(x, lengths)
        if lengths is not None:
            x = zero_padding(x, lengths)
        return (rebuilt - x).square().mean(2)  # (B, T)

    def sequence_errors(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the mean of a sequence's step errors over its real steps, (B,): its anomaly score.

        The mean over a batch is the loss to train with; in units of x squared.
        """
        errors = self.step_errors(x, lengths)
        return errors.mean(1) if lengths is None else errors.sum(1) / lengths

    def _check(self, x: Tensor, lengths: Tensor | None) -> Tensor | None:
        if x.dim() != 3 or x.shape[1] < 1 or x.shape[2] != self.input_size:
            raise ValueError(f"x must be (B, T>=1, I={self.input_size}), got {tuple(x.shape)}")
        return None if lengths is None else check_lengths(lengths, *x.shape[:2])
