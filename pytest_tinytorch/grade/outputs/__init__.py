"""A grade as others read it: one file for each format, chosen by `--output NAME:FILE`.

`parse` and `check` are asked before anything is graded, so that a misspelt name or a folder that is missing costs no
time. `write` comes last: each file is written in one step, and one that fails takes no other with it. Another package
adds a format by an entry point of the group `pytest_tinytorch.grade_formats`: its name, and a function from a `Grade`
to text.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from .errors import OutputError

if TYPE_CHECKING:
    from ..result import Grade

__all__ = ["FORMATS", "Format", "OutputError", "Target", "check", "formats", "parse", "write"]

STANDARD = "-"  # as a file: standard output
GROUP = "pytest_tinytorch.grade_formats"
APPENDED = ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")  # files that a workflow step shares with its other commands

Renderer = Callable[["Grade"], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One format: its name, what it is for, how a grade becomes text, and what it asks of the environment first."""

    name: str
    about: str
    render: Renderer
    check: Callable[[Mapping[str, str]], None] = lambda environ: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One `--output`: a format and the file that it goes to; `-` is standard output."""

    format: Format
    file: str

    def __str__(self) -> str:
        return f"output {self.format.name}:{self.file}"


def _format(name: str, about: str) -> Format:
    """A format that is imported when a grade is written, and not before."""

    def render(grade: Grade) -> str:
        text: str = importlib.import_module(f"{__name__}.{name}").render(grade)
        return text

    return Format(name=name, about=about, render=render)


def _check_classroom50(environ: Mapping[str, str]) -> None:
    importlib.import_module(f"{__name__}.classroom50").identity(environ)


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        form.name: form
        for form in (
            _format("json", "everything that is known of the grade, for other programs"),
            _format("github", "GitHub Classroom runners, one for each checkpoint, as lines for $GITHUB_OUTPUT"),
            replace(_format("classroom50", "Classroom 50's result.json"), check=_check_classroom50),
            _format("gradescope", "Gradescope's results.json"),
            _format("summary", "Markdown for $GITHUB_STEP_SUMMARY"),
            _format("annotations", "GitHub annotations on the student's lines, for a workflow's log"),
            _format("junit", "JUnit XML"),
            _format("csv", "a row for a gradebook"),
        )
    }
)


def formats() -> dict[str, Format]:
    """Our formats, and those of other packages, which take no name of ours."""
    others = {entry.name: _of_package(entry) for entry in entry_points(group=GROUP)}
    return others | dict(FORMATS)


def _of_package(entry: EntryPoint) -> Format:
    def render(grade: Grade) -> str:
        text: str = entry.load()(grade)
        return text

    def check(environ: Mapping[str, str]) -> None:
        try:
            entry.load()
        except Exception as error:  # another package's module may raise anything
            raise OutputError(f"{entry.value} cannot be loaded: {type(error).__name__}: {error}") from error

    return Format(name=entry.name, about=f"of {entry.value}", render=render, check=check)


def parse(text: str) -> Target:
    r"""`json:grade.json` as a target; the file is all that follows the first colon, so `json:C:\grade.json` is one.

    Raises:
        OutputError: there is no such format, or no file.
    """
    name, colon, file = text.partition(":")
    known = FORMATS if name in FORMATS else formats()
    if name not in known:
        raise OutputError(f"output {name or text!r} is not known: it is one of {', '.join(known)}")
    if not colon or not file:
        raise OutputError(f"output {name} has no file: give {name}:FILE, or {name}:{STANDARD} for standard output")
    return Target(format=known[name], file=file)


def check(targets: Iterable[Target], environ: Mapping[str, str] = os.environ) -> None:
    """Whether everything can be written, asked before the grading that it would be a pity to lose.

    Raises:
        OutputError: a variable, a folder or a permission is missing, or two outputs have the same file.
    """
    seen: dict[str, Target] = {}
    for target in targets:
        try:
            target.format.check(environ)
        except OutputError as error:
            raise OutputError(f"{target} cannot be written: {error}") from error
        if target.file == STANDARD:
            continue
        try:
            _check_file(target)
        except (OSError, ValueError) as error:
            raise OutputError(str(error) if isinstance(error, OutputError) else _unwritten(target, error)) from error
        place = os.path.normcase(os.path.realpath(target.file))
        if place in seen:
            raise OutputError(f"{target} would overwrite {seen[place]}: give each output a file of its own")
        seen[place] = target


def _check_file(target: Target) -> None:
    path = Path(target.file)
    if path.is_dir():
        raise OutputError(f"{target} is a folder: give the name of a file in it")
    if not path.parent.is_dir():
        raise OutputError(f"{target} cannot be written: there is no folder {path.parent}")
    folder = [] if _is_added_to(path) else [Path(os.path.realpath(path)).parent]
    if not all(os.access(place, os.W_OK) for place in [*folder, *([path] if path.exists() else [])]):
        raise OutputError(f"{target} cannot be written: permission denied")


def write(grade: Grade, targets: Sequence[Target]) -> list[str]:
    """Write every output; what could not be written comes back as sentences, and nothing is raised."""
    problems = []
    for target in targets:
        try:
            _deliver(target.format.render(grade), target.file)
        except Exception as error:  # noqa: BLE001  # whatever is wrong with one output, the others are written
            problems.append(_unwritten(target, error))
    return problems


def _deliver(text: str, file: str) -> None:
    if file == STANDARD:
        encoding = sys.stdout.encoding or "utf-8"
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
        return
    path, data = Path(file), text.encode("utf-8", "backslashreplace")
    if _is_added_to(path):
        with path.open("ab") as stream:
            stream.write(data)
    else:
        _replace(Path(os.path.realpath(path)), data)


def _is_added_to(path: Path) -> bool:
    """Whether a file is added to and not replaced: a pipe, a device, or one that a workflow step shares."""
    if not path.exists():
        return False
    shared = (os.environ.get(name) for name in APPENDED)
    return not path.is_file() or any(name and Path(name).exists() and path.samefile(name) for name in shared)


def _replace(path: Path, data: bytes) -> None:
    """Write a file in one step: a reader sees the old one or the whole new one."""
    fresh = path.with_name(f".{path.name[:100]}.{os.getpid()}")
    fresh.unlink(missing_ok=True)  # of a run that was killed
    try:
        with fresh.open("xb") as stream:
            stream.write(data)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _unwritten(target: Target, error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{target} cannot be written: {(error.strerror or str(error)).lower()}"
    why = str(error) if isinstance(error, OutputError) else f"{type(error).__name__}: {error}"
    return f"{target} cannot be written: {why}"
