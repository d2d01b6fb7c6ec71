"""Reports of a run: the terminal's, and files by their suffix.

A format is a function that writes a `Run` to a path. Other packages add theirs by the hook
`pytest_tinytorch_report_formats`; these here are offered through the same door.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..outcome import Run

__all__ = ["FORMATS", "ReportError", "Writer", "check", "write"]

Writer = Callable[[Any, Path], None]  # of a Run; a leaderboard has its own


def _format(name: str) -> Writer:
    """A format that is imported when a report is written, and not before."""

    def write(run: Run, path: Path) -> None:
        writer: Writer = importlib.import_module(f"{__name__}.{name}").write
        writer(run, path)

    return write


FORMATS: Mapping[str, Writer] = MappingProxyType(
    {".json": _format("json"), ".md": _format("markdown"), ".html": _format("html"), ".svg": _format("svg")}
)


class ReportError(Exception):
    """A report that cannot be written; the message is one sentence."""


def check(path: Path, formats: Mapping[str, Writer] = FORMATS) -> Writer:
    """The format that writes to this path; worth asking before a long run.

    Raises:
        ReportError: no format has this suffix, or nothing can be written there.
    """
    writer = formats.get(path.suffix.lower())
    if writer is None:
        known = ", ".join(sorted(formats))
        what = f"ends in {path.suffix}" if path.suffix else "has no suffix"
        raise ReportError(f"report {path} {what}: a report is written by its suffix, one of {known}")
    if path.is_dir():
        raise ReportError(f"report {path} is a folder: give the name of a file in it")
    if not path.parent.is_dir():
        raise ReportError(f"report {path} cannot be written: there is no folder {path.parent}")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ReportError(f"report {path} cannot be written: permission denied")
    return writer


def write(run: Any, path: Path, formats: Mapping[str, Writer] = FORMATS) -> None:
    """Write a report in one step: a reader sees the old file or the whole new one.

    Raises:
        ReportError: the report cannot be written.
    """
    writer = check(path, formats)
    fresh = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        writer(run, fresh)
        fresh.replace(path)
    except OSError as error:
        raise ReportError(f"report {path} cannot be written: {_reason(error)}") from error
    finally:
        fresh.unlink(missing_ok=True)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
