"""One attempt to bring a file over HTTP, going on from what has arrived already."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests
import urllib3

from .errors import DiskFull, FolderUnusable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .remote import Remote, Watch

PIECE = 1 << 16
FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds until a silent server is given up, and the pauses after which the mirrors are asked again."""

    connect: float = 10.0
    stall: float = 20.0
    pauses: tuple[float, ...] = (1.0, 2.0, 4.0)


PATIENCE = Patience()

SILENCES: tuple[tuple[type[requests.RequestException], str, dict[str, bool]], ...] = (
    (requests.exceptions.SSLError, "has a certificate that this computer does not trust", {"final": True}),
    (requests.exceptions.ProxyError, "could not be reached through the proxy", {"reached": False}),
    (requests.ConnectTimeout, "did not answer within {0.connect:g} s", {"reached": False}),
    (requests.ReadTimeout, "sent nothing for {0.stall:g} s", {}),
    (requests.ConnectionError, "could not be reached", {"reached": False}),
    (requests.TooManyRedirects, "redirects without end", {"final": True}),
)  # the first that fits: the kinds above are kinds of ConnectionError


class Failed(Exception):
    """An attempt that did not bring the whole file.

    `final` says that asking this mirror again is no use, `reached` that something answered.
    """

    def __init__(self, why: str, *, final: bool = False, reached: bool = True) -> None:
        super().__init__(why)
        self.final = final
        self.reached = reached


def continue_download(url: str, part: Path, remote: Remote, watch: Watch, patience: Patience) -> bool:
    """Bring the rest of a file into `part`; true where all of it came by this attempt.

    Raises:
        Failed: the mirror did not give what is missing; what arrived stays in `part`.
        DataError: it cannot be written.
    """
    have = _arrived(part, remote)
    if have == remote.size:
        return False
    with _asked(url, have, patience) as answer:
        start = _start(answer, have, remote.size)
        with _writing(part, remote), part.open("ab" if start else "wb") as file:
            arrived = start
            for piece in _pieces(answer, patience):
                arrived += file.write(piece)
                if arrived > remote.size:
                    break  # the checksum will say the rest
                watch(remote.file, arrived, remote.size)
            file.flush()
            os.fsync(file.fileno())  # the file's name must not outlive its contents
    if arrived < remote.size:
        raise Failed(f"broke off after {arrived:,} of {remote.size:,} bytes")
    return start == 0


def _arrived(part: Path, remote: Remote) -> int:
    """How much of the file lies there; a `.part` that is too long is none of it."""
    with _writing(part, remote):
        have = part.stat().st_size if part.exists() else 0
    return have if have <= remote.size else 0


@contextmanager
def _asked(url: str, have: int, patience: Patience) -> Iterator[requests.Response]:
    """The server's answer to a request for what comes after the first `have` bytes."""
    headers = {"Accept-Encoding": "identity"}  # the bytes as published, so that offsets and checksum hold
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        answer = requests.get(url, headers=headers, stream=True, timeout=(patience.connect, patience.stall))
    except requests.RequestException as error:
        raise _failed(error, patience) from None
    with answer:
        yield answer


def _start(answer: requests.Response, have: int, size: int) -> int:
    """Where the answer's first byte belongs: after what we have, or at 0 where the server sends all anew."""
    if answer.status_code == requests.codes.partial_content:
        due = f"bytes {have}-{size - 1}/{size}"
        if answer.headers.get("Content-Range") != due:
            raise Failed("has a file of another size", final=True)
        return have
    if answer.status_code != requests.codes.ok:
        passing = answer.status_code >= 500 or answer.status_code in {408, 425, 429}
        raise Failed(f"answered {answer.status_code} {answer.reason}".rstrip(), final=not passing)
    if answer.headers.get("Content-Length", str(size)) != str(size):
        raise Failed("has a file of another size", final=True)
    return 0


def _pieces(answer: requests.Response, patience: Patience) -> Iterator[bytes]:
    """What the server sends, as it is on the wire."""
    try:
        yield from answer.raw.stream(PIECE, decode_content=False)
    except urllib3.exceptions.ReadTimeoutError:
        raise Failed(f"sent nothing more for {patience.stall:g} s") from None
    except (urllib3.exceptions.HTTPError, OSError):
        return  # the length tells


def _failed(error: requests.RequestException, patience: Patience) -> Failed:
    """What a request that got no answer met, in words."""
    for kind, why, how in SILENCES:
        if isinstance(error, kind):
            return Failed(why.format(patience), **how)
    return Failed(f"could not be asked ({type(error).__name__})", final=True)


@contextmanager
def _writing(part: Path, remote: Remote) -> Iterator[None]:
    """Tell a full disk from a folder that cannot be written."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            arrived = part.stat().st_size if part.exists() else 0
            raise DiskFull(str(remote), part.parent, remote.size - arrived) from None
        raise FolderUnusable(part.parent, error.strerror or str(error)) from None
