"""What archives and repositories have in common: which of their files are unpacked, where to, and how much."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

MOST_ENTRIES = 100_000  # names that are read, of whatever
MOST_FILES = 2_000  # files that are unpacked
MOST_BYTES = 1 << 20  # of one file that is unpacked; a byte more is, so that who takes it can say that it is too much
MOST_BYTES_TOGETHER = 64 << 20
MOST_BESIDE = 1_000  # files beside the package, which nobody runs
MOST_BYTES_BESIDE = 16 << 20
DEEPEST_BESIDE = 4
LONGEST_NAME = 400
MOST_LINKS = 10  # that are named


class SubmissionError(Exception):
    """A submission that cannot be graded; the message is one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """A submission as a folder. `commit` and `committed` are those of a repository."""

    root: Path
    commit: str = ""
    committed: str = ""
    notes: tuple[str, ...] = ()


def shown(text: str) -> str:
    """Text from outside, for a sentence: no line ends, nothing that a terminal would obey, not too long."""
    safe = text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    return safe if len(safe) <= LONGEST_NAME else f"{safe[:LONGEST_NAME]}…"


@dataclass(kw_only=True)
class Unpacking:
    """Decides which entries of an archive or repository are unpacked, and writes them.

    The package's Python files are, and small files beside them, which someone may want to look at. `what` names the
    archive in sentences. An entry that would lie elsewhere is no accident: such an archive is refused whole.
    """

    root: Path
    package: str
    what: str
    entries: int = 0
    links: list[str] = field(default_factory=list)
    _beside: int = 0
    _beside_bytes: int = 0
    _files: int = 0
    _bytes: int = 0
    _seen: set[str] = field(default_factory=set)

    def count(self) -> None:
        """One more entry."""
        self.entries += 1
        if self.entries > MOST_ENTRIES:
            raise SubmissionError(f"{self.what} holds more than {MOST_ENTRIES:,} files")

    def parts(self, name: str) -> list[str]:
        """An entry's name in parts: `["course", "tinytorch", "tensor.py"]`."""
        parts = [part for part in name.replace("\\", "/").split("/") if part not in {"", "."}]
        if ".." in parts or re.match(r"[/\\]|[A-Za-z]:", name):
            raise SubmissionError(f"{self.what} holds a path that leads out of it: {shown(name)}")
        return parts

    def note_link(self, parts: list[str]) -> None:
        """A link: it is not followed. One in the package is worth a word."""
        if self.package in parts and parts[-1].endswith(".py"):
            self.links.append("/".join(parts))

    def wants(self, parts: list[str], size: int) -> bool:
        """Whether a regular file of that size is to be unpacked."""
        if not parts or parts[0] == ".git" or not all(_is_name(part) for part in parts):
            return False
        is_module = parts[-1].endswith(".py") and self.package in parts[:-1]
        if size > MOST_BYTES:
            if is_module:
                name = shown("/".join(parts))
                raise SubmissionError(f"{name} has {size:,} bytes: a module has {MOST_BYTES:,} at most")
            return False
        return is_module or self._has_room(parts, size)

    def _has_room(self, parts: list[str], size: int) -> bool:
        """Whether one more file beside the package is unpacked: the first thousand, not far from the top."""
        if len(parts) > DEEPEST_BESIDE or self._beside >= MOST_BESIDE or self._beside_bytes + size > MOST_BYTES_BESIDE:
            return False
        self._beside += 1
        self._beside_bytes += size
        return True

    def write(self, parts: list[str], content: bytes) -> None:
        """Write a file that is wanted."""
        name = "/".join(parts)
        if name.casefold() in self._seen:
            raise SubmissionError(f"{self.what} holds {shown(name)} twice")
        self._seen.add(name.casefold())
        self._files += 1
        self._bytes += len(content)
        if self._files > MOST_FILES or self._bytes > MOST_BYTES_TOGETHER:
            most = f"{MOST_FILES:,} Python files, and {MOST_BYTES_TOGETHER >> 20} MB"
            raise SubmissionError(f"{self.what} holds too much: the most are {most}")
        target = self.root.joinpath(*parts)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        except (FileExistsError, NotADirectoryError, IsADirectoryError, PermissionError):
            raise SubmissionError(f"{self.what} holds {shown(name)} as a file and as a folder") from None

    def done(self, commit: str = "", committed: str = "") -> Unpacked:
        """What was unpacked."""
        return Unpacked(root=self.root, commit=commit, committed=committed, notes=tuple(left_out(self.links)))


def left_out(links: list[str]) -> list[str]:
    """Sentences about links that were not followed."""
    notes = [f"{shown(name)} is a link, and was left out" for name in sorted(links)[:MOST_LINKS]]
    more = len(links) - MOST_LINKS
    return [*notes, f"{more} more links were left out"] if more > 0 else notes


def _is_name(part: str) -> bool:
    """Whether every system can have a file of this name."""
    return part.isprintable() and len(part.encode("utf-8", "replace")) <= 200 and not set(part) & set('<>:"|?*')
