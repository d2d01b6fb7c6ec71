"""What a class run has found so far, in a folder that survives being killed at any moment.

`run.json` says which run it is: version, assignment, seed. `results.jsonl` gets one line for each graded submission, in
one write that is on the disk before the next begins; it is never rewritten. A line that was torn is cut off, and its
submission graded again. `timings.jsonl` has what depends on the clock, `sources/` what was graded, by its digest.
`run.lock` keeps a second run out.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ... import __version__
from ..assignment import Assignment
from ..result import Grade
from ..signing import Key, signed
from .roster import Entry

FORMAT = 1
CHUNK = 1 << 20
DRAFT = ".new"
RUN, RESULTS, TIMINGS, LOCK, FAULTS = "run.json", "results.jsonl", "timings.jsonl", "run.lock", "faults.log"
GRADEBOOK, REPORT, FEEDBACK, SOURCES = "gradebook.csv", "report.html", "feedback", "sources"
OURS = {RUN, RESULTS, TIMINGS, LOCK, FAULTS, GRADEBOOK, REPORT, FEEDBACK, SOURCES}


class StoreError(Exception):
    """The folder cannot be used; the text is one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What all grades of a folder have in common. `shard` is `K/N` or empty."""

    version: str
    seed: int
    assignment: str
    digest: str
    package: str = "tinytorch"
    at: str = ""
    shard: str = ""
    format: int = FORMAT

    @classmethod
    def of(cls, assignment: Assignment, seed: int, at: str = "", shard: str = "") -> Run:
        """A run of this version."""
        return cls(
            version=__version__,
            seed=seed,
            assignment=assignment.name,
            digest=digest(assignment),
            package=assignment.package,
            at=at,
            shard=shard,
        )

    def other(self, wanted: Run, *, any_seed: bool) -> str:
        """Why a folder of this run cannot be gone on with as another; empty where it can."""
        if (self.format, self.version) != (wanted.format, wanted.version):
            return f"it was begun by version {self.version}, this is version {wanted.version}"
        if self.digest != wanted.digest:
            return f"it was begun for another assignment ({self.assignment}), or for another version of it"
        if self.seed != wanted.seed and not any_seed:
            return f"it was begun with seed {self.seed}, not {wanted.seed}"
        if self.at != wanted.at:
            return f"it was begun with --at {self.at}" if self.at else "it was begun without --at"
        if self.shard != wanted.shard:
            return f"it was begun with --shard {self.shard}" if self.shard else "it was begun without --shard"
        return ""


def digest(assignment: Assignment) -> str:
    """What tells assignments apart, wherever their files lie."""
    said = asdict(assignment)
    del said["source"]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Where a result lies in the file, and what it is of."""

    at: int
    length: int
    source: str
    ref: str
    digest: str
    trouble: bool


class Results:
    """The results of a folder, to read; grades stay on the disk, and only where each lies is in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines: dict[str, Line] = {}
        self.damaged = self.end = 0
        path = folder / RESULTS
        if path.exists():
            with path.open("rb") as file:
                for text in file:
                    self._take(text)

    def _take(self, text: bytes) -> None:
        """Note a line, if it is good; the last one of a student counts."""
        try:
            told = json.loads(text)
            Grade.from_dict(told["grade"])
            self._note(told, len(text))
        except (ValueError, KeyError, TypeError, AttributeError):
            self.damaged += 1
            self.end += len(text)

    def _note(self, told: dict[str, Any], length: int) -> None:
        grade = told["grade"]
        line = Line(
            at=self.end,
            length=length,
            source=told["source"],
            ref=told["ref"],
            digest=grade["digest"],
            trouble=bool(grade["trouble"]),
        )
        self.lines[told["student"]] = line
        self.end += length

    def has(self, entry: Entry) -> bool:
        """Whether this submission was graded, or said to be impossible to grade."""
        line = self.lines.get(entry.student)
        return line is not None and (line.source, line.ref) == (entry.shown, entry.ref)

    def read(self, student: str) -> dict[str, Any]:
        """A grade that is kept, as plain values, without its timing."""
        grade: dict[str, Any] = self.read_line(student)["grade"]
        return grade

    def read_line(self, student: str) -> dict[str, Any]:
        """All that is kept of a student: the grade, whose it is, and a signature."""
        line = self.lines[student]
        with (self.folder / RESULTS).open("rb") as file:
            file.seek(line.at)
            told: dict[str, Any] = json.loads(file.read(line.length))
        return told

    def timings(self) -> dict[str, dict[str, Any]]:
        """How long each student's grading took, and each check; the last time counts."""
        found = {}
        with contextlib.suppress(FileNotFoundError), (self.folder / TIMINGS).open("rb") as file:
            for text in file:
                with contextlib.suppress(ValueError, KeyError, TypeError):
                    told = json.loads(text)
                    found[str(told.pop("student"))] = told
        return found

    def source(self, digest: str) -> dict[str, str]:
        """The files that were graded, by name; none where they were not kept."""
        with contextlib.suppress(OSError, ValueError):
            found: dict[str, str] = json.loads((self.folder / SOURCES / f"{digest}.json").read_text(encoding="utf-8"))
            return found
        return {}


class Store(Results):
    """An open folder, to read and to add to."""

    def __init__(self, folder: Path, run: Run, lock: FileLock) -> None:
        self.run, self._lock = run, lock
        self.key: Key | None = None  # with one, every line is signed
        self._results, self._timings = _open(folder / RESULTS), _open(folder / TIMINGS)
        super().__init__(folder)

    # ---- open and closed

    @classmethod
    @contextlib.contextmanager
    def open(cls, folder: Path, run: Run, *, any_seed: bool = False, fresh: bool = False) -> Iterator[Store]:
        """A new folder, or one to go on in; `any_seed` takes over the seed that it was begun with.

        Raises:
            StoreError: it belongs to something else, is in use or cannot be written.
        """
        lock = FileLock(folder / LOCK, timeout=0)
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire()
            except Timeout:
                raise StoreError(f"another run is using {folder}: wait for it, or stop it") from None
        try:
            with writing(folder):
                store = cls(folder, _begin(folder, run, any_seed=any_seed, fresh=fresh), lock)
        except BaseException:
            lock.release()
            raise
        try:
            yield store
        finally:
            store.close()

    def close(self) -> None:
        """Let others in."""
        os.close(self._results)
        os.close(self._timings)
        self._lock.release()

    # ---- grades

    def append(self, entry: Entry, grade: dict[str, Any]) -> None:
        """Keep a grade."""
        timing = grade.pop("timing", {})
        told = {"student": entry.student, "source": entry.shown, "ref": entry.ref, "grade": grade}
        self.append_line(signed(told, self.key) if self.key else told, timing)

    def append_line(self, told: dict[str, Any], timing: dict[str, Any]) -> None:
        """Keep a line as it is, its timing first: a result that is there is complete."""
        with writing(self.folder):
            _write(self._timings, {"student": told["student"], **timing})
            length = _write(self._results, told)
        self._note(told, length)

    def keep_source(self, digest: str, files: dict[str, str]) -> None:
        """Keep what is graded, for whoever compares or grades again."""
        path = self.folder / SOURCES / f"{digest}.json"
        if not path.exists():
            with writing(self.folder):
                path.parent.mkdir(exist_ok=True)
            replace(path, json.dumps(files))

    def note_fault(self, student: str, failure: str, trace: str) -> None:
        """Keep what our own code said when it failed, for whoever looks into it."""
        path = self.folder / FAULTS
        with writing(self.folder), path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{student}: {failure}\n{trace}\n")


def _begin(folder: Path, run: Run, *, any_seed: bool, fresh: bool) -> Run:
    """The run that the folder is for: the one that it was begun for, or this one."""
    if fresh:
        _clear(folder)
    there = {path.name for path in folder.iterdir()}
    if RUN in there:
        begun = read_run(folder)
        reason = begun.other(run, any_seed=any_seed)
        if reason:
            raise StoreError(f"{folder} holds another run: {reason}; name another folder, or start over by --fresh")
        return begun
    if there - {LOCK, RUN + DRAFT}:
        raise StoreError(f"{folder} is not empty, and holds no run: name another folder")
    replace(folder / RUN, json.dumps(asdict(run), indent=1) + "\n")
    return run


def read_run(folder: Path) -> Run:
    """Which run a folder is for.

    Raises:
        StoreError: none.
    """
    try:
        told = json.loads((folder / RUN).read_text(encoding="utf-8"))
        return Run(**told)
    except FileNotFoundError:
        raise StoreError(f"{folder} holds no run of tinytorch-grade class: there is no {RUN}") from None
    except OSError as error:
        raise StoreError(f"{folder / RUN} cannot be read: {error.strerror or error}") from None
    except (ValueError, TypeError):
        raise StoreError(f"{folder / RUN} was not written by this version: start over by --fresh") from None


def _clear(folder: Path) -> None:
    """Take away what a run left, its results first; what others put there stays, and is refused."""
    names = [RESULTS, *sorted(OURS - {RESULTS, LOCK, FEEDBACK, SOURCES})]
    ours = [*(folder / FEEDBACK).glob("*.md*"), *(folder / SOURCES).glob("*.json*"), *folder.glob(f"*{DRAFT}")]
    for path in [*(folder / name for name in names), *ours]:
        path.unlink(missing_ok=True)
    for name in (FEEDBACK, SOURCES):
        with contextlib.suppress(OSError):  # not there; or others have put something into it, which stays
            (folder / name).rmdir()


# ---- files


def replace(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    draft = path.with_name(path.name + DRAFT)
    with writing(path.parent):
        with draft.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Tell in one sentence that the disk is full, or does not let us.

    Raises:
        StoreError: for any OSError.
    """
    try:
        yield
    except OSError as error:
        raise StoreError(f"{folder} cannot be written: {error.strerror or error}") from None


def _write(descriptor: int, told: dict[str, Any]) -> int:
    """Append a line by one write, and wait until it is on the disk."""
    data = json.dumps(told, separators=(",", ":")).encode() + b"\n"
    written = os.write(descriptor, data)
    if written < len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(descriptor)
    return len(data)


def _open(path: Path) -> int:
    """A file to append to, that ends with a whole line."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o644)
    size = os.fstat(descriptor).st_size
    whole = _end_of_lines(path, size)
    if whole < size:
        os.ftruncate(descriptor, whole)
    return descriptor


def _end_of_lines(path: Path, size: int) -> int:
    """Where the last whole line ends."""
    with path.open("rb") as file:
        end = size
        while end:
            begin = max(0, end - CHUNK)
            file.seek(begin)
            found = file.read(end - begin).rfind(b"\n")
            if found >= 0:
                return begin + found + 1
            end = begin
    return 0
