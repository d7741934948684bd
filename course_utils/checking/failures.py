"""What a check may end in. Every failure carries a sentence for the student and, rendered in a notebook, nothing else."""

import textwrap
import traceback
from types import TracebackType


class CheckFailed(Exception):
    """A check did not pass; the message says what to look at.

    Attributes:
        earned, total: points of the parts that passed and of all parts, where the test cell has parts.
        broken: tracebacks of parts in which the check itself stumbled.
        noted: what of the parts that failed an instructor may want to look at.
    """

    earned: float = 0.0
    total: float = 0.0
    broken: tuple[str, ...] = ()
    noted: tuple[str, ...] = ()

    def _render_traceback_(self) -> list[str]:
        """What IPython prints instead of a traceback: the message, and where in the student's own code it began."""
        return [*wrapped(f"✗ {self}"), *own_frames(self.__cause__)]


class CheckBroken(CheckFailed):
    """The check itself stumbled over what came back. The student reads a neutral sentence; `detail` is for the instructor."""

    def __init__(self, error: Exception):
        self.detail = "".join(traceback.format_exception(error))[-1500:]
        kind = type(error).__name__
        super().__init__(
            f"the check could not make sense of what your code gave back ({kind}); look at its type and shape"
        )


class NotAnswered(CheckFailed, NotImplementedError):
    """Nothing to check yet: the stub still stands."""

    def _render_traceback_(self) -> list[str]:
        return [f"NotImplementedError: {self}"]


NotAnswered.__name__ = (
    "NotImplementedError"  # the name that students know from their stubs is the one that notebooks show
)


class StudentError(CheckFailed):
    """Student code raised.

    Args:
        kinds: names of the exception's class and its bases, most special first.
        message: what it said (at most 300 characters).
        where: function and line of the student's code, or "".
    """

    def __init__(self, kinds: list[str], message: str, where: str = ""):
        self.kinds, self.message = kinds, message
        place = f" (in {where})" if where else ""
        super().__init__(f"your code raised {kinds[0]}: {message}{place}")


class Lacking(StudentError, AttributeError, TypeError):
    """An object of the submission lacks an attribute or a length that the check, or Python itself, asked for."""


class Forbidden(CheckFailed):
    """The answer uses what the exercise asks to write."""


class StudentTimeout(CheckFailed):
    """Student code did not come back in time."""


class StudentCrash(CheckFailed):
    """The student's kernel died while it ran student code."""


class StudentGarbled(CheckFailed):
    """What came back is too large or cannot be read."""


def wrapped(text: str, width: int = 100) -> list[str]:
    """Lines of at most `width` characters; what continues a line is indented."""
    lines = text.split("\n")
    return [
        part
        for line in lines
        for part in (textwrap.wrap(line, width, subsequent_indent="    ", break_on_hyphens=False) or [line])
    ]


def own_frames(error: BaseException | None, most: int = 4) -> list[str]:
    """The frames of `error` that lie in notebook cells, innermost last, as lines of text."""
    if error is None:
        return []
    trace: TracebackType | None = error.__traceback__
    frames = [
        f for f in traceback.extract_tb(trace) if "ipykernel_" in f.filename or f.filename.startswith("<")
    ]
    frames = [f for f in frames if "importlib" not in f.filename][-most:]
    if not frames:
        return []
    lines = ["", "It began in your code:"]
    lines += [f"    {f.name}, line {f.lineno}: {f.line}" for f in frames]
    lines.append(f"    {type(error).__name__}: {str(error)[:300]}")
    return lines
