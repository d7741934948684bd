"""The student's half of the seam: looks names up, calls them, and answers with plain values.

It runs wherever the student's code runs: inside the sandboxed kernel when grading (`attend`), in the notebook itself otherwise.
It knows no test and no expected value, so a submission that rewrites it gains nothing.
"""

import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch

from course_utils.checking.codec import Garbled, decode, encode
from course_utils.checking.hush import hushed
from course_utils.checking.line import Line
from course_utils.checking.refuse import Refusal, refusing
from course_utils.checking.seeding import seed_all


class Servant:
    """Answers requests about one namespace.

    Args:
        namespace: the globals of the notebook.
        call_back: sends an encoded callback to the test and returns its encoded answer.
    """

    def __init__(self, namespace: dict[str, Any], call_back: Callable[[dict], dict]):
        self.namespace = namespace
        self.call_back = call_back
        self.refusing: Callable[[Sequence[str]], AbstractContextManager[None]] = refusing
        self.objects: list[Any] = []
        self.first = 0  # number of the first object; higher after a restart: an old reference finds nothing
        self.error: BaseException | None = None  # the last of the student's code, for in-process tracebacks

    def handle(self, request: dict) -> dict:
        """Carry out one request; every failure becomes an answer."""
        self.error = None
        try:
            with self.refusing(request.get("without", [])):
                return {"ok": getattr(self, "do_" + request["op"])(request)}
        except _Lost:
            return {"crashed": "an object that it used was lost when the kernel was started again"}
        except Garbled as error:
            return {"unreadable": str(error)}
        except _Missing as error:
            return {"missing": str(error)}
        except KeyboardInterrupt:
            return {"interrupted": True}
        except BaseException as error:
            if request["op"] == "next" and isinstance(error, StopIteration):
                return {"stop": True}
            self.error = error
            kinds = [kind.__name__ for kind in type(error).__mro__]
            return {"raised": {"kinds": kinds, "message": _message(error), "where": _where(error)}}

    # References --------------------------------------------------------------------------------------------------

    def refer(self, obj: Any) -> dict:
        number = next((n for n, known in enumerate(self.objects) if known is obj), len(self.objects))
        if number == len(self.objects):
            self.objects.append(obj)
        return {
            "t": "ref",
            "id": self.first + number,
            "type": type(obj).__name__[:80],
            "callable": callable(obj),
            "iterable": hasattr(obj, "__next__"),
        }

    def _object(self, number: int) -> Any:
        if not 0 <= number - self.first < len(self.objects):
            raise _Lost("no such object")
        return self.objects[number - self.first]

    def resolve(self, data: dict) -> Any:
        if data["t"] == "ref":
            return self._object(data["id"])
        number = data["id"]

        def callback(*args: Any, **kwargs: Any) -> Any:
            answer = self.call_back(
                {"id": number, "args": encode(args, self.refer), "kwargs": encode(kwargs, self.refer)}
            )
            if "failed" in answer:
                raise RuntimeError(answer["failed"])
            return decode(answer["ok"], self.resolve)

        return callback

    def _plain(self, value: Any) -> Any:
        return encode(value, self.refer)

    def _arguments(self, request: dict) -> tuple[tuple, dict]:
        return decode(request["args"], self.resolve), decode(request["kwargs"], self.resolve)

    # Requests ----------------------------------------------------------------------------------------------------

    def do_get(self, request: dict) -> Any:
        if request["name"] not in self.namespace:
            raise _Missing(request["name"])
        return self._plain(self.namespace[request["name"]])

    def do_call(self, request: dict) -> Any:
        target = self._object(request["ref"])
        args, kwargs = self._arguments(request)
        return self._plain(target(*args, **kwargs))

    def do_attribute(self, request: dict) -> Any:
        return self._plain(getattr(self._object(request["ref"]), request["name"]))

    def do_assign(self, request: dict) -> None:
        setattr(self._object(request["ref"]), request["name"], decode(request["value"], self.resolve))

    def do_item(self, request: dict) -> Any:
        return self._plain(self._object(request["ref"])[decode(request["key"], self.resolve)])

    def do_length(self, request: dict) -> int:
        return len(self._object(request["ref"]))

    def do_iterate(self, request: dict) -> Any:
        return self.refer(iter(self._object(request["ref"])))

    def do_next(self, request: dict) -> Any:
        return self._plain(next(self._object(request["ref"])))

    def do_value(self, request: dict) -> Any:
        return self._plain(self._object(request["ref"]))

    def do_share(self, request: dict) -> Any:
        value = decode(request["value"], self.resolve)
        grad = decode(request["grad"], self.resolve)
        if grad is not None:
            value = value.detach().requires_grad_()
            value.grad = grad.detach()
        return self.refer(value)

    def do_build(self, request: dict) -> Any:
        module, _, name = request["path"].rpartition(".")
        args, kwargs = self._arguments(request)
        return self.refer(getattr(__import__(module, fromlist=[name]), name)(*args, **kwargs))

    def do_seed(self, request: dict) -> None:
        seed_all(request["seed"])

    def do_backward(self, request: dict) -> Any:
        target = self._object(request["ref"])
        args, kwargs = self._arguments(request)
        weights = decode(request["weights"], self.resolve)
        module = self._object(request["of"]) if request.get("of") is not None else target
        named = dict(module.named_parameters()) if isinstance(module, torch.nn.Module) else {}
        saved = {name: parameter.grad for name, parameter in named.items()}
        for parameter in named.values():
            parameter.grad = None
        leaves: list[torch.Tensor] = []
        args = _leaves(args, leaves)
        kwargs = _leaves(kwargs, leaves)
        try:
            output = target(*args, **kwargs)
            outputs = [item for item in _flatten(output) if item.is_floating_point()]
            weights = [torch.ones_like(item) for item in outputs] if weights is None else _flatten(weights)
            if not any(item.requires_grad for item in outputs):
                raise RuntimeError("the output has no gradient: it was computed outside autograd or detached")
            total = sum((item * weight).sum() for item, weight in zip(outputs, weights, strict=False))
            total.backward()
            gradients = {name: parameter.grad for name, parameter in named.items()}
        finally:
            for name, parameter in named.items():
                parameter.grad = saved[name]
        inputs = [leaf.grad for leaf in leaves]
        return self._plain({"output": output, "inputs": inputs, "parameters": gradients})


class _Lost(Garbled):
    """A reference to an object of a kernel that is gone."""


class _Missing(Exception):
    """A name that the notebook does not define."""


def _message(error: BaseException) -> str:
    try:
        return str(error)[:300]
    except Exception:
        return ""


def _where(error: BaseException) -> str:
    """The line of the student's own code that raised, as `function, line n`; empty where it is not in a cell."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if "ipykernel" in f.filename or f.filename.startswith("<")]
    own = [f for f in own if "importlib" not in f.filename]
    return f"{own[-1].name}, line {own[-1].lineno}"[:120] if own else ""


def _flatten(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [tensor for item in value for tensor in _flatten(item)]
    return []


def _leaves(value: Any, leaves: list[torch.Tensor]) -> Any:
    """A copy of `value` in which every floating tensor is a leaf that wants a gradient; collects them in `leaves`."""
    if isinstance(value, torch.Tensor):
        if not value.is_floating_point():
            return value
        leaf = value.detach().clone().requires_grad_()
        leaves.append(leaf)
        return leaf
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return type(value)(_leaves(item, leaves) for item in value)
    if isinstance(value, dict):
        return {key: _leaves(item, leaves) for key, item in value.items()}
    return value


def attend(path: str, first: int) -> None:
    """Answer requests that come over the socket at `path` until told to leave. Called in the student's kernel for each check.

    Args:
        first: number of the first object that this kernel may refer to; see `Servant`.
    """
    global _line, _kernel_servant
    from IPython import get_ipython

    if _line is None or _kernel_servant is None:
        line = _line = Line(path)

        def call_back(message: dict) -> dict:
            line.send({"callback": message})
            return line.receive()

        _kernel_servant = Servant(get_ipython().user_ns, call_back)
        _kernel_servant.first = first
    _kernel_servant.refusing = Refusal()
    with hushed():
        while (request := _line.receive()) and request["op"] != "leave":
            answer = {"answer": _kernel_servant.handle(request)}
            try:
                _line.send(answer)
            except (ValueError, RecursionError, MemoryError) as error:
                why = f"an answer that cannot be written: {type(error).__name__}"
                _line.send({"answer": {"unreadable": why}})
        _kernel_servant.refusing([])


_line: Line | None = None
_kernel_servant: Servant | None = None
