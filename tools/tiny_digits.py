"""Choose TinyDigits from scikit-learn's digits: `python -m tools.tiny_digits [--check]`.

Of each class the images are put in the order of their SHA-256, which mixes them the same way everywhere and without
a generator; the first 100 are for training, the next 20 for the test. An image that occurs twice is taken once.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FILE = Path(__file__).resolve().parent.parent / "pytest_tinytorch" / "datasets" / "tiny_digits.npz"
TRAIN, TEST = 100, 20


def chosen() -> dict[str, Any]:
    """The four arrays of TinyDigits."""
    digits: Any = importlib.import_module("sklearn.datasets").load_digits()  # it has no types, and is needed only here
    images, labels = digits.images.astype(np.uint8), digits.target.astype(np.int64)
    checksums = {hashlib.sha256(image.tobytes()).digest(): index for index, image in enumerate(images)}
    train, test = _split(checksums, labels)
    return {
        "train_images": images[train],
        "train_labels": labels[train],
        "test_images": images[test],
        "test_labels": labels[test],
    }


def _split(checksums: dict[bytes, int], labels: NDArray[np.int64]) -> tuple[list[int], list[int]]:
    """The indices of both parts: chosen by checksum, and set out by the checksum read backwards.

    In the order of choice itself the parts would end in the class that was the last to have its share.
    """
    train: list[bytes] = []
    test: list[bytes] = []
    for digit in range(10):
        ours = sorted(checksum for checksum, index in checksums.items() if labels[index] == digit)
        train += ours[:TRAIN]
        test += ours[TRAIN : TRAIN + TEST]
    in_order = (sorted(part, key=lambda checksum: checksum[::-1]) for part in (train, test))
    first, second = ([checksums[checksum] for checksum in part] for part in in_order)
    return first, second


def is_fresh() -> bool:
    """Whether the file in the repository holds what this tool chooses."""
    arrays = chosen()
    with np.load(FILE, allow_pickle=False) as kept:
        return set(kept.files) == set(arrays) and all(
            kept[name].dtype == array.dtype and np.array_equal(kept[name], array) for name, array in arrays.items()
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file, or compare it."""
    parser = argparse.ArgumentParser(description="Choose TinyDigits from scikit-learn's digits.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the file differs")
    if not parser.parse_args(arguments).check:
        np.savez_compressed(FILE, **chosen())
        print(f"wrote {FILE}")
        return 0
    fresh = is_fresh()
    print("TinyDigits is what the tool chooses" if fresh else "TinyDigits differs: run python -m tools.tiny_digits")
    return 0 if fresh else 1


if __name__ == "__main__":
    raise SystemExit(main())
