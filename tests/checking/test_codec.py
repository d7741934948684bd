"""The codec: what goes in comes out, and what is malformed is `Garbled` and nothing else."""

import contextlib
import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch.nn.utils.rnn import PackedSequence, pack_sequence

from course_utils.checking.codec import MAX_DEPTH, NUMPY_DTYPES, TORCH_DTYPES, Garbled, decode, encode


def refuse(thing):
    raise AssertionError(f"{thing!r} is no plain value")


def there_and_back(value):
    """Through JSON text, as on the wire."""
    return decode(json.loads(json.dumps(encode(value, refuse))), refuse)


def same(a, b) -> bool:
    """Equal in type and value, `nan` equal to itself."""
    if type(a) is not type(b):
        return False
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and a.shape == b.shape and torch.equal(a.nan_to_num(), b.nan_to_num())
    if isinstance(a, np.ndarray | np.generic):
        return (
            a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")
        )
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return a == b or (a != a and b != b)


KEYS = st.none() | st.booleans() | st.integers() | st.text() | st.binary()
SCALARS = KEYS | st.floats() | st.complex_numbers(allow_nan=False) | st.just(...)
PLAIN = st.recursive(
    SCALARS | st.sets(KEYS),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=4)
        | st.builds(slice, st.none() | st.integers(), st.none() | st.integers())
    ),
    max_leaves=12,
)


@given(PLAIN)
@settings(deadline=None)
def test_nested_plain_values_come_back(value):
    assert same(there_and_back(value), value)


@given(
    hnp.arrays(
        st.sampled_from(sorted(NUMPY_DTYPES)).map(np.dtype),
        hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
    )
)
@settings(deadline=None)
def test_arrays_come_back(array):
    expected = array if array.shape else array[()]
    assert same(there_and_back(array), expected)


@given(st.sampled_from(sorted(TORCH_DTYPES)), st.lists(st.integers(0, 3), max_size=4), st.booleans())
@settings(deadline=None)
def test_tensors_of_every_dtype_and_shape_come_back(name, shape, wants_gradient):
    dtype = TORCH_DTYPES[name]
    tensor = (torch.arange(int(np.prod(shape))) % 2).reshape(shape).to(dtype)
    if wants_gradient and (dtype.is_floating_point or dtype.is_complex):
        tensor.requires_grad_()
    back = there_and_back(tensor)
    assert same(back.detach(), tensor.detach()) and back.requires_grad == tensor.requires_grad


@pytest.mark.parametrize(
    "view",
    [
        torch.arange(12.0).reshape(3, 4).T,
        torch.arange(12.0)[::3],
        torch.ones(1).expand(4, 3),
        torch.tensor([1 + 2j, 3j]).conj(),
        torch.eye(3).to_sparse(),
        torch.tensor(2.5, dtype=torch.bfloat16),
    ],
    ids=["transposed", "strided", "expanded", "conjugated", "sparse", "bfloat16"],
)
def test_unusual_layouts_arrive_as_their_values(view):
    back = there_and_back(view)
    assert back.dtype == view.dtype and torch.equal(back, view.to_dense() if view.is_sparse else view)


def test_non_contiguous_and_byte_swapped_arrays():
    array = np.arange(12, dtype=">i4").reshape(3, 4)[:, ::2]
    back = there_and_back(array)
    assert np.array_equal(back, array) and back.dtype == np.int32


@pytest.mark.parametrize("value", [np.float32(1.5), np.int64(-3), np.bool_(True), np.complex64(1j)])
def test_numpy_scalars_keep_their_kind(value):
    assert same(there_and_back(value), value)


def test_text_out_of_an_array_is_text():
    """Indexing an array of names gives np.str_; a right answer must not fail for it."""
    assert there_and_back(np.array(["one", "two"])[1]) == "two"
    assert type(there_and_back(np.array(["one", "two"])[1])) is str
    assert there_and_back(np.array(["one", "two"])).tolist() == ["one", "two"]


def test_subclasses_lose_what_they_added():
    class Three(int):
        def __eq__(self, other):
            return True

        __hash__ = int.__hash__

    class Odd(dict):
        pass

    assert type(there_and_back(Three(3))) is int and there_and_back(Three(3)) != 4
    assert type(there_and_back(Odd(a=1))) is dict


def test_packed_sequences_dtypes_sizes_and_slices():
    packed = pack_sequence([torch.ones(3, 2), torch.zeros(1, 2)])
    back = there_and_back(packed)
    assert isinstance(back, PackedSequence) and torch.equal(back.data, packed.data)
    assert torch.equal(back.batch_sizes, packed.batch_sizes)
    assert there_and_back(torch.float16) is torch.float16
    assert there_and_back(torch.Size([2, 3])) == (2, 3)
    assert there_and_back(slice(1, None, 2)) == slice(1, None, 2)


def test_what_is_not_plain_is_referred():
    seen = []
    encode([object], lambda thing: seen.append(thing) or {"t": "ref"})
    assert seen == [object]


def test_a_list_that_holds_itself_is_garbled():
    loop: list = []
    loop.append(loop)
    with pytest.raises(Garbled, match=f"{MAX_DEPTH} levels"):
        encode(loop, refuse)


@pytest.mark.parametrize("value", [np.array([object()]), np.array(["2020-01-01"], dtype="datetime64[D]")])
def test_arrays_of_other_things_are_garbled(value):
    with pytest.raises(Garbled):
        encode(value, refuse)


def test_an_array_too_large_is_garbled():
    with pytest.raises(Garbled, match="MiB"):
        encode(torch.zeros(1).expand(2**25), refuse)


TAGS = st.sampled_from(
    [
        "tensor",
        "array",
        "packed",
        "complex",
        "bytes",
        "tuple",
        "set",
        "dict",
        "slice",
        "dtype",
        "ellipsis",
        "x",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.fixed_dictionaries(
            {"t": TAGS | inner},
            optional={
                "v": inner,
                "dtype": st.sampled_from(["float32", "object", "int8"]) | inner,
                "shape": inner,
            },
        )
    ),
    max_leaves=12,
)


@given(JSON)
@settings(deadline=None, max_examples=300)
def test_malformed_data_is_garbled_and_nothing_else(data):
    with contextlib.suppress(Garbled):
        decode(data, lambda reference: None)


@pytest.mark.parametrize(
    "data",
    [
        {"t": "tensor", "dtype": "float32", "shape": [2], "v": "AAAA"},
        {"t": "tensor", "dtype": "float32", "shape": [0, 10**30], "v": ""},
        {"t": "tensor", "dtype": "quint8", "shape": [], "v": ""},
        {"t": "tensor", "dtype": ["float32"], "shape": [], "v": ""},
        {"t": "array", "dtype": "float64", "shape": [True], "v": "AAAAAAAA8D8="},
        {"t": "array", "dtype": "object", "shape": [1], "v": [[1]]},
        {"t": "array", "dtype": "O", "shape": [1], "v": "AAAAAAAAAAA="},
        {"t": "dict", "v": [[[], 1]]},
        {"t": "set", "v": [[1]]},
        {"t": "packed", "v": [1, 2]},
        {"t": "bytes", "v": "*"},
        {"t": "complex", "v": ["x", 1]},
        {"t": "unheard-of"},
        {},
        {"t": ["ref"]},
    ],
)
def test_examples_of_malformed_data(data):
    with pytest.raises(Garbled):
        decode(data, refuse)


def test_nesting_is_bounded_when_reading():
    data: list = []
    for _ in range(100):
        data = [data]
    with pytest.raises(Garbled, match="deep"):
        decode(data, refuse)


def test_a_single_entry_without_a_stride_crosses():
    """`x.mean().expand(1)` and its like."""
    flat = torch.tensor(2.5, dtype=torch.float64).expand(1)
    back = there_and_back(flat)
    assert torch.equal(back, flat) and back.dtype == torch.float64
