"""CIFAR-10: small colour photographs of ten kinds of things, downloaded in Alex Krizhevsky's binary layout.

A record is one byte for the class and 3,072 for the picture: its red plane, its green one, its blue one, row by row.
"""

from __future__ import annotations

import gzip
import tarfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .errors import DamagedFile
from .folder import data_folder
from .idx import GZIP
from .remote import Remote, fetch, unverified

if TYPE_CHECKING:
    from typing import BinaryIO

    from numpy.typing import NDArray

    from .remote import Watch

SHAPE, RECORD = (3, 32, 32), 1 + 3 * 32 * 32
FOLDER = "cifar-10-batches-bin"
TRAIN, TEST = tuple(f"data_batch_{n}.bin" for n in range(1, 6)), "test_batch.bin"
NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

CIFAR10 = Remote(
    name="CIFAR-10",
    folder="cifar10",
    file="cifar-10-binary.tar.gz",
    sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    size=170_052_171,
    mirrors=("https://www.cs.toronto.edu/~kriz/",),
    also=(FOLDER,),
)


class Images(NamedTuple):
    """Colour images (N, 3, height, width) as uint8 and labels (N,) as int64, for training and for the test.

    `names` says what the labels mean; `note` is a sentence about files that are not the published ones, empty where
    there is nothing to say.
    """

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]
    names: tuple[str, ...]
    note: str = ""


def cifar10(folder: str | Path | None = None, *, download: bool = True, progress: Watch | None = None) -> Images:
    """50,000 training and 10,000 test photographs of 32x32 pixels, red, green and blue from 0 to 255.

    An archive or an unpacked folder `cifar-10-batches-bin` that lies in the data folder already is read if it holds
    such records, however many; `note` says where it is not the published archive. `progress` is called as for `mnist`.

    Raises:
        DataError: the files cannot be had or read.
    """
    data = data_folder() if folder is None else Path(folder).expanduser()
    (path,) = fetch([CIFAR10], data, download=download, watch=progress)
    records = _unpacked(path) if path.is_dir() else _packed(path)
    return Images(
        *_joined([records.pop(name) for name in TRAIN]),
        *_joined([records.pop(TEST)]),
        names=NAMES,
        note=unverified([CIFAR10], [path]),
    )


def _unpacked(folder: Path) -> dict[str, NDArray[np.uint8]]:
    """The records of each file of a folder."""
    records = {}
    for name in (*TRAIN, TEST):
        path = folder / name
        try:
            data = path.read_bytes()
        except OSError as error:
            raise DamagedFile(path, error.strerror or str(error)) from None
        records[name] = _records(path, "it", data)
    return records


def _packed(path: Path) -> dict[str, NDArray[np.uint8]]:
    """The records of each file of the archive, which is read once, by the names we know; nothing is written."""
    names = {f"{FOLDER}/{name}": name for name in (*TRAIN, TEST)}
    records = {}
    try:
        with path.open("rb") as file, _plain(file) as plain:
            with tarfile.open(fileobj=plain, mode="r|") as archive:
                for member in archive:
                    name = names.get(member.name.removeprefix("./"))
                    content = archive.extractfile(member) if name and member.isfile() else None
                    if name and content:
                        records[name] = _records(path, name, content.read())
            while plain.read(1 << 20):
                pass  # to the end, where gzip's own checksum stands
    except (EOFError, tarfile.TarError, zlib.error, gzip.BadGzipFile, ValueError) as error:
        raise DamagedFile(path, _complaint(error)) from None
    except OSError as error:
        raise DamagedFile(path, error.strerror or str(error)) from None
    if missing := set(names.values()) - records.keys():
        raise DamagedFile(path, f"it has no {FOLDER}/{min(missing)}")
    return records


def _plain(file: BinaryIO) -> BinaryIO:
    """The tar inside. The first bytes say whether it is packed: browsers unpack and keep the name."""
    packed = file.read(2) == GZIP
    file.seek(0)
    return gzip.open(file) if packed else file  # type: ignore[return-value]  # a GzipFile reads as a binary file does


def _complaint(error: Exception) -> str:
    cut = isinstance(error, EOFError) or "unexpected end of data" in str(error)
    return "it is cut short" if cut else "it is no tar archive, or corrupt"


def _records(path: Path, name: str, data: bytes) -> NDArray[np.uint8]:
    """The records of one file as rows: a label, then the pixels."""
    if not data or len(data) % RECORD:
        raise DamagedFile(path, f"{name} has {len(data):,} bytes, which are no records of {RECORD:,}")
    rows: NDArray[np.uint8] = np.frombuffer(data, np.uint8).reshape(-1, RECORD)
    if rows[:, 0].max() >= len(NAMES):
        raise DamagedFile(path, f"{name} has the label {rows[:, 0].max()}, and classes end at {len(NAMES) - 1}")
    return rows


def _joined(parts: list[NDArray[np.uint8]]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images and labels of all parts; each part is let go when it is copied, so that no two copies of all exist."""
    labels = np.concatenate([part[:, 0] for part in parts]).astype(np.int64)
    images = np.empty((len(labels), *SHAPE), np.uint8)
    first = 0
    while parts:
        part = parts.pop(0)
        images[first : first + len(part)] = part[:, 1:].reshape(-1, *SHAPE)
        first += len(part)
    return images, labels
