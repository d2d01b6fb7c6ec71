"""Download data sets before they are needed: `python -m pytest_tinytorch.datasets mnist cifar10`.

Exit codes: 0 the files are there and can be read, 1 they cannot be had (one sentence says why), 2 the command line
cannot be used, 130 interrupted; what had arrived by then is kept.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .cifar import cifar10
from .digits import mnist
from .errors import DataError
from .folder import data_folder
from .shakespeare import tiny_shakespeare

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .cifar import Images
    from .digits import Digits

DOWNLOADS: dict[str, Callable[[Path], Digits | Images | str]] = {
    "mnist": mnist,
    "cifar10": cifar10,
    "shakespeare": tiny_shakespeare,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch each data set that is named and say where it is."""
    parser = argparse.ArgumentParser(prog="python -m pytest_tinytorch.datasets", description="Download data sets.")
    parser.add_argument("name", nargs="+", choices=sorted(DOWNLOADS))
    parser.add_argument("--folder", type=Path, help="the data folder (default: TINYTORCH_DATA, else your cache)")
    asked = parser.parse_args(arguments)
    try:
        for name in asked.name:
            sys.stdout.write(_describe(name, asked.folder or data_folder()))
    except DataError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted: what has arrived is kept\n")
        return 130
    return 0


def _describe(name: str, folder: Path) -> str:
    data = DOWNLOADS[name](folder)
    if isinstance(data, str):
        return f"{name} in {folder}: {len(data):,} characters\n"
    counts = f"{len(data.train_labels):,} images for training, {len(data.test_labels):,} for the test"
    return "".join(f"{line}\n" for line in (f"{name} in {folder}: {counts}", data.note) if line)


if __name__ == "__main__":
    raise SystemExit(main())
