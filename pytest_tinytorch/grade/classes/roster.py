"""Who handed in what: the entries of a folder, or the rows of a CSV file.

A roster has the columns `student` and `source` (a path, relative to the roster, or a URL), and may have `ref` (a
branch, tag or commit). Others are ignored. Commas, semicolons or tabs separate them, as spreadsheets export them.
"""

from __future__ import annotations

import csv
import io
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...reports.text import listed
from ..submission import without_password

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
COLUMNS = ("student", "source", "ref")
NEEDED = COLUMNS[:2]
SEPARATORS = ",;\t"
MOST_BYTES = 64 << 20
URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|[^/\\]+@[^/\\:]+:")  # https://…, git@host:path


class RosterError(Exception):
    """The class cannot be read; each of `sentences` says one thing that is wrong."""

    def __init__(self, *sentences: str) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = sentences


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One student's submission. `source` is empty where none is named; `where` says what named it."""

    student: str
    source: str
    ref: str = ""
    where: str = ""

    @property
    def shown(self) -> str:
        """The source as it may be kept and shown: without a password or token in it."""
        return without_password(self.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Class:
    """The submissions in order of the students' names, and sentences about what was passed over."""

    entries: tuple[Entry, ...]
    notes: tuple[str, ...] = ()

    def shard(self, number: int, of: int) -> Class:
        """The share of one of several machines: every so-manieth student."""
        return Class(entries=self.entries[number - 1 :: of], notes=self.notes)


def read(path: Path, package: str = "tinytorch") -> Class:
    """The class of a folder or a roster.

    Raises:
        RosterError: there is nothing, or something that cannot be understood.
    """
    if path.is_dir():
        return _folder(path, package)
    if path.is_file():
        return _roster(path)
    raise RosterError(f"there is no folder and no roster at {path}")


def _ordered(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    return tuple(sorted(entries, key=lambda entry: entry.student))


def _name(text: str) -> str:
    """A name as it is compared and written: composed characters, single blanks, nothing that is no text."""
    whole = os.fsencode(text).decode("utf-8", "backslashreplace") if not _is_text(text) else text
    return " ".join(unicodedata.normalize("NFC", whole).split())


def _is_text(text: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in text)


# ---- a folder


def _folder(folder: Path, package: str) -> Class:
    """Every folder, archive and bare repository in it."""
    if (folder / package).is_dir() and any((folder / package).glob("*.py")):
        raise RosterError(f"{folder} is one submission (it holds {package}/): give the folder that holds all of them")
    entries, notes = list[Entry](), list[str]()
    for path in sorted(folder.iterdir()):
        student = _student(path)
        if student:
            entries.append(Entry(student=student, source=str(path.absolute()), where=_name(path.name)))
        elif not path.name.startswith("."):
            notes.append(f"passed over {_name(path.name)}: it is no folder, archive or repository")
    if not entries:
        raise RosterError(f"{folder} holds no submission: no folder, no archive, no repository")
    _refuse(_twice(entries))
    return Class(entries=_ordered(entries), notes=tuple(notes))


def _student(path: Path) -> str:
    """The name that an entry of the folder stands for; empty where it is no submission. Links are none."""
    if path.name.startswith(".") or path.is_symlink():
        return ""
    if path.is_dir():
        return _name(path.name.removesuffix(".git"))
    ending = next((e for e in ARCHIVES if path.name.lower().endswith(e)), "")
    return _name(path.name[: -len(ending)]) if ending and path.is_file() else ""


def _twice(entries: Sequence[Entry]) -> list[str]:
    first = dict[str, Entry]()
    found = list[str]()
    for entry in entries:
        before = first.setdefault(entry.student, entry)
        if before is not entry:
            found.append(f"{entry.where}: {entry.student} is already in {before.where}; a student has one submission")
    return found


def _refuse(sentences: list[str]) -> None:
    if sentences:
        raise RosterError(*sentences)


# ---- a roster


def _roster(path: Path) -> Class:
    """The rows of a CSV file; everything that is wrong with it is said at once."""
    rows = _rows(_text(path), path.name)
    line, head = next(rows, (0, []))
    if not head:
        raise RosterError(f"{path.name} is empty: it needs a line with the columns {listed(list(NEEDED))}")
    columns = _columns(head, f"{path.name}:{line}")
    entries, wrong = list[Entry](), list[str]()
    for line, row in rows:
        where = f"{path.name}:{line}"
        if len(row) > len(head):
            wrong.append(f"{where}: {len(row)} columns, where the first line names {len(head)}")
            continue
        cells = {name: row[at].strip() if at < len(row) else "" for name, at in columns.items()}
        if not _name(cells["student"]):
            wrong.append(f"{where}: no student is named")
            continue
        entries.append(_entry(cells, where, path.parent))
    _refuse(wrong + _twice(entries))
    if not entries:
        raise RosterError(f"{path.name} names no student: there is nothing below its first line")
    return Class(entries=_ordered(entries))


def _entry(cells: dict[str, str], where: str, folder: Path) -> Entry:
    source = cells["source"]
    is_path = bool(source) and not URL.match(source)
    return Entry(
        student=_name(cells["student"]),
        source=str((folder / Path(source).expanduser()).absolute()) if is_path else source,
        ref=cells.get("ref", ""),
        where=where,
    )


def _text(path: Path) -> str:
    """The file's text: UTF-8, or what its byte order mark says.

    Raises:
        RosterError: another encoding, or too large.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise RosterError(f"{path.name} has more than {MOST_BYTES >> 20} MB: this is no roster")
        data = path.read_bytes()
    except OSError as error:
        raise RosterError(f"{path.name} cannot be read: {error.strerror}") from None
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RosterError(f"{path.name}:{line}: no UTF-8 text; save it as “CSV UTF-8”") from None


def _rows(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that say something, each with the number of its last line."""
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise RosterError(f"{name}:{line}: a zero byte; this is no CSV file")
    first = next((line for line in text.splitlines() if line.strip()), "")
    told = re.fullmatch(r"sep=(.)\s*", first)  # how Excel says it
    separator = told[1] if told else max(SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row) and not (told and separator.join(row).strip() == first.strip()):
                yield reader.line_num, row
    except csv.Error as error:
        raise RosterError(f"{name}:{reader.line_num}: {error}") from None


def _columns(head: list[str], where: str) -> dict[str, int]:
    """Where each column is."""
    names = [name.strip().casefold() for name in head]
    missing = [name for name in NEEDED if name not in names]
    if missing:
        there = ", ".join(name or "(no name)" for name in names)
        raise RosterError(f"{where}: no column {' and no column '.join(missing)} among: {there}")
    for name in COLUMNS:
        if names.count(name) > 1:
            raise RosterError(f"{where}: the column {name} stands there twice")
    return {name: names.index(name) for name in COLUMNS if name in names}
