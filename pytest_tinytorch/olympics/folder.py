"""The entry files of a class: which files count, and what is wrong with the others.

A folder holds the files themselves, or one folder for each student: with the files, or with a course repository in
whose folder `olympics` they lie.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .entries import Entry, EntryError, parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_BYTES = 64 * 1024  # of a file; an entry has about a thousand
OWN = "olympics"  # the folder of a course repository in which its entries lie


@dataclass(frozen=True, slots=True)
class Gathered:
    """The entries of a folder, in the order of their files, and a sentence for each file that holds none."""

    entries: tuple[Entry, ...]
    refused: tuple[str, ...]


def gather(folder: Path) -> Gathered:
    """Read every entry file of a class. Of two with one name in one event, neither hides the other: the later is told.

    Raises:
        OSError: the folder itself cannot be read.
    """
    entries: dict[tuple[str, str], Entry] = {}
    refused = []
    for path in _files(folder):
        file = path.relative_to(folder).as_posix()
        try:
            entry = parse(read(path), file)
            first = entries.setdefault((entry.event, alike(entry.name)), entry)
            if first is not entry:
                raise EntryError(f'name: "{entry.name}" has entered {entry.event} already, with {first.file}')
        except EntryError as error:
            refused.append(f"{file}: {error}")
    return Gathered(tuple(entries.values()), tuple(refused))


def _files(folder: Path) -> Iterator[Path]:
    """The files that should be entries, in the order of their names; folders that are links are files to be refused."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            own = path / OWN
            yield from _jsons(own if own.is_dir() and not own.is_symlink() else path)
        elif path.suffix.lower() == ".json" or path.is_symlink():
            yield path


def _jsons(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix.lower() == ".json" and not path.is_dir())
    except OSError:
        return [folder]  # reading it says why


def alike(name: str) -> str:
    """What two names have in common that a reader takes for one.

    >>> alike("Ada  Lovelace ") == alike("ada lovelace")
    True
    """
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def read(path: Path) -> bytes:
    """The bytes of an ordinary file that is not too large.

    Raises:
        EntryError: it is another kind of file, too large, or cannot be read.
    """
    try:
        kind = path.lstat()
        if stat.S_ISLNK(kind.st_mode):
            raise EntryError("is a link to somewhere else: put the file itself there")
        if not stat.S_ISREG(kind.st_mode):
            raise EntryError("is no ordinary file that can be read")
        if kind.st_size > MOST_BYTES:
            raise EntryError(f"has {kind.st_size:,} bytes, and an entry has at most {MOST_BYTES:,}")
        with os.fdopen(os.open(path, os.O_RDONLY | _plainly()), "rb") as file:
            return file.read(MOST_BYTES + 1)[:MOST_BYTES]
    except OSError as error:
        raise EntryError(f"cannot be read: {(error.strerror or str(error)).lower()}") from None


def _plainly() -> int:
    """Flags against a link or a pipe that took the file's place meanwhile, where the system has them."""
    return getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
