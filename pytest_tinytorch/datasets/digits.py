"""Handwritten digits: TinyDigits, which comes with the plugin, and MNIST, which is downloaded."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .errors import DamagedFile
from .folder import data_folder
from .idx import read_idx
from .remote import Remote, fetch, unverified

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .remote import Watch


SIDE, NINE = 28, 9


class Digits(NamedTuple):
    """Images (N, height, width) as uint8 and labels (N,) as int64, for training and for the test.

    `note` is a sentence about files that are not the published ones, empty where there is nothing to say.
    """

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]
    note: str = ""


def tiny_digits() -> Digits:
    """1,000 training and 200 test digits of 8x8 pixels from 0 (paper) to 16 (ink), as many of each class.

    `tools/tiny_digits.py` chose them from scikit-learn's digits; README.md beside this file gives the credits.
    """
    with files(__package__).joinpath("tiny_digits.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return Digits(**arrays)


MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)


def _file(name: str, size: int, sha256: str) -> Remote:
    plain = name.removesuffix(".gz")
    return Remote(name="MNIST", folder="mnist", file=name, sha256=sha256, size=size, mirrors=MIRRORS, also=(plain,))


MNIST = (
    _file("train-images-idx3-ubyte.gz", 9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
    _file("train-labels-idx1-ubyte.gz", 28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
    _file("t10k-images-idx3-ubyte.gz", 1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
    _file("t10k-labels-idx1-ubyte.gz", 4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
)


def mnist(folder: str | Path | None = None, *, download: bool = True, progress: Watch | None = None) -> Digits:
    """60,000 training and 10,000 test digits of 28x28 pixels from 0 (paper) to 255 (ink).

    Files that lie in the data folder already are read if they hold digits, however many; `note` says where they are
    not the published ones. `progress` is called with a file's name, the bytes that have arrived and the bytes in all.

    Raises:
        DataError: the files cannot be had or read.
    """
    data = data_folder() if folder is None else Path(folder).expanduser()
    train_images, train_labels, test_images, test_labels = fetch(MNIST, data, download=download, watch=progress)
    return Digits(
        *_pair(train_images, train_labels),
        *_pair(test_images, test_labels),
        note=unverified(MNIST, [train_images, train_labels, test_images, test_labels]),
    )


def _pair(images: Path, labels: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The images of one file with their labels from the other."""
    pictures, classes = read_idx(images, 3), read_idx(labels, 1)
    if pictures.shape[1:] != (SIDE, SIDE) or not len(pictures):
        raise DamagedFile(images, f"its shape is {pictures.shape}, where (N, {SIDE}, {SIDE}) is due")
    if len(classes) != len(pictures):
        raise DamagedFile(labels, f"it has {len(classes):,} labels, and {images.name} {len(pictures):,} images")
    if classes.max() > NINE:
        raise DamagedFile(labels, f"it has the label {classes.max()}, and digits end at {NINE}")
    return pictures, classes.astype(np.int64)
