"""Plain values as JSON, both ways: what may cross between a test and the code it tests.

Every value is rebuilt from numbers and text; nothing is pickled. What is not plain data is passed to `refer`, which
returns a reference for it; what arrives as a reference is passed to `resolve`.
"""

import base64
import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch.nn.utils.rnn import PackedSequence

MAX_DEPTH = 40
MAX_BYTES = 64 * 2**20

TORCH_DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64,
        torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128,
    )
}  # fmt: skip
NUMPY_DTYPES = {
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "float32", "float64", "complex64", "complex128",
}  # fmt: skip


class Garbled(ValueError):
    """A message that is not the protocol: unknown tag, wrong size, too deep or too large."""


def encode(value: Any, refer: Callable[[Any], dict], depth: int = 0) -> Any:
    """Turn `value` into JSON-ready data; `refer(obj)` gives the reference for what is not plain.

    Raises:
        Garbled: nested deeper than 40 levels (a list that holds itself), or an array over 64 MiB.
    """
    if depth > MAX_DEPTH:
        raise Garbled(f"nested deeper than {MAX_DEPTH} levels")

    def inner(item: Any) -> Any:
        return encode(item, refer, depth + 1)

    if value is None or type(value) in (bool, int, str, float):
        return value
    if value is Ellipsis:
        return {"t": "ellipsis"}
    if isinstance(value, torch.Tensor):
        return _encode_tensor(value)
    if isinstance(value, np.str_ | np.bytes_):  # what indexing an array of names gives: text like any other
        return encode(value.item(), refer, depth)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, np.ndarray | np.generic):
        return _encode_array(value)
    if isinstance(value, PackedSequence):
        return {"t": "packed", "v": [None if part is None else inner(part) for part in value]}
    if isinstance(value, int):  # subclasses lose what they added
        return int(value)
    if isinstance(value, float | Fraction | Decimal):
        return float(value)
    if isinstance(value, complex):
        return {"t": "complex", "v": [value.real, value.imag]}
    if isinstance(value, bytes | bytearray):
        return {"t": "bytes", "v": _b64(bytes(value))}
    if isinstance(value, list):
        return [inner(item) for item in value]
    if isinstance(value, torch.Size):
        return {"t": "tuple", "v": [int(size) for size in value]}
    if isinstance(value, tuple):
        return {"t": "tuple", "v": [inner(item) for item in value]}
    if isinstance(value, set | frozenset):
        return {"t": "set", "v": [inner(item) for item in value]}
    if isinstance(value, dict):
        return {"t": "dict", "v": [[inner(key), inner(item)] for key, item in value.items()]}
    if isinstance(value, slice):
        return {"t": "slice", "v": [inner(part) for part in (value.start, value.stop, value.step)]}
    if isinstance(value, torch.dtype):
        return {"t": "dtype", "v": str(value).removeprefix("torch.")}
    return refer(value)


def decode(data: Any, resolve: Callable[[dict], Any], depth: int = 0) -> Any:
    """Rebuild a value from what `encode` made. The data are not trusted.

    Raises:
        Garbled: the data are not what `encode` makes.
    """
    if depth > MAX_DEPTH + 2:
        raise Garbled("nested too deep")
    if data is None or isinstance(data, bool | int | float | str):
        return data

    def inner(item: Any) -> Any:
        return decode(item, resolve, depth + 1)

    if isinstance(data, list):
        return [inner(item) for item in data]
    if not isinstance(data, dict):
        raise Garbled(f"unexpected {type(data).__name__}")
    tag = data.get("t")
    body: Any = data.get("v")
    if tag in ("ref", "callback"):
        return resolve(data)
    try:
        if tag == "ellipsis":
            return ...
        if tag == "tensor":
            return _decode_tensor(data)
        if tag == "array":
            return _decode_array(data)
        if tag == "packed":
            return PackedSequence(*[inner(part) for part in body])
        if tag == "complex":
            return complex(float(body[0]), float(body[1]))
        if tag == "bytes":
            return base64.b64decode(body, validate=True)
        if tag == "tuple":
            return tuple(inner(item) for item in body)
        if tag == "set":
            return {inner(item) for item in body}
        if tag == "dict":
            return {inner(key): inner(item) for key, item in body}
        if tag == "slice":
            return slice(*[inner(part) for part in body])
        if tag == "dtype":
            return TORCH_DTYPES[body]
    except Garbled:
        raise
    except Exception as error:
        raise Garbled(f"a {tag!r} that cannot be rebuilt ({type(error).__name__})") from None
    raise Garbled(f"unknown tag {str(tag)[:40]!r}")


def _refuse_large(size: int) -> None:
    if size > MAX_BYTES:
        raise Garbled(f"{size // 2**20} MiB in one value; at most {MAX_BYTES // 2**20} can be returned")


def _b64(raw: bytes) -> str:
    _refuse_large(len(raw))
    return base64.b64encode(raw).decode("ascii")


def _encode_tensor(tensor: torch.Tensor) -> dict:
    _refuse_large(tensor.numel() * tensor.element_size())  # before an expanded view is copied out
    detached = tensor.detach()
    if detached.layout is not torch.strided:  # a sparse tensor has no storage to view as another class
        detached = detached.to_dense()
    plain = detached.as_subclass(torch.Tensor)
    plain = plain.resolve_conj().resolve_neg().cpu().contiguous()
    flat = torch.empty(plain.numel(), dtype=plain.dtype)
    flat.copy_(plain.reshape(-1))  # whose one entry may have stride 0
    raw = flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""
    return {
        "t": "tensor",
        "dtype": str(plain.dtype).removeprefix("torch."),
        "shape": list(plain.shape),
        "grad": bool(tensor.requires_grad),
        "v": _b64(raw),
    }


def _decode_tensor(data: dict) -> torch.Tensor:
    dtype, shape = TORCH_DTYPES[data["dtype"]], _shape(data["shape"])
    raw = base64.b64decode(data["v"], validate=True)
    if len(raw) != math.prod(shape) * dtype.itemsize:
        raise Garbled("a tensor whose bytes do not fit its shape")
    flat = torch.frombuffer(bytearray(raw), dtype=dtype) if raw else torch.empty(0, dtype=dtype)
    tensor = flat.reshape(shape)
    if data.get("grad") and (dtype.is_floating_point or dtype.is_complex):
        tensor.requires_grad_()
    return tensor


def _encode_array(array: np.ndarray | np.generic) -> dict:
    plain = np.asarray(array)
    _refuse_large(plain.nbytes)
    if plain.dtype.kind in "OUS":
        items = [str(item) if plain.dtype.kind != "O" else item for item in plain.reshape(-1).tolist()]
        if not all(isinstance(item, bool | int | float | str | None) for item in items):
            raise Garbled("a NumPy array of Python objects")
        return {"t": "array", "dtype": "object", "shape": list(plain.shape), "v": items}
    if plain.dtype.name not in NUMPY_DTYPES:
        raise Garbled(f"a NumPy array of dtype {plain.dtype.name}")
    return {
        "t": "array",
        "dtype": plain.dtype.name,
        "shape": list(plain.shape),
        "v": _b64(np.ascontiguousarray(plain).astype(plain.dtype.newbyteorder("="), copy=False).tobytes()),
    }


def _decode_array(data: dict) -> np.ndarray | np.generic:
    shape = _shape(data["shape"])
    if data["dtype"] == "object":
        items = data["v"]
        if not all(isinstance(item, bool | int | float | str | None) for item in items):
            raise Garbled("an array of objects")
        objects = np.empty(len(items), dtype=object)
        objects[:] = items
        return objects.reshape(shape)
    if data["dtype"] not in NUMPY_DTYPES:
        raise Garbled("unknown dtype")
    raw = base64.b64decode(data["v"], validate=True)
    array = np.frombuffer(raw, dtype=data["dtype"]).reshape(shape).copy()
    return array if shape else array[()]


def _shape(sizes: Any) -> tuple[int, ...]:
    if not isinstance(sizes, list) or len(sizes) > 32 or any(type(s) is not int or s < 0 for s in sizes):
        raise Garbled("a shape that is no list of sizes")
    return tuple(sizes)
