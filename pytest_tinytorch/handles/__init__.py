"""Handles: a check holds the student's objects without ever running the student's code where verdicts are made.

`open_loop` runs the student's code in this process, `open_isolated` in another; the checks cannot tell them apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..course import MODULES
from .errors import (
    Endless,
    Frame,
    Interrupted,
    NotEvidence,
    ProtocolError,
    Remote,
    StudentExit,
    TimedOut,
    Trouble,
    Unsendable,
    Warned,
    WorkerDied,
)
from .loop import LoopSessions
from .proxy import (
    Handle,
    definitions,
    expression,
    fetch,
    isinstance_,
    kind,
    named,
    shown,
)
from .world import Sessions, Watch, World

__all__ = [
    "Endless",
    "Frame",
    "Handle",
    "Interrupted",
    "NotEvidence",
    "ProtocolError",
    "Remote",
    "Sessions",
    "StudentExit",
    "TimedOut",
    "Trouble",
    "Unsendable",
    "Warned",
    "Watch",
    "WorkerDied",
    "World",
    "definitions",
    "expression",
    "fetch",
    "isinstance_",
    "kind",
    "named",
    "open_isolated",
    "open_loop",
    "shown",
]


def _homes() -> dict[str, str]:
    """The module that each flat name of the course lives in: `softmax` in `activations`."""
    return {name: module.name for module in MODULES for name in module.exports}


def open_loop(package: Path, *, homes: Mapping[str, str] | None = None) -> Sessions:
    """The student's package folder, run in this process."""
    return LoopSessions(package, _homes() if homes is None else homes)


def open_isolated(
    package: Path,
    *,
    memory: int = 4 << 30,
    homes: Mapping[str, str] | None = None,
    forks: bool | None = None,
    reimport: bool = False,
) -> Sessions:
    """The student's package folder, run in a process for every check.

    `memory` is what a process may use, in bytes. `forks` says whether processes are forked from one that is
    ready, as they are on Linux unless told otherwise, or started afresh. Forked ones begin with the package as it is
    right after an import that they share; with `reimport` each imports it anew.
    """
    from .isolated import IsolatedSessions  # noqa: PLC0415 -- loop mode starts no process and need not load how

    known = _homes() if homes is None else homes
    return IsolatedSessions(package, known, memory=memory, forks=forks, reimport=reimport)
