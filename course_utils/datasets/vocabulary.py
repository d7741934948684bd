"""Text as numbers: a vocabulary of characters or words, and padded batches with their lengths.

vocabulary = Vocabulary.build(words, minimum=2)
ids, lengths = vocabulary.batch(["four", "five"], eos=True)                              # (B, T), (B,)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

PAD, BOS, EOS, UNK = 0, 1, 2, 3
SPECIAL = ("<pad>", "<bos>", "<eos>", "<unk>")


class Vocabulary:
    """A two-way table of tokens and numbers: 0..3 are padding, begin, end and unknown, then come the tokens.

    A token is any string: a word, or a single character when the texts are strings.

    Args:
        tokens: without repeats and without the four special ones; number 4 is the first.

    Raises:
        ValueError: a token that occurs twice or is special.
    """

    def __init__(self, tokens: Iterable[str]) -> None:
        self.tokens = (*SPECIAL, *tokens)
        self.numbers = {token: number for number, token in enumerate(self.tokens)}
        if len(self.numbers) < len(self.tokens):
            repeated, _ = Counter(self.tokens).most_common(1)[0]
            raise ValueError(f"tokens must differ from each other and from {SPECIAL}, got {repeated!r} twice")

    @classmethod
    def build(cls, texts: Iterable[Iterable[str]], *, minimum: int = 1) -> Vocabulary:
        """Collect the tokens of texts, in alphabetical order. Build it on the training part alone.

        Args:
            texts: strings (their characters are the tokens) or sequences of words.
            minimum: tokens that occur less often are left out and read as <unk>, which a model can only learn
                to read if the training texts hold some: take 2 where test texts bring new words.
        """
        counts = Counter(token for text in texts for token in text)
        return cls(sorted(token for token, count in counts.items() if count >= minimum))

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: str) -> bool:
        return token in self.numbers

    def encode(self, text: Iterable[str], *, bos: bool = False, eos: bool = False) -> list[int]:
        """Return the number of each token, <unk>'s for a stranger; with `bos` and `eos` at the ends if asked."""
        numbers = [self.numbers.get(token, UNK) for token in text]
        return [BOS] * bos + numbers + [EOS] * eos

    def decode(self, numbers: Iterable[int] | Tensor) -> list[str]:
        """Return the tokens up to the first <eos>, without it, and without padding and <bos>.

        Args:
            numbers: of one sequence, (T,); "".join the result for characters.

        Raises:
            ValueError: a number outside 0..V-1.
        """
        tokens = []
        for number in numbers.tolist() if isinstance(numbers, Tensor) else numbers:
            if not 0 <= number < len(self.tokens):
                raise ValueError(f"numbers must be in 0..V-1={len(self.tokens) - 1}, got {number}")
            if number == EOS:
                break
            if number not in (PAD, BOS):
                tokens.append(self.tokens[number])
        return tokens

    def batch(
        self, texts: Sequence[Iterable[str]], *, bos: bool = False, eos: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Return (ids (B, T), lengths (B,)) int64 for B texts; as `encode` and `pad`."""
        return pad([self.encode(text, bos=bos, eos=eos) for text in texts])


def pad(rows: Sequence[Sequence[int]], value: int = PAD) -> tuple[Tensor, Tensor]:
    """Set rows of unequal length side by side, filled up at the end.

    Args:
        rows: B of them, each with at least one number.
        value: what fills; -100 is what PyTorch's cross-entropy passes over.

    Returns:
        ids: (B, T) int64, T the longest row.
        lengths: (B,) int64.

    Raises:
        ValueError: no rows, or an empty one.
    """
    if not rows:
        raise ValueError("rows must hold at least one row, got none")
    lengths = torch.tensor([len(row) for row in rows])
    if not lengths.all():
        raise ValueError(f"rows must not be empty, got an empty one at row {int(lengths.argmin())}")
    ids = torch.full((len(rows), int(lengths.max())), value)  # (B, T)
    for line, row in zip(ids, rows, strict=True):
        line[: len(row)] = torch.tensor(row)
    return ids, lengths
