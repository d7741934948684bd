"""Expectations: compare what came with what should have come, and when it differs, name the likely misconception.

`suspects` maps a sentence about a mistake to what that mistake would give. If the student's value matches one of them (and not
the right one), that sentence is the message. This is how a check can say "the bias is added after the tanh".
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from numbers import Number
from typing import Any

import numpy as np
import torch

from course_utils.checking.failures import CheckFailed, NotAnswered, StudentError
from course_utils.checking.handles import Handle

Suspects = Mapping[str, Any]


def as_array(value: Any, what: str) -> np.ndarray:
    """`value` (number, nested list, NumPy array, tensor) as a NumPy array of numbers.

    Raises:
        CheckFailed: it is no array of numbers; the message names what it is.
    """
    if isinstance(value, torch.Tensor):
        detached = value.detach()
        return detached.double().numpy() if detached.dtype is torch.bfloat16 else detached.numpy()
    if isinstance(value, Handle) or value is None or isinstance(value, str | dict | set):
        raise CheckFailed(f"{what}: expected numbers, got {describe(value)}")
    try:
        array = np.asarray(
            [as_array(item, what) for item in value] if isinstance(value, list | tuple) else value
        )
    except ValueError:
        raise CheckFailed(f"{what}: the rows have different shapes, so they are no array") from None
    if array.dtype.kind not in "buifc":
        raise CheckFailed(f"{what}: expected numbers, got an array of {array.dtype}")
    return array


def describe(value: Any) -> str:
    """A short description of a value for a message."""
    if value is None:
        return "None (is a `return` missing?)"
    if isinstance(value, Handle):
        return f"an object of type {value._type}"
    if isinstance(value, torch.Tensor):
        return f"a tensor of shape {tuple(value.shape)} and dtype {str(value.dtype).removeprefix('torch.')}"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    if isinstance(value, str):
        return f"the text {value[:60]!r}"
    if isinstance(value, list | tuple | dict | set):
        return f"a {type(value).__name__} of {len(value)}"
    return repr(value)[:60]


def expect(condition: Any, message: str) -> None:
    """Fail with `message` unless `condition` holds."""
    if not bool(condition):
        raise CheckFailed(message)


def expect_shape(
    value: Any, shape: Sequence[int], what: str, suspects: Mapping[str, Sequence[int]] | None = None
) -> None:
    """The value is an array or tensor of this shape. `suspects` maps a sentence to the shape that mistake gives."""
    got = as_array(value, what).shape
    if got == tuple(shape):
        return
    for sentence, wrong in (suspects or {}).items():
        if got == tuple(wrong):
            raise CheckFailed(f"{what}: {sentence} (shape {got}, expected {tuple(shape)})")
    raise CheckFailed(f"{what}: shape {got}, expected {tuple(shape)}")


def expect_close(
    value: Any,
    expected: Any,
    what: str,
    suspects: Suspects | None = None,
    rtol: float = 1e-5,
    atol: float = 1e-6,
    reveal: bool = False,
) -> None:
    """The value has the expected shape and every entry lies within `atol + rtol * |expected|` of it.

    Args:
        value, expected: numbers, nested lists, arrays or tensors; any dtype, any of the kinds against any other.
        what: names the value in the message.
        suspects: sentence → value that this mistake would give (or a function that computes it).
        reveal: show both values in the message. For visible checks only.
    """
    got, want = as_array(value, what), as_array(expected, "expected")
    if _matches(got, want, rtol, atol):
        return
    for sentence, wrong in (suspects or {}).items():
        alternative = as_array(wrong() if callable(wrong) else wrong, "suspect")
        if _matches(got, alternative, rtol, atol) and not _matches(alternative, want, rtol, atol):
            raise CheckFailed(f"{what}: {sentence}")
    if got.shape != want.shape:
        raise CheckFailed(f"{what}: shape {got.shape}, expected {want.shape}")
    if not np.isfinite(got).all() and np.isfinite(want).all():
        raise CheckFailed(f"{what}: contains {'nan' if np.isnan(got).any() else 'infinity'}")
    if reveal:
        shown = [array if array.dtype == bool else np.round(array, 4) for array in (want, got)]
        raise CheckFailed(f"{what}: expected\n{shown[0]}\nbut got\n{shown[1]}")
    off = np.abs(got.astype(complex) - want.astype(complex))
    wrong_entries = off > atol + rtol * np.abs(want)
    share = f"{int(wrong_entries.sum())} of {off.size} entries" if off.size > 1 else "it"
    verb = "differ" if off.size > 1 else "differs"
    raise CheckFailed(f"{what}: {share} {verb} from the right value (largest difference {off.max():.3g})")


def _matches(got: np.ndarray, want: np.ndarray, rtol: float, atol: float) -> bool:
    if got.shape != want.shape:
        return False
    if got.dtype.kind == "b" or want.dtype.kind == "b":
        got, want = got.astype(float), want.astype(float)
    return bool(np.allclose(got, want, rtol=rtol, atol=atol))


def expect_raises(
    kind: type[Exception], call: Callable[[], Any], what: str, mentions: str | None = None
) -> None:
    """`call()` raises `kind` in student code. `mentions` is a word that its message must hold, such as the argument's name."""
    try:
        call()
    except NotAnswered:
        raise
    except StudentError as error:
        if kind.__name__ not in error.kinds:
            raise CheckFailed(
                f"{what} should raise {kind.__name__}, but raised {error.kinds[0]}: {error.message}"
            ) from None
        if mentions and mentions.lower() not in error.message.lower():
            raise CheckFailed(f"{what}: the error's message should name `{mentions}`") from None
        return
    raise CheckFailed(f"{what} should raise {kind.__name__}, but nothing was raised")


# Theory ----------------------------------------------------------------------------------------------------------------


def expect_number(
    value: Any,
    expected: float,
    what: str,
    suspects: Mapping[str, float] | None = None,
    rtol: float = 1e-3,
    atol: float = 1e-9,
) -> None:
    """A number within `atol + rtol * |expected|`. Python, NumPy and torch scalars are numbers; text is not."""
    number = number_of(value, what)
    if math.isclose(number, expected, rel_tol=rtol, abs_tol=atol):
        return
    for sentence, wrong in (suspects or {}).items():
        if math.isclose(number, wrong, rel_tol=rtol, abs_tol=atol):
            raise CheckFailed(f"{what}: {sentence}")
    raise CheckFailed(f"{what}: {number:g} is not it; work through it once more")


def number_of(value: Any, what: str) -> float:
    """`value` as a float.

    Raises:
        CheckFailed: it is text, a truth value, a collection of several, or not a finite number.
    """
    if isinstance(value, np.generic | np.ndarray | torch.Tensor) and math.prod(value.shape) == 1:
        value = value.item()
    if isinstance(value, str):
        raise CheckFailed(f"{what}: expected a number, got the text {value[:40]!r}; write it without quotes")
    if isinstance(value, bool) or not isinstance(value, Number) or isinstance(value, complex):
        raise CheckFailed(f"{what}: expected a number, got {describe(value)}")
    try:
        number = float(value)  # type: ignore[arg-type]
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise CheckFailed(f"{what}: expected a finite number, got {describe(value)}")
    return number


def expect_choice(
    value: Any,
    expected: str | Iterable[str],
    options: Sequence[str],
    what: str,
    suspects: Mapping[str, str] | None = None,
) -> None:
    """One of `options`, or several as a set or list, compared without case, spaces, hyphens and a trailing `)` or `.`.

    Args:
        expected: the right option; a set of options where several are right together.
        suspects: wrong option → sentence that says what speaks against it.
    """
    several = not isinstance(expected, str)
    chosen = chosen_of(value, options, what, several)
    right = {normal(item) for item in ([expected] if isinstance(expected, str) else expected)}
    if chosen == right:
        return
    for option, sentence in (suspects or {}).items():
        if normal(option) in chosen - right:
            raise CheckFailed(f"{what}: {sentence}")
    if several and chosen < right:
        raise CheckFailed(f"{what}: what you chose is right, but something is missing")
    raise CheckFailed(f"{what}: not this one; read the question once more")


def chosen_of(value: Any, options: Sequence[str], what: str, several: bool = False) -> set[str]:
    """The chosen option or options, normalized; fails with the list of options if it is none of them."""
    if isinstance(value, str) and several:
        value = (
            re.split(r"[,;]\s*|\s+and\s+", value) if normal(value) not in map(normal, options) else [value]
        )
    items = [value] if not several else value
    scalar = isinstance(items, torch.Tensor | np.ndarray) and items.ndim == 0
    if scalar or isinstance(items, Handle | Number) or not isinstance(items, Iterable):
        raise CheckFailed(f"{what}: expected one of {', '.join(options)}; got {describe(value)}")
    known = {normal(option) for option in options}
    one = "some, separated by commas," if several else "one"
    chosen = set()
    for item in items:
        if not isinstance(item, str) or normal(item) not in known:
            raise CheckFailed(
                f"{what}: expected {one} of {', '.join(map(repr, options))}; got {describe(item)}"
            )
        chosen.add(normal(item))
    return chosen


def normal(text: str) -> str:
    """Text without case, punctuation at the ends, and differences of hyphens and spaces."""
    return re.sub(r"[\s\-_‐-―]+", " ", text.casefold()).strip(" .,;:!?()'\"`")


def expect_text(
    value: Any,
    accepted: Sequence[str],
    what: str,
    suspects: Mapping[str, str] | None = None,
    most_words: int = 12,
) -> None:
    """A short text that matches one of the `accepted` patterns (regular expressions, searched in the normalized text).

    Args:
        suspects: pattern → sentence; looked at first, so a wrong text that also holds a right word is still named.
        most_words: a longer answer is refused, so that a list of guesses does not pass.
    """
    if not isinstance(value, str):
        raise CheckFailed(f"{what}: expected text in quotes, got {describe(value)}")
    text = normal(value)
    if not text:
        raise NotAnswered(f"{what}: not answered yet")
    if len(text.split()) > most_words:
        raise CheckFailed(f"{what}: use at most {most_words} words")
    for pattern, sentence in (suspects or {}).items():
        if re.search(pattern, text):
            raise CheckFailed(f"{what}: {sentence}")
    if not any(re.search(pattern, text) for pattern in accepted):
        raise CheckFailed(f"{what}: {value[:60]!r} is not it")
