"""`checking`: one test cell, its parts and its points; and the scoreboard at a notebook's end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from course_utils.checking.failures import (
    CheckBroken,
    CheckFailed,
    Forbidden,
    NotAnswered,
    StudentGarbled,
    StudentTimeout,
    own_frames,
    wrapped,
)

NOTED = (Forbidden, StudentTimeout, StudentGarbled)  # failures that an instructor is told of


@dataclass
class Part:
    """One aspect of an exercise: what it checks, its points and how it ended (None: passed)."""

    label: str
    points: float
    failure: CheckFailed | None = None


@dataclass
class checking:
    """Run a test cell's parts one after the other; fail at the end if any failed.

    A part that fails does not stop the next. Where some hold, the failure carries the points they earned.

    Args:
        name: the question, as the scoreboard shows it.
    """

    name: str
    parts: list[Part] = field(default_factory=list)

    def __enter__(self) -> checking:
        scoreboard.results[self.name] = self
        return self

    @contextmanager
    def part(self, label: str, points: float = 0) -> Iterator[None]:
        """One aspect. `points` is what it is worth (0 for a visible check that only explains)."""
        part = Part(label, points)
        self.parts.append(part)
        try:
            yield
        except CheckFailed as failure:
            part.failure = failure
        except Exception as error:  # the check met a value that it did not expect; the other parts go on
            part.failure = CheckBroken(error)

    @property
    def failed(self) -> list[Part]:
        return [part for part in self.parts if part.failure is not None]

    @property
    def total(self) -> float:
        return sum(part.points for part in self.parts)

    @property
    def earned(self) -> float:
        return sum(part.points for part in self.parts if part.failure is None)

    def summary(self) -> str:
        """One line a part: ✓ or ✗, its label, and why it failed."""
        lines = []
        for part in self.parts:
            points = f" [{part.points:g}]" if part.points else ""
            lines.append(
                f"✗ {part.label}{points}: {part.failure}" if part.failure else f"✓ {part.label}{points}"
            )
        return "\n".join(lines)

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None:
            if isinstance(error, CheckFailed):
                self.parts.append(Part("before the first part", 0, error))
            return
        if not self.failed:
            print(self.summary())
            return
        failures = [part.failure for part in self.failed]
        if len(failures) == len(self.parts) and all(isinstance(f, NotAnswered) for f in failures):
            verdict: CheckFailed = NotAnswered(str(failures[0]))
        else:
            verdict = _Parts(self.summary())
        verdict.earned, verdict.total = self.earned, self.total
        verdict.broken = tuple(failure.detail for failure in failures if isinstance(failure, CheckBroken))
        verdict.noted = tuple(
            dict.fromkeys(str(failure) for failure in failures if isinstance(failure, NOTED))
        )
        raise verdict from next((f.__cause__ for f in failures if f is not None and f.__cause__), None)


class _Parts(CheckFailed):
    """Several parts of one test cell, some of which failed; the message is the summary."""

    def _render_traceback_(self) -> list[str]:
        return [*wrapped(str(self)), *own_frames(self.__cause__)]


class Scoreboard:
    """Which of a notebook's visible checks pass. Displayed by its last cell."""

    def __init__(self) -> None:
        self.results: dict[str, checking] = {}

    def rows(self, titles: Mapping[str, str]) -> list[tuple[str, str]]:
        """Title and state of each question; `titles` maps its name in `checking` to its title."""
        return [(title, self._state(name)) for name, title in titles.items()]

    def _state(self, name: str) -> str:
        result = self.results.get(name)
        if result is None:
            return "not run"
        if not result.failed:
            return f"✓ {len(result.parts)} of {len(result.parts)}"
        if len(result.failed) == len(result.parts) and all(
            isinstance(part.failure, NotAnswered) for part in result.failed
        ):
            return "… not answered"
        return f"✗ {len(result.parts) - len(result.failed)} of {len(result.parts)}"

    def show(self, titles: Mapping[str, str]) -> Any:
        """A table of the questions, as markdown in a notebook and as text elsewhere."""
        return _Table(self.rows(titles))


class _Table:
    def __init__(self, rows: list[tuple[str, str]]):
        self.rows = rows

    def __repr__(self) -> str:
        width = max((len(name) for name, _ in self.rows), default=0)
        lines = [f"{name:<{width}}  {state}" for name, state in self.rows]
        done = sum(state.startswith("✓") for _, state in self.rows)
        return "\n".join([*lines, "", f"visible checks that pass: {done} of {len(self.rows)}"])

    def _repr_markdown_(self) -> str:
        done = sum(state.startswith("✓") for _, state in self.rows)
        lines = ["| question | visible checks |", "|---|---|"]
        lines += [f"| {name} | {state} |" for name, state in self.rows]
        note = "Written answers are marked by hand."
        return "\n".join(
            [*lines, "", f"**{done} of {len(self.rows)}** questions pass every visible check. {note}"]
        )


scoreboard = Scoreboard()
