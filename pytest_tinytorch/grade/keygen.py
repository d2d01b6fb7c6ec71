"""`tinytorch-grade keygen FILE`: a key to sign results with.

Exit codes: 0 made; 4 there is such a file already, or it cannot be written.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .signing import BAD_USAGE, KeyFileError, make_key


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What it takes."""
    parser.add_argument("file", metavar="FILE", type=Path, help="the key's file, which must not be there yet")


def main(options: argparse.Namespace) -> int:
    """Make the key; the exit code."""
    try:
        key = make_key(options.file)
    except KeyFileError as error:
        sys.stderr.write(f"tinytorch-grade keygen: {error}\n")
        return BAD_USAGE
    name = str(options.file).encode("ascii", "backslashreplace").decode()
    sys.stdout.write(f"{name}: key {key.name}; keep it from those whose results it signs\n")
    return 0
