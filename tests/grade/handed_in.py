"""Submissions for tests: folders with some of the solutions, and archives and repositories of them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from pytest_tinytorch.course import MODULES

REPOSITORY = Path(__file__).resolve().parents[2]
SOLUTIONS, EXERCISES = (REPOSITORY / flavour / "tinytorch" for flavour in ("solutions", "exercises"))
GIT = shutil.which("git")


def course(folder: Path, solved: tuple[str, ...] = (), package: str = "tinytorch", **texts: str) -> Path:
    """A course repository in a new folder: stubs, `solved` modules, and modules with texts of their own."""
    inside = folder / package
    shutil.copytree(EXERCISES, inside, ignore=shutil.ignore_patterns("__pycache__"))
    for name in solved:
        shutil.copyfile(SOLUTIONS / f"{name}.py", inside / f"{name}.py")
    for name, text in texts.items():
        (inside / f"{name}.py").write_text(text, encoding="utf-8", newline="\n")
    return folder


def small(folder: Path, package: str = "tinytorch", text: str = "x = 1\n") -> Path:
    """The least that is a submission: two small modules."""
    (folder / package).mkdir(parents=True)
    (folder / package / "__init__.py").write_text("", encoding="utf-8")
    (folder / package / "tensor.py").write_text(text, encoding="utf-8")
    return folder


def solution(module: str) -> str:
    """The text of a module's solution."""
    return (SOLUTIONS / f"{module}.py").read_text("utf-8")


def up_to(number: int) -> tuple[str, ...]:
    """The names of the modules up to a number."""
    return tuple(module.name for module in MODULES if module.number <= number)


def git(folder: Path, *words: str, when: str = "2026-01-01T00:00:00+00:00") -> str:
    """Run git in a folder, as nobody in particular, at some time."""
    who = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@b"}
    time = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when, "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(  # noqa: S603 -- git, with words of ours
        [GIT or "git", "-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always", *words],
        cwd=folder,
        env={**os.environ, **who, **time},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def repository(folder: Path) -> Path:
    """The folder as a repository with one commit."""
    git(folder, "init", "-q")
    commit(folder, "first")
    return folder


def commit(folder: Path, message: str, when: str = "2026-01-01T00:00:00+00:00") -> str:
    """Commit everything; the commit's name."""
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", message, when=when)
    return git(folder, "rev-parse", "HEAD")
