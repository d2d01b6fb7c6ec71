"""From what a student handed in to the few files that are graded: Python files of the package, in a fresh folder.

A folder is read where it is; an archive or a repository is unpacked beside the fresh folder first, as far as it is
small. No link is followed, nothing that was handed in is run, and git is never asked to check anything out.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .. import course
from . import archives, repositories
from .result import Integrity
from .unpacked import SubmissionError, Unpacked, left_out, shown

__all__ = ["Submission", "SubmissionError", "fetch", "without_password"]

MOST_ODD = 10  # pipes and the like that are told one by one
MOST_FILES = 500  # Python files of the package
MOST_BYTES = 1 << 20  # of one of them
MOST_BYTES_TOGETHER = 16 << 20
MOST_ENTRIES = 20_000  # of the package's folders, Python files or not
DEEPEST = 10  # folders within the package
LOOKED_INTO = 2  # folders down to the package, where it does not lie at the top
CROWDED = 200  # folders at the top that are looked into for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What is graded: `folder` holds `files` and nothing else.

    `files` are named from the package's folder, with slashes. `root` is the folder in which the package was handed in,
    for who wants to look at the rest of it. `digest` is the SHA-256 of names and contents, `commit` and `committed` (an
    ISO time) are those of a repository. `notes` are sentences about what was left out.
    """

    folder: Path
    root: Path
    files: tuple[str, ...]
    digest: str
    commit: str = ""
    committed: str = ""
    notes: tuple[str, ...] = ()
    integrity: tuple[Integrity, ...] = ()


def fetch(source: str, package: str, into: Path, ref: str = "", at: str = "") -> Submission:
    """Copy the package's files of a folder, an archive or a repository into the new folder `into`.

    `ref` is a branch, tag or commit of a repository; `at` an ISO time, whose last commit counts. What an archive or a
    repository held beside the package lies in a folder next to `into` afterwards.

    Raises:
        SubmissionError: there is nothing to grade.
    """
    unpacked = _unpacked(source, package, into.with_name("handed-in"), ref, at)
    try:
        root, notes = _root_of(unpacked.root, package, without_password(source))
        files, more = _python_files(root / package, package)
        digest = _copy(root / package, files, into / package)
    except OSError as error:
        raise SubmissionError(f"{without_password(source)} cannot be read: {error.strerror or error}") from None
    return Submission(
        folder=into / package,
        root=root,
        files=tuple(files),
        digest=digest,
        commit=unpacked.commit,
        committed=unpacked.committed,
        notes=(*unpacked.notes, *notes, *more),
    )


def without_password(source: str) -> str:
    """The source as it may be shown: `https://token@host/x` without the token, and what is not printable escaped."""
    return shown(re.sub(r"^(\w+://)[^/@\s]+@", r"\1", source))


def _unpacked(source: str, package: str, beside: Path, ref: str, at: str) -> Unpacked:
    """The submission as a folder."""
    path = Path(source)
    try:
        if repositories.is_url(source) or ((ref or at) and repositories.is_repository(path)):
            return repositories.unpack(source, package, beside, ref, at)
        if ref or at:
            raise SubmissionError(f"{without_password(source)} is no repository: only one has commits to choose from")
        if path.is_dir():
            bare = repositories.is_bare(path) and not (path / package).is_dir()
            return repositories.unpack(source, package, beside, ref, at) if bare else Unpacked(root=path)
        if path.is_file():
            return archives.unpack(path, package, beside)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        why = getattr(error, "strerror", None) or error
        raise SubmissionError(f"{without_password(source)} cannot be read: {why}") from None
    raise SubmissionError(f"there is no {without_password(source)}")


# ---- where the package is -------------------------------------------------------------------------------


def _root_of(top: Path, package: str, source: str) -> tuple[Path, list[str]]:
    """The folder that holds the package: the top, or the only one below that does."""
    if (top / package).is_symlink():
        raise SubmissionError(f"{package} in {source} is a link, and links are not followed")
    if (top / package).is_dir():
        return top, []
    found = [folder for folder in _folders(top, LOOKED_INTO) if (folder / package).is_dir()]
    found = [folder for folder in found if not (folder / package).is_symlink()]
    if len(found) == 1:
        return found[0], [f"the package was found in {_named(found[0], top)}/"]
    if found:
        places = ", ".join(f"{_named(folder, top)}/{package}/" for folder in found[:4])
        raise SubmissionError(f"{source} holds several packages {package}/: {places}")
    raise SubmissionError(f"there is no package {package}/ in {source}{_similar(top)}")


def _folders(top: Path, depth: int) -> Iterator[Path]:
    """Folders below, nearer ones first, without links and without those that no student works in."""
    level = [top]
    for _ in range(depth):
        level = [inner for outer in level for inner in _inside(outer)][:CROWDED]
        yield from level


def _inside(folder: Path) -> list[Path]:
    try:
        entries = sorted(Path(entry.path) for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False))
    except OSError:  # a folder that may not be read holds nothing
        return []
    return [entry for entry in entries if not entry.name.startswith((".", "__"))]


def _named(folder: Path, top: Path) -> str:
    return shown(folder.relative_to(top).as_posix())


def _similar(top: Path) -> str:
    """Which folders hold files of the course, and so look like the package under another name."""
    names = {module.file for module in course.MODULES}
    folders = [top, *_folders(top, LOOKED_INTO)]
    known = [folder for folder in folders if len([n for n in names if (folder / n).is_file()]) >= 2]
    if top in known:
        return ": the files of the course lie in it directly, and belong in a folder of that name"
    if known:
        names_shown = " and ".join(f"{_named(folder, top)}/" for folder in known[:4])
        return f"; {names_shown} {'looks' if len(known) == 1 else 'look'} like it"
    if not any(_has_entries(top)):
        return ": it is empty"
    return ""


def _has_entries(top: Path) -> Iterator[bool]:
    yield from (entry.name != ".git" for entry in os.scandir(top))


# ---- its files --------------------------------------------------------------------------------------------


def _python_files(package: Path, name: str) -> tuple[list[str], list[str]]:
    """The package's modules by their names from its folder, sorted, and sentences about what was left out."""
    files, links, odd, entries, size = [], list[str](), list[str](), 0, 0
    for path, entry in _walk(package, "", name):
        entries += 1
        if entries > MOST_ENTRIES:
            raise SubmissionError(f"{name}/ holds more than {MOST_ENTRIES:,} files")
        if entry.is_symlink():
            links.append(f"{name}/{path}")
        if not _is_module(path) or not entry.is_file(follow_symlinks=False):
            if _is_module(path) and not entry.is_symlink() and not entry.is_dir(follow_symlinks=False):
                odd.append(f"{name}/{shown(path)} is no regular file, and was left out")
            continue
        length = entry.stat(follow_symlinks=False).st_size
        if length > MOST_BYTES:
            raise SubmissionError(f"{name}/{shown(path)} has {length:,} bytes: a module has {MOST_BYTES:,} at most")
        files.append(path)
        size += length
    if len(files) > MOST_FILES or size > MOST_BYTES_TOGETHER:
        most = f"{MOST_FILES} modules, and {MOST_BYTES_TOGETHER:,} bytes"
        raise SubmissionError(f"{name}/ holds {len(files):,} modules with {size:,} bytes: the most are {most}")
    if not files:
        raise SubmissionError(f"{name}/ holds no Python file")
    _refuse_twins(files, name)
    return sorted(files), [*left_out(links), *sorted(odd)[:MOST_ODD]]


def _walk(folder: Path, prefix: str, name: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Every entry below a folder with its name from there."""
    if prefix.count("/") > DEEPEST:
        raise SubmissionError(f"{name}/ holds folders more than {DEEPEST} deep: {shown(prefix)[:100]}")
    with os.scandir(folder) as entries:
        for entry in entries:
            yield f"{prefix}{entry.name}", entry
            if entry.is_dir(follow_symlinks=False) and entry.name.isidentifier() and entry.name != "__pycache__":
                yield from _walk(Path(entry.path), f"{prefix}{entry.name}/", name)


def _is_module(path: str) -> bool:
    """Whether Python could import the file by its name: `blocks/gated.py`."""
    return path.endswith(".py") and all(part.isidentifier() for part in path[:-3].split("/"))


def _refuse_twins(files: list[str], name: str) -> None:
    """Two names that are one on a system whose files do not know capitals."""
    seen = dict[str, str]()
    for path in sorted(files):
        twin = seen.setdefault(path.casefold(), path)
        if twin != path:
            raise SubmissionError(f"{name}/ holds {twin} and {path}, which some systems take for one file")


def _copy(package: Path, files: list[str], folder: Path) -> str:
    """Copy the files, and say what they are: the SHA-256 of names and contents."""
    digest = hashlib.sha256()
    folder.mkdir(parents=True)
    for name in files:
        content = _content(package / name)
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _content(path: Path) -> bytes:
    """What a regular file holds; one that has become a link, a pipe or a device meanwhile is not read."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | _BINARY)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise SubmissionError(f"{shown(path.name)} is no regular file any more")
        return file.read(MOST_BYTES)


_BINARY = getattr(os, "O_BINARY", 0)  # Windows would translate line ends
