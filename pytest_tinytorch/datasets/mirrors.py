"""Bring missing files: every mirror in turn, again after a pause, and into place when the checksum is right."""

from __future__ import annotations

import tempfile
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from filelock import FileLock

from .bar import watching
from .errors import MirrorsFailed
from .remote import sha256, usable
from .transfer import PATIENCE, Failed, continue_download

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from .remote import Remote, Watch
    from .transfer import Patience


def bring(missing: Sequence[Remote], data: Path, watch: Watch | None = None, patience: Patience = PATIENCE) -> None:
    """Download what is missing, one process at a time, so that no two write the same `.part`.

    Raises:
        DataError: the folder cannot be written, the disk is full, or no mirror gave a file.
    """
    for home in {remote.home(data): None for remote in missing}:
        with _locked(home), watching(watch) as report:
            for remote in missing:
                if remote.home(data) == home and remote.find(data) is None:  # another process may have brought it
                    _ask_around(remote, home, report, patience)


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    """Make the folder, and hold it while we write; another process waits until we are done."""
    with usable(home):
        home.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=home).close()  # a folder may exist and yet not be ours to write
        lock = FileLock(home / ".lock")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _ask_around(remote: Remote, home: Path, watch: Watch, patience: Patience) -> None:
    """Ask every mirror in turn, then once more after each pause; one that refused for good is left out."""
    failures: dict[str, Failed] = {}
    for pause in (0.0, *patience.pauses):
        time.sleep(pause)
        for mirror in remote.mirrors:
            if mirror in failures and failures[mirror].final:
                continue
            try:
                return _ask(mirror, remote, home, watch, patience)
            except Failed as failure:
                failures[mirror] = failure
        if all(failure.final for failure in failures.values()):
            break
    reasons = {urlsplit(mirror).netloc: str(failure) for mirror, failure in failures.items()}
    network = any(failure.reached for failure in failures.values())
    raise MirrorsFailed(str(remote), home, reasons, network=network)


def _ask(mirror: str, remote: Remote, home: Path, watch: Watch, patience: Patience) -> None:
    """Go on with the `.part` at one mirror, and put it into place when it is whole and right.

    The checksum is that of the whole, so what several mirrors sent may be joined. Where that comes out wrong, the
    same mirror sends all of it; a mirror that sends all of it wrong is not asked again.
    """
    part = home / f"{remote.file}.part"
    alone = continue_download(mirror + remote.file, part, remote, watch, patience)
    with usable(home):
        if sha256(part) == remote.sha256:
            part.replace(home / remote.file)
            return None
        part.unlink()
    if alone:
        raise Failed("sent something else than the published file: the checksum differs", final=True)
    return _ask(mirror, remote, home, watch, patience)
