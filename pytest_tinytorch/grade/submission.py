"""From what a student handed in to the few files that are graded: Python files of the package, in a fresh folder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from .result import Integrity


class SubmissionError(Exception):
    """A submission that cannot be graded; the message is one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What is graded: `folder` holds `files` and nothing else.

    `files` are named from the package's folder, with slashes. `root` is what was handed in, for who wants to look at
    the rest of it. `digest` is the SHA-256 of names and contents, `commit` and `committed` those of a repository.
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
    """Take the package's files from a folder.

    Raises:
        SubmissionError: there is nothing to grade.
    """
    root = Path(source)
    if not (root / package).is_dir():
        raise SubmissionError(f"there is no package {package}/ in {source}")
    folder = into / package
    folder.mkdir(parents=True)
    files = []
    digest = hashlib.sha256()
    for path in sorted((root / package).rglob("*.py")):
        name = path.relative_to(root / package).as_posix()
        content = path.read_bytes()
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        files.append(name)
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return Submission(folder=folder, root=root, files=tuple(files), digest=digest.hexdigest())
