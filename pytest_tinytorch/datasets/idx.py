"""The IDX format of MNIST: two zero bytes, a type, the number of dimensions, the sizes, the numbers."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np

from .errors import DamagedFile

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

UNSIGNED_BYTE = 8
GZIP = b"\x1f\x8b"


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """The array of unsigned bytes in an IDX file, packed with gzip or not.

    `00 00 08 01 | 00 00 00 03 | 07 02 01` with dimensions=1 -> array([7, 2, 1], dtype=uint8)

    Raises:
        DamagedFile: the file is something else, or not whole.
    """
    data = _unpacked(path)
    _refuse_foreign(path, data[:4], dimensions)
    try:
        shape: tuple[int, ...] = struct.unpack_from(f">{dimensions}I", data, 4)
    except struct.error:
        raise DamagedFile(path, "it ends within its header") from None
    numbers: NDArray[np.uint8] = np.frombuffer(data, np.uint8, offset=4 + 4 * dimensions)
    if numbers.size != math.prod(shape):
        raise DamagedFile(path, f"its header promises {math.prod(shape):,} bytes, and {numbers.size:,} follow")
    return np.array(numbers.reshape(shape))  # a copy can be written to, as arrays usually can


def _unpacked(path: Path) -> bytes:
    """The file's contents. Its first bytes say whether it is packed: browsers unpack and keep the name."""
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if data.startswith(GZIP) else data
    except EOFError:
        raise DamagedFile(path, "it is cut short") from None
    except (gzip.BadGzipFile, zlib.error):
        raise DamagedFile(path, "its gzip data is corrupt") from None
    except OSError as error:
        raise DamagedFile(path, error.strerror or str(error)) from None


def _refuse_foreign(path: Path, magic: bytes, dimensions: int) -> None:
    due = bytes([0, 0, UNSIGNED_BYTE, dimensions])
    if magic != due:
        found = f"with {magic.hex(' ')}" if magic else "ends at once"
        raise DamagedFile(path, f"an IDX file of {dimensions} dimensions begins with {due.hex(' ')}, this one {found}")
