"""Copies values between the judge and the student's code, as bytes.

A value is copied by its *exact* type: subclasses, object arrays and everything unknown stay where they are and
travel as the number of a handle. The reader trusts nothing: whatever arrives becomes a value within the caps below
or a ProtocolError, and nothing that arrives is ever executed.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import ProtocolError

MAX_FRAME = 1 << 30  # bytes of one message
MAX_NODES = 1_000_000  # values in one message: an empty list takes 13 times its bytes once it is read
MAX_KEYS = 65_536  # dict items in one message: keys can be chosen to collide
MAX_DEPTH = 64
MAX_INT = 1_700  # bytes: every integer that arrives can be printed, which Python refuses beyond 4,300 digits
MAX_DIMENSIONS = 32
MAX_ELEMENTS = 1 << 26  # product of an array's non-zero dimensions: (0, 10**18) is small until someone sums it

COUNT = struct.Struct("<I")
NUMBER = struct.Struct("<Q")
FLOAT = struct.Struct("<d")

_SCALARS = (
    np.bool_, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64,
    np.float16, np.float32, np.float64, np.complex64, np.complex128,
)  # fmt: skip
DTYPES = {
    dtype.str.encode(): dtype for scalar in _SCALARS for dtype in (np.dtype(scalar), np.dtype(scalar).newbyteorder())
}
_BUILTINS = (bool, int, float, complex, str, bytes, tuple, list, dict, slice)
TYPES: dict[bytes, type] = {
    **{kind.__name__.encode(): kind for kind in _BUILTINS},
    **{f"np.{np.dtype(kind).name}".encode(): kind for kind in _SCALARS},
}
_TYPE_NAMES = {kind: name for name, kind in TYPES.items()}
_NATIVE = [np.dtype(code) for code in "?bBhHiIlLqQefdFD"]  # int64 has two of them: which one depends on the system


class NoValueError(Exception):
    """The value, or something in it, can not be copied."""


class Kept:
    """A value that travels as a handle although it could be copied."""

    def __init__(self, value: object) -> None:
        self.value = value


def encode(value: object, number: Callable[[Any], int]) -> bytes:
    """The value as bytes; `number` gives the handle number of what is not copied, or raises NoValueError."""
    writer = _Writer(number)
    writer.write(value, 0)
    message = b"".join(writer.parts)
    if len(message) > MAX_FRAME:
        raise NoValueError("too long")
    return message


class _Writer:
    """Collects the parts of one message."""

    def __init__(self, number: Callable[[Any], int]) -> None:
        self.parts: list[Any] = []
        self.number = number
        self.nodes = 0

    def write(self, value: Any, depth: int) -> None:
        """Append one value: a tag and what its type needs."""
        self.nodes += 1
        if depth > MAX_DEPTH or self.nodes > MAX_NODES:
            raise NoValueError("too deep or too many values")
        _WRITERS.get(type(value), _Writer.put_handle)(self, value, depth)

    def sized(self, tag: bytes, payload: bytes) -> None:
        if len(payload) > MAX_FRAME // 2:
            raise NoValueError("too long")
        self.parts += (tag, COUNT.pack(len(payload)), payload)

    def put_singleton(self, value: object, _depth: int) -> None:
        self.parts.append(_SINGLETON_TAGS[value])

    def put_integer(self, value: int, _depth: int) -> None:
        size = value.bit_length() // 8 + 1
        if size > MAX_INT:
            raise NoValueError("too large an integer")
        self.sized(b"i", value.to_bytes(size, "little", signed=True))

    def put_float(self, value: float, _depth: int) -> None:
        self.parts += (b"f", FLOAT.pack(value))

    def put_text(self, value: str, _depth: int) -> None:
        self.sized(b"s", value.encode("utf-8", "surrogatepass"))

    def put_bytes(self, value: bytes, _depth: int) -> None:
        self.sized(b"b", value)

    def put_sequence(self, value: list[Any] | tuple[Any, ...], depth: int) -> None:
        self.parts += (b"l" if type(value) is list else b"t", COUNT.pack(len(value)))
        for item in value:
            self.write(item, depth + 1)

    def put_dict(self, value: dict[Any, Any], depth: int) -> None:
        if len(value) > MAX_KEYS or not all(_is_key(key) for key in value):
            raise NoValueError("keys that can not be copied")
        self.parts += (b"m", COUNT.pack(len(value)))
        for key, item in value.items():
            self.write(key, depth + 1)
            self.write(item, depth + 1)

    def put_slice(self, value: slice, depth: int) -> None:
        self.parts.append(b":")
        for part in (value.start, value.stop, value.step):
            self.write(part, depth + 1)

    def put_dtype(self, value: np.dtype[Any], depth: int) -> None:
        name = value.str.encode()
        if DTYPES.get(name) != value:
            self.put_handle(value, depth)
        else:
            self.sized(b"d", name)

    def put_kind(self, value: type, depth: int) -> None:
        if value in _TYPE_NAMES:
            self.sized(b"k", _TYPE_NAMES[value])
        else:
            self.put_handle(value, depth)

    def put_array(self, value: NDArray[Any], depth: int) -> None:
        name = value.dtype.str.encode()
        elements = math.prod(size for size in value.shape if size)
        if name not in DTYPES or value.ndim > MAX_DIMENSIONS or elements > MAX_ELEMENTS:
            self.put_handle(value, depth)
            return
        self.sized(b"a", name)
        self.sized(b"", struct.pack(f"<{value.ndim}Q", *value.shape))
        flat = np.ascontiguousarray(value).reshape(-1).view(np.uint8)
        self.parts += (NUMBER.pack(flat.nbytes), flat.data if flat.nbytes else b"")

    def put_scalar(self, value: np.generic, _depth: int) -> None:
        self.sized(b"g", value.dtype.str.encode())
        self.sized(b"", value.tobytes())

    def put_handle(self, value: object, _depth: int) -> None:
        self.parts += (b"h", NUMBER.pack(self.number(value)))


def _is_key(key: object) -> bool:
    """Whether a dict with this key can be copied: plain and hashable, also in tuples."""
    if type(key) is tuple:
        return all(_is_key(item) for item in key)
    return type(key) in (type(None), bool, int, float, str, bytes)


_SINGLETON_TAGS: dict[Any, bytes] = {None: b"N", True: b"T", False: b"F", Ellipsis: b"."}
_SINGLETONS = {ord(tag): value for value, tag in _SINGLETON_TAGS.items()}
_WRITERS: dict[type, Callable[[_Writer, Any, int], None]] = {
    type(None): _Writer.put_singleton,
    bool: _Writer.put_singleton,
    type(Ellipsis): _Writer.put_singleton,
    int: _Writer.put_integer,
    float: _Writer.put_float,
    str: _Writer.put_text,
    bytes: _Writer.put_bytes,
    list: _Writer.put_sequence,
    tuple: _Writer.put_sequence,
    dict: _Writer.put_dict,
    slice: _Writer.put_slice,
    type: _Writer.put_kind,
    np.ndarray: _Writer.put_array,
    **dict.fromkeys((type(dtype) for dtype in _NATIVE), _Writer.put_dtype),
    **dict.fromkeys((dtype.type for dtype in _NATIVE), _Writer.put_scalar),
}


def decode(data: bytes | bytearray, handle: Callable[[int], Any], *, writable: bool) -> Any:
    """The value that the bytes hold; `handle` gives what a handle number stands for."""
    if len(data) > MAX_FRAME:
        raise ProtocolError("the message is too long")
    reader = _Reader(data, handle, writable)
    try:
        value = reader.read(0)
    except (ValueError, TypeError, LookupError, OverflowError, MemoryError, struct.error) as error:
        raise ProtocolError(f"the message is damaged: {type(error).__name__}") from None
    if reader.at != len(data):
        raise ProtocolError("the message goes on after its end")
    return value


class _Reader:
    """Reads one message from its start to its end."""

    def __init__(self, data: bytes | bytearray, handle: Callable[[int], Any], writable: bool) -> None:
        self.data = data
        self.size = len(data)
        self.at = 0
        self.nodes = 0
        self.keys = 0
        self.resolve = handle
        self.writable = writable

    def read(self, depth: int) -> Any:
        """The next value."""
        self.nodes += 1
        if depth > MAX_DEPTH or self.nodes > MAX_NODES:
            raise ProtocolError("the message nests too deep or holds too many values")
        if self.at >= self.size:
            raise ProtocolError("the message ends too early")
        tag = self.data[self.at]
        self.at += 1
        if tag in _SINGLETONS:
            return _SINGLETONS[tag]
        if tag not in _READERS:
            raise ProtocolError(f"the message holds the unknown tag {tag}")
        return _READERS[tag](self, depth)

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        end = self.at + size
        if end > self.size:
            raise ProtocolError("the message ends too early")
        chunk = self.data[self.at : end]
        self.at = end
        return bytes(chunk)

    def count(self) -> int:
        """A number of things that follow, each of which takes a byte at least."""
        at = self.at + COUNT.size
        if at > self.size:
            raise ProtocolError("the message ends too early")
        number: int = COUNT.unpack_from(self.data, self.at)[0]
        if number > self.size - at:
            raise ProtocolError("the message ends too early")
        self.at = at
        return number

    def sized(self) -> bytes:
        return self.take(self.count())

    def get_integer(self, _depth: int) -> int:
        payload = self.sized()
        if len(payload) > MAX_INT:
            raise ProtocolError("the message holds too large an integer")
        return int.from_bytes(payload, "little", signed=True)

    def get_float(self, _depth: int) -> float:
        number: float = FLOAT.unpack(self.take(8))[0]
        return number

    def get_text(self, _depth: int) -> str:
        return self.sized().decode("utf-8", "surrogatepass")

    def get_bytes(self, _depth: int) -> bytes:
        return self.sized()

    def get_list(self, depth: int) -> list[Any]:
        return [self.read(depth + 1) for _ in range(self.count())]

    def get_tuple(self, depth: int) -> tuple[Any, ...]:
        return tuple(self.get_list(depth))

    def get_dict(self, depth: int) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for _ in range(self.count()):
            self.keys += 1
            key = self.read(depth + 1)
            if self.keys > MAX_KEYS or not _is_key(key):
                raise ProtocolError("the message holds keys that can not be copied")
            found[key] = self.read(depth + 1)
        return found

    def get_slice(self, depth: int) -> slice:
        return slice(self.read(depth + 1), self.read(depth + 1), self.read(depth + 1))

    def get_dtype(self, _depth: int) -> np.dtype[Any]:
        return DTYPES[self.sized()]

    def get_kind(self, _depth: int) -> type:
        return TYPES[self.sized()]

    def get_array(self, _depth: int) -> NDArray[Any]:
        dtype = DTYPES[self.sized()]
        shape = self.get_shape()
        (size,) = NUMBER.unpack(self.take(8))
        if size != math.prod(shape) * dtype.itemsize or size > len(self.data) - self.at:
            raise ProtocolError("the message holds an array of another size than it says")
        array = np.empty(shape, dtype)
        if size:
            flat = np.frombuffer(self.data, dtype, math.prod(shape), self.at)
            array[...] = flat.reshape(shape)
        self.at += size
        array.flags.writeable = self.writable
        return array

    def get_shape(self) -> tuple[int, ...]:
        payload = self.sized()
        if len(payload) > 8 * MAX_DIMENSIONS:
            raise ProtocolError("the message holds an array of too many dimensions")
        shape = struct.unpack(f"<{len(payload) // 8}Q", payload)
        if math.prod(size for size in shape if size) > MAX_ELEMENTS:
            raise ProtocolError("the message holds too large an array")
        return shape

    def get_scalar(self, _depth: int) -> Any:
        dtype = DTYPES[self.sized()]
        payload = self.sized()
        if len(payload) != dtype.itemsize:
            raise ProtocolError("the message holds a number of another size than it says")
        return np.frombuffer(payload, dtype)[0]

    def get_handle(self, _depth: int) -> Any:
        (number,) = NUMBER.unpack(self.take(8))
        return self.resolve(number)


_READERS: dict[int, Callable[[_Reader, int], Any]] = {
    ord("i"): _Reader.get_integer,
    ord("f"): _Reader.get_float,
    ord("s"): _Reader.get_text,
    ord("b"): _Reader.get_bytes,
    ord("l"): _Reader.get_list,
    ord("t"): _Reader.get_tuple,
    ord("m"): _Reader.get_dict,
    ord(":"): _Reader.get_slice,
    ord("d"): _Reader.get_dtype,
    ord("k"): _Reader.get_kind,
    ord("a"): _Reader.get_array,
    ord("g"): _Reader.get_scalar,
    ord("h"): _Reader.get_handle,
}
