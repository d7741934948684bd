"""The test's half of the seam: `student`, through which a check reaches the student's work.

Behind `student` stands a `Link`: `InProcess` in a notebook, a sandboxed kernel when grading. Both carry the same messages.
See docs/seam.md for what a test may do and what each failure gives.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from course_utils.checking.cells import cells_run
from course_utils.checking.codec import Garbled, decode, encode
from course_utils.checking.failures import (
    CheckFailed,
    Forbidden,
    Lacking,
    NotAnswered,
    StudentCrash,
    StudentError,
    StudentGarbled,
    StudentTimeout,
)
from course_utils.checking.records import records
from course_utils.checking.servant import Servant

DEFAULT_SECONDS = 10.0


class Link(Protocol):
    """Carries requests to where student code runs."""

    def ask(self, request: dict, call_back: Callable[[dict], dict], seconds: float) -> dict:
        """Send one request and return the answer; serve callbacks until it comes.

        An answer is `{"ok": data}`, `{"stop": True}`, `{"missing": name}`, `{"unreadable": why}`, `{"raised": {...}}`,
        `{"timeout": seconds}`, `{"crashed": why}` or `{"interrupted": True}`.
        """

    def cells(self) -> list[str]:
        """The text of the student's code cells, in order."""

    def recorded(self, name: str) -> Any:
        """The rows that the notebook recorded under `name` (see `record`), or None."""

    def cause(self) -> BaseException | None:
        """The exception behind the last `raised`, where it lies in this process."""


class InProcess:
    """Student code in this very process: a notebook that runs its own checks, or the bank's quick check."""

    def __init__(self, namespace: dict[str, Any] | None = None, cells: list[str] | None = None):
        self._namespace, self._cells = namespace, cells
        self._call_back: Callable[[dict], dict] = lambda message: {"failed": "no check is running"}
        self._servant: Servant | None = None

    @property
    def servant(self) -> Servant:
        if self._servant is None:
            namespace = self._namespace if self._namespace is not None else _notebook_namespace()
            self._servant = Servant(namespace, lambda message: self._call_back(message))
        return self._servant

    def ask(self, request: dict, call_back: Callable[[dict], dict], seconds: float) -> dict:
        before, self._call_back = self._call_back, call_back
        try:
            with warnings.catch_warnings():  # a line on stderr would cost the whole cell its points
                warnings.simplefilter("ignore")
                return self.servant.handle(request)
        finally:
            self._call_back = before

    def cells(self) -> list[str]:
        if self._cells is not None:
            return self._cells
        return cells_run(self.servant.namespace.get("In"))

    def recorded(self, name: str) -> Any:
        return records.get(name)

    def cause(self) -> BaseException | None:
        return self.servant.error


def _notebook_namespace() -> dict[str, Any]:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell.user_ns if shell is not None else sys.modules["__main__"].__dict__


class _Session:
    """The link in use and the settings of the check that runs."""

    def __init__(self) -> None:
        self.link: Link = InProcess()
        self.seconds = DEFAULT_SECONDS
        self.without: list[str] = []
        self.callbacks: list[Callable] = []
        self.callback_error: BaseException | None = None
        self.in_callback = False
        self.functions: dict[str, Handle] | None = None  # those met so far, where nobody can define them anew

    def ask(self, op: str, **fields: Any) -> Any:
        """One request; returns the decoded value or raises what the failure means."""
        answer = self.answer(op, **fields)
        if "ok" in answer:
            try:
                return decode(answer["ok"], self.resolve)
            except Garbled as error:
                raise StudentGarbled(f"your code returned something that cannot be read: {error}") from None
        if "stop" in answer:
            raise StopIteration
        if "missing" in answer:
            name = str(answer["missing"])[:80]
            raise NotAnswered(f"`{name}` is not defined yet: run the cell that defines it")
        if "raised" in answer:
            raise self._raised(answer["raised"], op)
        if "timeout" in answer:
            raise StudentTimeout(f"your code did not finish within {answer['timeout']:g} s of computing")
        if "crashed" in answer:
            raise StudentCrash(f"the kernel died during this call ({str(answer['crashed'])[:200]})")
        if "interrupted" in answer:
            raise StudentTimeout("your code was interrupted")
        why = str(answer.get("unreadable", "not an answer"))[:200]
        raise StudentGarbled(f"your code returned something that cannot be passed on: {why}")

    def answer(self, op: str, **fields: Any) -> dict:
        if self.in_callback:  # the student's side waits for the callback and can answer nothing else
            raise CheckFailed(
                "your code passed an object where the function it was given expects plain values"
            )
        self.callback_error = None
        request = {"op": op, "without": self.without, **fields}
        answer = self.link.ask(request, self._serve_callback, self.seconds)
        if self.functions and not (isinstance(answer, dict) and answer.keys() & {"ok", "stop", "raised"}):
            self.functions.clear()  # the kernel may be another one by now
        if self.callback_error is not None:
            raise self.callback_error
        if not isinstance(answer, dict):
            return {"unreadable": "not an answer"}
        return answer

    def _raised(self, raised: Any, op: str) -> Exception:
        try:
            kinds = [str(kind)[:80] for kind in raised["kinds"]][:20] or ["Exception"]
            message, where = str(raised["message"])[:300], str(raised["where"])[:120]
        except (TypeError, KeyError):
            return StudentGarbled("your code raised something that cannot be read")
        error: CheckFailed
        if "NotImplementedError" in kinds:
            error = NotAnswered(message or "not implemented yet")
        elif "Refused" in kinds:
            error = Forbidden(message)
        elif (op, kinds[0]) in (("attribute", "AttributeError"), ("length", "TypeError")):
            error = Lacking(kinds, message, where)
        else:
            error = StudentError(kinds, message, where)
        error.__cause__ = self.link.cause()
        return error

    def pack(self, value: Any) -> Any:
        return encode(value, self._refer)

    def _refer(self, obj: Any) -> dict:
        if isinstance(obj, Handle):
            return {"t": "ref", "id": obj._id}
        if callable(obj):
            self.callbacks.append(obj)
            return {"t": "callback", "id": len(self.callbacks) - 1}
        raise TypeError(
            f"a test passed a {type(obj).__name__}, which is no plain value; build it with student.build(...) instead"
        )

    def resolve(self, data: dict) -> Handle:
        try:
            return Handle(
                self, int(data["id"]), str(data["type"])[:80], bool(data["callable"]), bool(data["iterable"])
            )
        except (KeyError, TypeError, ValueError, OverflowError):
            raise Garbled("a reference that is none") from None

    def _serve_callback(self, message: dict) -> dict:
        try:
            function = self.callbacks[message["id"]]
            args, kwargs = decode(message["args"], self.resolve), decode(message["kwargs"], self.resolve)
            self.in_callback = True
            return {"ok": self.pack(function(*args, **kwargs))}
        except CheckFailed as error:
            self.callback_error = error
            return {"failed": "the check ended inside the function it passed in"}
        except Exception as error:
            return {"failed": f"{type(error).__name__}: {str(error)[:200]}"}
        finally:
            self.in_callback = False


class Handle:
    """Something that stays on the student's side: a function, a class, a module, a generator, any object.

    Calls, attributes, items, iteration and `len` go to the student's side. A handle is no value: comparing or converting it
    fails with a message that names its type.
    """

    __slots__ = ("_callable", "_id", "_iterable", "_session", "_type")

    def __init__(self, session: _Session, number: int, type_name: str, is_callable: bool, is_iterable: bool):
        self._session, self._id, self._type = session, number, type_name
        self._callable, self._iterable = is_callable, is_iterable

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        session = self._session
        return session.ask("call", ref=self._id, args=session.pack(args), kwargs=session.pack(kwargs))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return self._session.ask("attribute", ref=self._id, name=name)

    def __getitem__(self, key: Any) -> Any:
        return self._session.ask("item", ref=self._id, key=self._session.pack(key))

    def __len__(self) -> int:
        return int(self._session.ask("length", ref=self._id))

    def __iter__(self) -> Iterator[Any]:
        return self if self._iterable else self._session.ask("iterate", ref=self._id)

    def __next__(self) -> Any:
        return self._session.ask("next", ref=self._id)

    def __repr__(self) -> str:
        return f"<{self._type} object of the submission>"

    def _no_value(self, *_: Any, **__: Any) -> Any:
        article = "an" if self._type[:1].lower() in "aeiou" else "a"
        raise CheckFailed(
            f"expected plain data (numbers, an array or a tensor), got {article} {self._type} object"
        )

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _no_value
    __bool__ = __float__ = __int__ = __index__ = __array__ = _no_value
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __neg__ = __abs__ = _no_value
    __hash__ = object.__hash__


@dataclass
class Gradients:
    """What `student.backward` gives.

    Attributes:
        output: what the function returned.
        inputs: gradient of each floating tensor among the arguments, in order; None where it does not matter to the output.
        parameters: gradient of each parameter of the module, by name; None likewise.
    """

    output: Any
    inputs: list[torch.Tensor | None]
    parameters: dict[str, torch.Tensor | None]


class Student:
    """The student's notebook, as a test sees it. `student.name` is a global of theirs: a plain value or a `Handle`."""

    def __init__(self, session: _Session):
        self._session = session

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        functions = self._session.functions
        if functions and name in functions:
            return functions[name]
        value = self._session.ask("get", name=name)
        if value is ... or value is None:
            raise NotAnswered(f"`{name}` is not answered yet: put your answer where the dots are")
        if functions is not None and isinstance(value, Handle) and value._type in ("function", "type"):
            functions[name] = value
        return value

    def has(self, name: str) -> bool:
        """Whether the notebook defines `name`."""
        return "missing" not in self._session.answer("get", name=name)

    def seed(self, seed: int) -> None:
        """Seed Python's, NumPy's and torch's generators on the student's side."""
        self._session.ask("seed", seed=seed)

    def share(self, value: Any, grad: torch.Tensor | None = None) -> Handle:
        """Put a copy of `value` on the student's side and keep a handle to it; with `grad`, a leaf that has this gradient."""
        session = self._session
        return session.ask("share", value=session.pack(value), grad=session.pack(grad))

    def value(self, handle: Handle) -> Any:
        """The present value of something shared."""
        return self._session.ask("value", ref=handle._id)

    def build(self, path: str, *args: Any, **kwargs: Any) -> Handle:
        """Build a library object on the student's side, for example `student.build("torch.nn.Linear", 3, 2)`."""
        session = self._session
        return session.ask("build", path=path, args=session.pack(args), kwargs=session.pack(kwargs))

    def assign(self, handle: Handle, name: str, value: Any) -> None:
        """Set an attribute of an object of theirs."""
        self._session.ask("assign", ref=handle._id, name=name, value=self._session.pack(value))

    def backward(
        self, target: Handle, *args: Any, weights: Any = None, of: Handle | None = None, **kwargs: Any
    ) -> Gradients:
        """Call `target` and differentiate Σ weights · output by autograd, on the student's side.

        Args:
            target: function or module. Floating tensors among the arguments become leaves that want a gradient.
            weights: one tensor per floating tensor in the output, shaped like it; ones if None.
            of: the module whose parameters' gradients are wanted, if it is not `target`.
        """
        session = self._session
        reply = session.ask(
            "backward",
            ref=target._id,
            args=session.pack(args),
            kwargs=session.pack(kwargs),
            weights=session.pack(weights),
            of=None if of is None else of._id,
        )
        try:
            return Gradients(reply["output"], list(reply["inputs"]), dict(reply["parameters"]))
        except (TypeError, KeyError, ValueError):
            raise StudentGarbled("your code returned something that cannot be read as gradients") from None

    @contextmanager
    def without(self, *families: str) -> Iterator[None]:
        """Inside the block the library's version (`"rnn"`, `"one_hot"`, `"clip"`, …) refuses to run in student code."""
        before, self._session.without = self._session.without, [*self._session.without, *families]
        try:
            yield
        finally:
            self._session.without = before

    @contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """Change the CPU seconds that one call may take."""
        before, self._session.seconds = self._session.seconds, seconds
        try:
            yield
        finally:
            self._session.seconds = before

    def cells(self) -> list[str]:
        """The text of the student's code cells, in order."""
        return self._session.link.cells()

    def recorded(self, name: str) -> list[dict[str, Any]]:
        """The rows that the notebook recorded under `name` when its experiment last ran.

        Raises:
            NotAnswered: nothing is recorded under that name.
            StudentGarbled: what is recorded is no list of rows.
        """
        rows = self._session.link.recorded(name)
        if rows is None:
            raise NotAnswered(
                f"no results are recorded as `{name}`: run the experiment that records them, then save"
            )
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise StudentGarbled(f"the results recorded as `{name}` are no table of rows")
        return rows


_session = _Session()
student = Student(_session)


@contextmanager
def using(link: Link) -> Iterator[None]:
    """Let `student` speak through `link` inside the block. No cell is run meanwhile, so functions are looked up once."""
    before = (_session.link, _session.callbacks, _session.seconds, _session.without, _session.functions)
    _session.link, _session.callbacks, _session.seconds, _session.without = link, [], DEFAULT_SECONDS, []
    _session.functions = {}
    try:
        yield
    finally:
        _session.link, _session.callbacks, _session.seconds, _session.without, _session.functions = before
