"""A copy of the template in a git repository of its own, and the courses that are made from it."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import copier

ROOT = Path(__file__).resolve().parents[2]
PARTS = (".gitattributes", "copier.yml", "template", "exercises", "solutions", "milestones")


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder and give back what it printed."""
    return subprocess.check_output(("git", *arguments), cwd=folder, stderr=subprocess.STDOUT, text=True)  # noqa: S603, S607  # git of the PATH, our own arguments


def commit(folder: Path, message: str, tag: str = "") -> None:
    """Commit everything in a folder, and tag it where a tag is given."""
    if not (folder / ".git").exists():
        git(folder, "init", "-q")
        git(folder, "config", "user.name", "Ada")
        git(folder, "config", "user.email", "ada@example.org")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", message)
    if tag:
        git(folder, "tag", tag)


@dataclass(frozen=True)
class Template:
    """A template repository."""

    folder: Path

    @classmethod
    def from_checkout(cls, folder: Path) -> Template:
        """What git tracks, or would track, of the template in this checkout, tagged v0.1.0."""
        listed = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *PARTS)
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).exists():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        commit(folder, "The template as it is here", tag="v0.1.0")
        return cls(folder)

    def clone(self, folder: Path) -> Template:
        """The same repository again, to be changed without harm."""
        git(self.folder.parent, "clone", "-q", str(self.folder), str(folder))
        git(folder, "config", "user.name", "Grace")
        git(folder, "config", "user.email", "grace@example.org")
        return Template(folder)

    def course(self, folder: Path, **answers: Any) -> Path:
        """A course made with these answers and the defaults; `--trust` is never given."""
        copier.run_copy(str(self.folder), folder, data=answers, defaults=True, quiet=True, unsafe=False)
        return folder

    def bytes(self, name: str) -> bytes:
        """A file of the template repository."""
        return (self.folder / name).read_bytes()


def update(course: Path, **answers: Any) -> None:
    """`copier update` in a course: the answers of before, but for those given here."""
    copier.run_update(course, data=answers, defaults=True, overwrite=True, quiet=True, unsafe=False)
