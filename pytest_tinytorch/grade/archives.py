"""Archives: read entry by entry; what they say of themselves is taken for a claim."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from .unpacked import MOST_BYTES, SubmissionError, Unpacked, Unpacking, shown

MOST_ARCHIVE = 256 << 20  # bytes of an archive
MOST_UNPACKED = 512 << 20  # bytes of a tar file, when its compression is undone
MOST_MEMORY = 256 << 20  # that undoing xz may take
DIRECTORY = struct.Struct("<4s4H2LH")  # the record at the end of a zip file: its last numbers are sizes
MOST_DIRECTORY = 32 << 20
LONG_HEADERS = (
    tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK,
)  # fmt: skip
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def unpack(path: Path, package: str, folder: Path) -> Unpacked:
    """The files of a zip or tar file that matter, in a new folder.

    Raises:
        SubmissionError: it is no archive, or one that no student makes.
    """
    unpacking = Unpacking(root=folder, package=package, what=shown(path.name))
    if path.stat().st_size > MOST_ARCHIVE:
        raise SubmissionError(f"{unpacking.what} has more than {MOST_ARCHIVE >> 20} MB")
    folder.mkdir(parents=True)
    with path.open("rb") as file:
        start = file.read(6)
        file.seek(0)
        try:
            if start.startswith(b"PK"):
                _unzip(file, unpacking)
            else:
                _untar(_decompressed(file, start), unpacking)
        except (
            zipfile.BadZipFile,
            tarfile.TarError,
            zlib.error,
            lzma.LZMAError,
            EOFError,
            OSError,
            ValueError,
        ) as error:
            raise SubmissionError(_unreadable(unpacking, error)) from None
        except (MemoryError, OverflowError, RecursionError, struct.error, NotImplementedError, IndexError):
            raise SubmissionError(f"{unpacking.what} is damaged") from None
    return unpacking.done()


def _unreadable(unpacking: Unpacking, error: Exception) -> str:
    if unpacking.entries:
        return f"{unpacking.what} is damaged: {shown(str(error))}"
    return f"{unpacking.what} is no zip file and no tar file: {shown(str(error))}"


# ---- zip --------------------------------------------------------------------------------------------------


def _unzip(file: IO[bytes], unpacking: Unpacking) -> None:
    _refuse_large_directory(file, unpacking)
    with zipfile.ZipFile(file) as archive:
        for entry in archive.infolist():
            unpacking.count()
            parts = unpacking.parts(entry.filename)
            kind = stat.S_IFMT(entry.external_attr >> 16)
            if kind == stat.S_IFLNK:
                unpacking.note_link(parts)
            if entry.is_dir() or kind not in {0, stat.S_IFREG} or not unpacking.wants(parts, entry.file_size):
                continue
            if entry.flag_bits & 1:
                raise SubmissionError(f"{unpacking.what} is encrypted")
            if entry.compress_type not in METHODS:
                raise SubmissionError(f"{unpacking.what} is compressed in a way that is not read: use deflate")
            with archive.open(entry) as packed:
                unpacking.write(parts, _all_of(packed, unpacking, parts))


def _refuse_large_directory(file: IO[bytes], unpacking: Unpacking) -> None:
    """The list of a zip file's entries is read at once: look at its size first."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - (1 << 16) - DIRECTORY.size))
    end = file.read()
    at = end.rfind(b"PK\5\6")
    if at < 0 or len(end) - at < DIRECTORY.size:
        raise zipfile.BadZipFile("it has no end")
    listed = DIRECTORY.unpack_from(end, at)[5]
    if end[max(0, at - 20) : at].startswith(b"PK\6\7"):
        raise SubmissionError(f"{unpacking.what} is in the zip64 format, which is for archives above 4 GB")
    if listed > MOST_DIRECTORY:
        raise SubmissionError(f"{unpacking.what} holds too many files")
    file.seek(0)


def _all_of(packed: Any, unpacking: Unpacking, parts: list[str]) -> bytes:
    """What a file holds, whatever size it is said to have."""
    content: bytes = packed.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise SubmissionError(f"{shown('/'.join(parts))} is larger than {unpacking.what} says")
    return content


# ---- tar --------------------------------------------------------------------------------------------------


def _decompressed(file: IO[bytes], start: bytes) -> IO[bytes]:
    known: dict[bytes, Callable[[IO[bytes]], Any]] = {
        b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
        b"BZh": bz2.BZ2File,
        b"\xfd7zXZ\0": _Unxz,
    }
    return next((undo(file) for magic, undo in known.items() if start.startswith(magic)), file)


class _Unxz(io.RawIOBase):
    """Undoes xz within limited memory, which `lzma.open` does not."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._undo = lzma.LZMADecompressor(memlimit=MOST_MEMORY)

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes; none at the end."""
        while not self._undo.eof:
            packed = self._file.read(1 << 16) if self._undo.needs_input else b""
            if self._undo.needs_input and not packed:
                raise EOFError("it is cut off")
            found = self._undo.decompress(packed, max_length=max(size, 1))
            if found:
                return found
        return b""


class _Counted:
    """A stream that ends the reading when there is too much of it."""

    def __init__(self, stream: IO[bytes], unpacking: Unpacking) -> None:
        self._stream = stream
        self._unpacking = unpacking
        self._left = MOST_UNPACKED

    def read(self, size: int) -> bytes:
        content = b""
        while len(content) < size and (more := self._stream.read(size - len(content))):
            content += more
        self._left -= len(content)
        if self._left < 0:
            raise SubmissionError(f"{self._unpacking.what} unpacks to more than {MOST_UNPACKED >> 20} MB")
        return content


class _Header(tarfile.TarInfo):
    """A header that is not believed where it says that another one of many megabytes follows.

    For `TarFile` a damaged header, or none, ends the archive like the block of zeros that is due there.
    """

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Header:
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            whole = len(buf) == tarfile.BLOCKSIZE
            if whole and not any(buf):
                raise
            raise tarfile.ReadError(str(error) if whole else "it is cut off") from None
        if header.type in LONG_HEADERS and header.size > MOST_BYTES:
            raise tarfile.ReadError(f"a header of {header.size:,} bytes")
        return header


def _untar(stream: IO[bytes], unpacking: Unpacking) -> None:
    counted: Any = _Counted(stream, unpacking)
    with tarfile.open(fileobj=counted, mode="r|", tarinfo=_Header) as archive:
        for entry in archive:
            unpacking.count()
            parts = unpacking.parts(entry.name)
            if entry.issym() or entry.islnk():
                unpacking.note_link(parts)
            if not entry.isreg() or not unpacking.wants(parts, entry.size):
                continue
            packed = archive.extractfile(entry)
            if packed is not None:
                unpacking.write(parts, _all_of(packed, unpacking, parts))
            archive.members = []  # type: ignore[attr-defined]  # or it would keep them all
