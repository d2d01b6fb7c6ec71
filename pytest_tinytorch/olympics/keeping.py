"""Where a run leaves its entries: files in the folder `olympics` of the course repository, written by the judge.

What lies there already is the student's. A file gives way to a better entry of the same name, and to nothing else.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..exhibits import passage
from .board import figure
from .entries import LONGEST_NAME, Entry, EntryError, entry_of, parse
from .folder import OWN, alike, read


@dataclass(frozen=True, slots=True)
class Desk:
    """The course repository in which a student's entries lie, and the name that they bear."""

    root: Path
    name: str

    @classmethod
    def of(cls, root: Path, name: str) -> Desk:
        """A name that was asked for, or else that of the repository's folder."""
        folder = "".join(c if c.isprintable() else "?" for c in root.resolve().name)[:LONGEST_NAME]
        return cls(root, name or (folder if folder.strip() else "somebody"))


@dataclass(frozen=True, slots=True)
class Kept:
    """A sentence about each entry, and exhibits of those that found no place."""

    notes: tuple[str, ...]
    exhibits: tuple[Any, ...]


def keep(desk: Desk, year: int, seed: int, measured: Iterable[Mapping[str, Any]]) -> Kept:
    """Write an entry for each event that was measured, with the name and seed of the run."""
    versions = {"python": platform.python_version(), "numpy": np.__version__}
    notes, homeless = [], []
    for event in measured:
        entry = entry_of(Entry(name=desk.name, seed=seed, **versions, **event).record())
        shown = f"{OWN}/{year}-{entry.event}.json"
        try:
            notes.append(_put(entry, desk.root / OWN / f"{year}-{entry.event}.json", shown))
        except (OSError, EntryError) as error:
            why = (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
            notes.append(f"{shown} was not written ({why}); what it would hold is below.")
            homeless += passage(shown, entry.text())
    return Kept(tuple(notes), tuple(homeless))


def _put(entry: Entry, path: Path, shown: str) -> str:
    """Write the entry where no other stands in the way, and say what was done."""
    if path.parent.is_symlink():
        raise EntryError(f"{OWN} is a link to somewhere else")
    path.parent.mkdir(exist_ok=True)
    told = f"{shown}: {entry.event}, {figure(entry)}"
    if os.path.lexists(path):
        earlier = parse(read(path))
        if alike(earlier.name) != alike(entry.name) or earlier.event != entry.event:
            raise EntryError(f'what lies there is for {earlier.event}, by "{earlier.name}"')
        if earlier.figure >= entry.figure:
            return f"{told} in this run; the file stays, for it says {figure(earlier)}."
        told += f", in place of {figure(earlier)}"
    fresh = path.with_name(f".{path.stem}.{os.getpid()}.part")
    try:
        with fresh.open("x", encoding="ascii", newline="\n") as file:
            file.write(entry.text())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    return f"{told}."
