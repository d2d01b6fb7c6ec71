"""The codec: what goes through unchanged, what stays behind, and what hostile bytes become."""

from __future__ import annotations

import contextlib
import math
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from pytest_tinytorch.handles import wire
from pytest_tinytorch.handles.errors import ProtocolError


def refuse(value: object) -> int:
    raise wire.NoValueError(type(value).__name__)


def sent(value: Any, *, writable: bool = False) -> Any:
    return wire.decode(wire.encode(value, refuse), lambda number: number, writable=writable)


def plain(value: Any) -> Any:
    """The value's exact types and bytes, to be compared with ==: nan equals nan, and True is not 1."""
    if isinstance(value, np.ndarray | np.generic):
        return type(value), value.dtype, value.shape, value.tobytes()
    if isinstance(value, float):
        return struct.pack("d", value)
    if isinstance(value, list | tuple):
        return type(value), [plain(item) for item in value]
    if isinstance(value, dict):
        return dict, plain(list(value.items()))
    if isinstance(value, slice):
        return slice, plain([value.start, value.stop, value.step])
    return type(value), value


def equal(a: Any, b: Any) -> bool:
    """Whether two values have the same types and contents all through."""
    return bool(plain(a) == plain(b))


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**200), 2**200)
    | st.floats()
    | st.binary()
    | st.text(st.characters(exclude_categories=()))
    | st.just(Ellipsis)
)
arrays = hnp.arrays(
    st.sampled_from(sorted({dtype.str for dtype in wire.DTYPES.values()})).map(np.dtype),
    hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
)
keys = st.integers() | st.text() | st.booleans() | st.none() | st.tuples(st.binary(), st.integers())
values = st.recursive(
    scalars | arrays,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(keys, inner, max_size=4)
        | st.builds(slice, inner, inner, inner)
    ),
    max_leaves=12,
)


@given(values)
def test_every_value_arrives_as_it_left(value: Any) -> None:
    assert equal(sent(value), value)


@pytest.mark.parametrize(
    "value",
    [
        math.nan, -0.0, math.inf, "\ud83d\ude00", "\ud83d" + "\ude00", 2**4000, -(2**4000), np.float16(2),
        np.bool_(True),
        np.uint8(255), np.dtype("float32"), np.dtype(">i4"), np.float32, np.int64, int, float, bool, np.complex64(1j),
    ],
)  # fmt: skip
def test_single_values_arrive_as_they_left(value: Any) -> None:
    assert equal(sent(value), value)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(24.0).reshape(2, 3, 4).T,
        np.arange(24)[::-2],
        np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
        np.broadcast_to(np.float32(1), (3, 4)),
        np.empty((0, 3), np.float32),
        np.array(2.5),
        np.array([math.nan, math.inf, -math.inf, -0.0], np.float32),
        np.ones((300, 1000), np.float64),
    ],
    ids=["transposed", "reversed", "fortran", "broadcast", "empty", "scalar", "special", "big"],
)
def test_arrays_arrive_with_dtype_shape_and_bytes(array: NDArray[Any]) -> None:
    assert equal(sent(array), array)


def test_fetched_arrays_are_read_only_and_sent_ones_the_students_own() -> None:
    array = np.ones(3)
    assert not sent(array).flags.writeable
    arrived = sent([array, array], writable=True)
    arrived[0][0] = 7
    assert arrived[1][0] == array[0] == 1


class Count(int):
    """A number that is not exactly an int."""


class Texts(list[str]):
    """A list that is not exactly a list."""


@pytest.mark.parametrize(
    "value",
    [
        Count(3), Texts(), np.array([None]), np.array(["a"]), np.ones(2).view(np.ma.MaskedArray),
        np.zeros(2, "i4,f4"), object(), {1.5: frozenset()}, {frozenset(): 1}, range(3), {1, 2}, len, 2**14_000,
        np.dtype("i4,f4"), np.longdouble(1), 1j, Exception, type,
    ],
)  # fmt: skip
def test_what_is_no_exact_plain_value_stays_behind(value: Any) -> None:
    with pytest.raises(wire.NoValueError):
        wire.encode(value, refuse)


def test_what_contains_itself_or_is_too_large_stays_behind() -> None:
    loop: list[Any] = []
    loop.append(loop)
    for value in (loop, [0] * (wire.MAX_NODES + 1), dict.fromkeys(range(wire.MAX_KEYS + 1))):
        with pytest.raises(wire.NoValueError):
            wire.encode(value, refuse)


def test_a_value_that_is_kept_travels_as_a_handle() -> None:
    assert wire.decode(wire.encode([wire.Kept(True)], lambda kept: 7), lambda number: f"#{number}", writable=False) == [
        "#7"
    ]


@given(st.binary(max_size=200))
def test_garbage_is_a_protocol_error_or_a_value(data: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        wire.decode(data, lambda number: number, writable=False)


@settings(max_examples=300)
@given(values, st.data())
def test_a_damaged_message_is_a_protocol_error_or_a_value(value: Any, data: st.DataObject) -> None:
    message = bytearray(wire.encode(value, refuse))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(message) - 1))
        message[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ProtocolError):
        wire.decode(message, lambda number: number, writable=False)


def array_message(dtype: bytes, shape: tuple[int, ...], size: int, data: bytes) -> bytes:
    sides = struct.pack(f"<{len(shape)}Q", *shape)
    parts = [b"a", struct.pack("<I", len(dtype)), dtype, struct.pack("<I", len(sides)), sides, struct.pack("<Q", size)]
    return b"".join([*parts, data])


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"?",
        b"N" * 2,
        b"l" * 200,
        b"l\x01\x00\x00\x00" * 100 + b"N",
        b"l\xff\xff\xff\xff",
        b"s\x04\x00\x00\x00abc",
        b"s\x01\x00\x00\x00\xff",
        b"m\x01\x00\x00\x00l\x00\x00\x00\x00N",
        b"d\x01\x00\x00\x00O",
        b"k\x06\x00\x00\x00object",
        b"g\x03\x00\x00\x00<f4\x01\x00\x00\x00a",
        b"i" + struct.pack("<I", wire.MAX_INT + 1) + bytes(wire.MAX_INT + 1),
        array_message(b"|O", (1,), 8, bytes(8)),
        array_message(b"<f4", (0, 10**18), 0, b""),
        array_message(b"<f4", (2**63, 2), 0, b""),
        array_message(b"<f4", (10**6,), 4 * 10**6, b"1234"),
        array_message(b"<f4", (2,), 4, b"1234"),
        array_message(b"<f4", (1,) * 33, 4, b"1234"),
        array_message(b"<f4", (1,), 2**63, b"1234"),
    ],
)
def test_what_no_writer_writes_is_a_protocol_error(message: bytes) -> None:
    with pytest.raises(ProtocolError):
        wire.decode(message, lambda number: number, writable=False)


def test_a_message_of_too_many_values_is_a_protocol_error() -> None:
    nodes = wire.MAX_NODES + 1
    with pytest.raises(ProtocolError):
        wire.decode(b"l" + struct.pack("<I", nodes) + b"N" * nodes, lambda number: number, writable=False)
    keys = b"".join(b"i" + struct.pack("<I", 4) + struct.pack("<I", n) + b"N" for n in range(wire.MAX_KEYS + 1))
    with pytest.raises(ProtocolError):
        wire.decode(b"m" + struct.pack("<I", wire.MAX_KEYS + 1) + keys, lambda number: number, writable=False)
