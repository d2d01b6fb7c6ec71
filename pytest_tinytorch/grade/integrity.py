"""Findings about integrity: what an instructor should look at, beside the score and without a change of it.

`screen` looks at the files that are graded (`screening.py`, by the tables in `rules.py`) and at what lies around them
(`configuration.py`). It follows no link, runs nothing, and takes a bounded time whatever it is given.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from . import configuration
from .assignment import Assignment
from .reading import Reader, Unreadable
from .result import Integrity

FILE_BYTES = 1 << 20  # a file of the package that is larger is not read; the largest of the course has 50 kB
PACKAGE_BYTES = 8 << 20
CONFIGURATION_BYTES = 256 << 10
SECONDS = 10.0  # of CPU time for one question to the reading process; a whole course takes half of one
FILE_SECONDS = 3.0
MOST_UNREADABLE = 3  # files; then the screen gives up
ENTRIES = 20_000  # of the submitted tree
DEPTH = 12
WALK_SECONDS = 30.0
MOST = 40  # findings of one kind that are told one by one

CONFIGURATION, UNREAD = "tampered configuration", "attack"
NO_EFFECT = "; the grader did not load it, so it had no effect"

# Installed packages that a run of pytest imports, or that a check does; and scripts that beginners happen to write.
SHADOWED = frozenset(
    {"numpy", "pytest", "_pytest", "pluggy", "pytest_tinytorch", "rich", "coverage", "iniconfig", "packaging"}
)
SCRIPTS = frozenset(
    {"test", "code", "profile", "cProfile", "cmd", "trace", "turtle", "this", "antigravity", "calendar", "idlelib"}
)
STARTUP = frozenset({"sitecustomize.py", "usercustomize.py"})
COMPILED = frozenset({"so", "pyd", "dylib", "dll"})
NOT_LOOKED_INTO = frozenset({".git", ".hg", ".svn", "node_modules", "site-packages", ".tox", ".nox"})


def screen(
    root: Path | None, package: str, files: Mapping[str, bytes], assignment: Assignment | None = None
) -> tuple[Integrity, ...]:
    """Everything to look at in a submission; nothing for an honest one.

    `files` are the graded files by their names within the package (`tensor.py`, `extra/fast.py`). `root` is what was
    handed in, which is only looked at; None looks at the files alone. `assignment` says which course it is.
    """
    with Reader() as reader:
        found = [*_package(reader, package, files), *(_around(reader, root, package, assignment) if root else ())]
    return tuple(dict.fromkeys(found))


# ---- the package -----------------------------------------------------------------------------------------


def _package(reader: Reader, package: str, files: Mapping[str, bytes]) -> Iterator[Integrity]:
    """What the screen of the files says, and which files it could not read."""
    readable = {name: source for name, source in files.items() if len(source) <= FILE_BYTES}
    for name in sorted(files.keys() - readable.keys()):
        size = f"{len(files[name]) / (1 << 20):.1f} MB"
        yield _unread(
            package, name, f"the file has {size}, too much to be screened (the limit is {FILE_BYTES >> 20} MB)"
        )
    if sum(map(len, readable.values())) > PACKAGE_BYTES:
        yield _unread(package, "", f"the package has more than {PACKAGE_BYTES >> 20} MB, too much to be screened")
        return
    try:
        said = reader.ask("screen", package, readable, SECONDS)
    except Unreadable:
        bad = _unreadable(reader, package, readable)
        yield from (_unread(package, name, "reading it takes all time or memory; it was not screened") for name in bad)
        try:
            said = reader.ask("screen", package, {name: readable[name] for name in readable.keys() - bad}, SECONDS)
        except Unreadable:
            yield _unread(package, "", "reading the package takes all time or memory; it was not screened")
            return
    yield from (Integrity(kind=kind, says=says, file=file, line=line) for kind, says, file, line in said)


def _unreadable(reader: Reader, package: str, files: Mapping[str, bytes]) -> set[str]:
    """Which files end a reading process, each tried alone; the largest first, and a few at most."""
    bad: set[str] = set()
    for name in sorted(files, key=lambda name: -len(files[name])):
        if len(bad) == MOST_UNREADABLE:
            break
        try:
            reader.ask("screen", package, {name: files[name]}, FILE_SECONDS)
        except Unreadable:
            bad.add(name)
    return bad


def _unread(package: str, name: str, says: str) -> Integrity:
    return Integrity(kind=UNREAD, says=says, file=f"{package}/{name}".rstrip("/"), line=1 if name else 0)


# ---- around the package ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, folder or link of what was handed in. `name` is its path from the root, with slashes."""

    name: str
    path: Path
    is_folder: bool
    is_link: bool

    @property
    def last(self) -> str:
        """The last part of the name."""
        return self.name.rpartition("/")[2]


def _around(reader: Reader, root: Path, package: str, assignment: Assignment | None) -> Iterator[Integrity]:
    """Files that would have steered a run of pytest in the submitted folder."""
    entries = list(_entries(root))
    said = [(entry.name, says, 0) for entry in entries for says in _tells(entry, root, package)]
    texts = {
        entry.name: content for entry in entries if entry.last in configuration.READ if (content := _content(entry))
    }
    try:
        said += reader.ask("configuration", package, texts, SECONDS) if texts else []
    except Unreadable:
        said.append((package, "a configuration file takes all time or memory to be read", 0))
    said += [(name, "this file of the course was changed", 0) for name in _changed_files(root, assignment)]
    for name, says, line in said[:MOST]:
        yield Integrity(kind=CONFIGURATION, says=f"{says}{NO_EFFECT}", file=_plain(name), line=line)


def _plain(name: str) -> str:
    """A file name that can be written anywhere."""
    return name.encode("utf-8", "replace").decode("utf-8")


def _entries(root: Path) -> Iterator[Entry]:
    """What was handed in, as far as the limits on entries, depth and time reach; links are named and not followed."""
    until = time.monotonic() + WALK_SECONDS
    waiting, seen = [(root, "", 0)], 0
    while waiting and seen < ENTRIES and time.monotonic() < until:
        folder, prefix, depth = waiting.pop(0)
        for found in _listed(folder):
            seen += 1
            is_folder = found.is_dir(follow_symlinks=False)
            entry = Entry(f"{prefix}{found.name}", Path(found.path), is_folder, found.is_symlink())
            yield entry
            if is_folder and depth < DEPTH and not _is_an_environment(entry):
                waiting.append((entry.path, f"{entry.name}/", depth + 1))
            if seen >= ENTRIES:
                return


def _listed(folder: Path) -> list[os.DirEntry[str]]:
    """The entries of a folder by name; none where it cannot be listed."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []


def _is_an_environment(entry: Entry) -> bool:
    """Whether a folder holds installed packages or another tool's data, which are nobody's work."""
    return entry.last in NOT_LOOKED_INTO or (entry.path / "pyvenv.cfg").is_file()


def _tells(entry: Entry, root: Path, package: str) -> Iterator[str]:
    """What a name, or a few bytes, say about a file."""
    if entry.is_link:
        if not _stays_within(entry.path, root):
            yield "the link leads out of the submission"
    elif entry.is_folder:
        yield from _folder_tells(entry)
    else:
        yield from _file_tells(entry, package)


def _folder_tells(entry: Entry) -> Iterator[str]:
    last = entry.last
    if last.endswith(".dist-info") or (last.endswith(".egg-info") and (entry.path / "entry_points.txt").is_file()):
        yield "it would pass for an installed package, whose plugins pytest loads"
    elif entry.name == last and _shadows(last) and (entry.path / "__init__.py").is_file():
        yield f"it would take the place of the module {last}"


def _file_tells(entry: Entry, package: str) -> Iterator[str]:
    folder, _, last = entry.name.rpartition("/")
    stem, _, ending = last.rpartition(".")
    if last in STARTUP:
        yield "Python would run it at its start"
    elif not folder and ending == "py" and _shadows(stem):
        yield f"it would take the place of the module {stem}"
    elif ending in COMPILED and folder in {"", package}:
        yield "it is compiled code, which Python would prefer to the file that can be read"
    elif ending == "pth" and _starts_python(entry):
        yield "Python would run it at its start, where it is installed"
    elif ending == "pyc":
        yield from _compiled(entry, folder)


def _shadows(name: str) -> bool:
    return name in SHADOWED or (name in sys.stdlib_module_names and name not in SCRIPTS)


def _stays_within(link: Path, root: Path) -> bool:
    """Whether a link's target, or where it would be, lies in the submission."""
    try:
        return link.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):  # links in a circle
        return True


def _content(entry: Entry) -> bytes:
    """What a small regular file holds; nothing for any other."""
    try:
        if entry.is_link or not entry.path.is_file() or entry.path.stat().st_size > CONFIGURATION_BYTES:
            return b""
        return entry.path.read_bytes()
    except OSError:
        return b""


def _starts_python(entry: Entry) -> bool:
    """Whether a .pth is one of Python's, text with an import: saved weights have that ending, too."""
    return bool(re.search(rb"^import[ \t]", _content(entry), re.MULTILINE)) and b"\0" not in _content(entry)


def _compiled(entry: Entry, folder: str) -> Iterator[str]:
    """A .pyc that Python would run without a look at a source; those that it leaves behind itself are no matter."""
    if not folder.endswith("__pycache__"):
        yield "it is compiled code without a source beside it"
    elif _content(entry)[4:8] == b"\x01\x00\x00\x00":
        yield "it is compiled code that asks not to be compared with its source"


# ---- files of the course ---------------------------------------------------------------------------------

ANSWERS = ".copier-answers.yml"
WORKFLOWS = ".github/workflows"


def _changed_files(root: Path, assignment: Assignment | None) -> Iterable[str]:
    """Workflows of the instructor's repository, the one with the assignment file, that read otherwise here.

    Only copies of the same version of the course are compared: others may differ for good reasons.
    """
    if assignment is None or not assignment.source:
        return []
    course = Path(assignment.source).resolve().parent
    if not _version(course) or _version(course) != _version(root):
        return []
    names = [f"{WORKFLOWS}/{entry.name}" for entry in _listed(course / WORKFLOWS) if entry.is_file()]
    return [name for name in names if _differs(course / name, root / name)]


def _version(folder: Path) -> str:
    """Which version of the template made a course, as its answers say; empty where none did."""
    content = _content(Entry(ANSWERS, folder / ANSWERS, is_folder=False, is_link=(folder / ANSWERS).is_symlink()))
    found = re.search(r"^_commit: *(\S+)", content.decode("utf-8", "replace"), re.MULTILINE)
    return found[1] if found else ""


def _differs(ours: Path, theirs: Path) -> bool:
    here, there = (
        _content(Entry(path.name, path, is_folder=False, is_link=path.is_symlink())).replace(b"\r\n", b"\n")
        for path in (ours, theirs)
    )
    return bool(there) and here != there
