"""What several families ask of their arguments, in one wording: sizes, and what a recurrent layer is called with."""

from __future__ import annotations

from torch import Tensor

from course_utils.models.sequences import check_lengths, zero_padding


def require(condition: bool, message: str) -> None:
    """Raise ValueError(message) unless the condition holds."""
    if not condition:
        raise ValueError(message)


def check_sizes(**sizes: int | None) -> None:
    """Raise ValueError for the first size, by its name, that is below 1; None is no size and passes."""
    for name, size in sizes.items():
        require(size is None or size >= 1, f"{name} must be at least 1, got {size}")


def check_layer_call(
    x: Tensor, state: Tensor | None, lengths: Tensor | None, input_size: int, hidden_size: int
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return what a layer with one state was called with, after a check.

    Args:
        x: (B, T, I), T at least 1.
        state: h_0 (B, H), or None for zeros.
        lengths: (B,) real steps of each sequence, 1..T, or None when all T are.
        input_size, hidden_size: I and H.

    Returns:
        x with zeros at padding, h_0 (B, H) in x's dtype where none was given, and lengths as int64.

    Raises:
        ValueError: another shape, or a length outside 1..T.
    """
    fits = x.dim() == 3 and x.shape[1] >= 1 and x.shape[2] == input_size
    require(fits, f"x must be (B, T>=1, I={input_size}), got {tuple(x.shape)}")
    h = x.new_zeros(len(x), hidden_size) if state is None else state
    shape = (len(x), hidden_size)
    require(tuple(h.shape) == shape, f"state must be (B, H)={shape}, got {tuple(h.shape)}")
    if lengths is not None:
        lengths = check_lengths(lengths, *x.shape[:2])
        x = zero_padding(x, lengths)
    return x, h, lengths
