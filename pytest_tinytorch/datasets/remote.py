"""Files that are published somewhere: taken where they lie, downloaded once where they do not."""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import FolderUnusable, Offline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    Watch = Callable[[str, int, int], None]  # file, bytes that have arrived, bytes in all

SWITCH = "TINYTORCH_OFFLINE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """One file of a data set as it is published.

    `folder` is its place in the data folder, `mirrors` are the addresses that hold it, each up to the last slash,
    and `also` names what users may have in its stead, such as the file unpacked.
    """

    name: str
    folder: str
    file: str
    sha256: str
    size: int
    mirrors: tuple[str, ...]
    also: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.file} of {self.name}"

    def home(self, data: Path) -> Path:
        """The folder that a download goes to."""
        return data / self.folder

    def find(self, data: Path) -> Path | None:
        """The file or its stand-in, in its own folder or straight in the data folder."""
        places = [folder / name for folder in (self.home(data), data) for name in (self.file, *self.also)]
        return next((place for place in places if place.exists()), None)

    def matches(self, path: Path) -> bool:
        """Whether a file is the published one, byte for byte; a folder is not."""
        return path.is_file() and path.stat().st_size == self.size and sha256(path) == self.sha256


def sha256(path: Path) -> str:
    """The checksum of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def fetch(remotes: Sequence[Remote], data: Path, *, download: bool = True, watch: Watch | None = None) -> list[Path]:
    """The files of a data set, after downloading those that are not there.

    What is there is taken as it is. What is downloaded has the published checksum and appears whole or not at all;
    until then it lies beside its place as `.part`, from which the next call goes on. `watch` is told of what arrives;
    without it a terminal shows a bar.

    Raises:
        DataError: a file is missing and cannot be had.
    """
    with usable(data):
        missing = [remote for remote in remotes if remote.find(data) is None]
    if missing:
        _refuse_offline(missing[0], data, download=download)
        from .mirrors import bring  # noqa: PLC0415 -- what talks to the network is loaded when something is missing

        bring(missing, data, watch)
    with usable(data):
        return [remote.find(data) or remote.home(data) / remote.file for remote in remotes]


def unverified(remotes: Sequence[Remote], paths: Sequence[Path]) -> str:
    """A sentence about the files that are not the published ones; empty where all are."""
    strange = [path.name for remote, path in zip(remotes, paths, strict=True) if not remote.matches(path)]
    where = f"unverified copies, not the published files, in {paths[0].parent}: "
    return where + ", ".join(strange) if strange else ""


def _refuse_offline(remote: Remote, data: Path, *, download: bool) -> None:
    if os.environ.get(SWITCH, "").lower() not in ("", "0", "no", "false"):
        raise Offline(str(remote), remote.home(data), SWITCH)
    if not download:
        raise Offline(str(remote), remote.home(data), "download=False")


@contextmanager
def usable(folder: Path) -> Iterator[None]:
    """Say in one sentence what the system has against a folder."""
    try:
        yield
    except (FileExistsError, NotADirectoryError):
        raise FolderUnusable(folder, "a file stands in its place") from None
    except OSError as error:
        raise FolderUnusable(folder, error.strerror or str(error)) from None
