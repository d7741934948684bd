"""From lists, NumPy arrays and torch tensors to NumPy arrays whose shapes have been looked at."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

Shape = tuple[int | str, ...]


def as_array(name: str, values: ArrayLike | Tensor, shape: Shape | None = None) -> NDArray[Any]:
    """Return the values as an array of the shape asked for, without a gradient and on the CPU.

    Args:
        name: what the argument is called, for the message.
        values: a nested list, an array or a tensor.
        shape: the size of each axis: a number, or a letter that stands for any size of at least 1. None takes
            every shape with at least one entry.

    Raises:
        ValueError: rows of unequal length, another shape, or nothing inside.
    """
    if isinstance(values, Tensor):
        values = values.detach().cpu()
        values = (values.double() if values.is_floating_point() else values).numpy()
    try:
        array = np.asarray(values)
    except ValueError:
        raise ValueError(f"{name} must have rows of one length") from None
    if shape is None:
        shape = ("N",) * array.ndim
    fits = len(shape) == array.ndim and array.size > 0
    if not fits or any(isinstance(n, int) and n != m for n, m in zip(shape, array.shape, strict=True)):
        wanted = ", ".join(f"{n}>=1" if isinstance(n, str) else str(n) for n in shape)
        raise ValueError(f"{name} must be ({wanted}{',' * (len(shape) == 1)}), got {array.shape}")
    return array


def as_floats(name: str, values: ArrayLike | Tensor, shape: Shape | None = None) -> NDArray[np.float64]:
    """As `as_array`, in float64.

    Raises:
        ValueError: another shape, or an entry that is not a finite number.
    """
    array = as_array(name, values, shape)
    if array.dtype.kind == "O" and all(isinstance(entry, Real) for entry in array.flat):
        array = array.astype(np.float64)  # fractions, as in the durations of notes
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name} must hold real numbers, got {array.dtype}")
    wrong = np.argwhere(~np.isfinite(array))
    if len(wrong):
        place = tuple(int(i) for i in wrong[0])
        raise ValueError(f"{name} must be finite, got {array[place]} at {_place(place)}")
    return array.astype(np.float64)


def as_flags(name: str, values: ArrayLike | Tensor, shape: Shape | None = None) -> NDArray[np.bool_]:
    """As `as_array`, bool.

    Raises:
        ValueError: another shape, or an entry that is neither True, False, 0 nor 1.
    """
    array = as_array(name, values, shape)
    wrong = np.argwhere((array != 0) & (array != 1))
    if len(wrong):
        place = tuple(int(i) for i in wrong[0])
        raise ValueError(f"{name} must hold True and False or 1 and 0, got {array[place]} at {_place(place)}")
    return array.astype(bool)


def as_tokens(tokens: Any) -> Sequence[Hashable]:
    """Return a row of tokens with plain Python values: an entry of a tensor is equal to nothing as a dict's key."""
    return tokens.tolist() if hasattr(tokens, "tolist") else tokens


def _place(place: tuple[int, ...]) -> str:
    return f"position {place[0]}" if len(place) == 1 else f"position {place}"
