"""Handles: a check holds the student's objects without ever running the student's code where verdicts are made.

`open_loop` runs the student's code in this process, `open_isolated` in another; the checks cannot tell them apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pytest_tinytorch.course import MODULES
from pytest_tinytorch.handles.errors import (
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
from pytest_tinytorch.handles.loop import LoopSessions
from pytest_tinytorch.handles.proxy import (
    Handle,
    definitions,
    expression,
    fetch,
    isinstance_,
    kind,
    named,
    shown,
)
from pytest_tinytorch.handles.world import Sessions, World

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
    "WorkerDied",
    "World",
    "definitions",
    "expression",
    "fetch",
    "isinstance_",
    "kind",
    "named",
    "open_loop",
    "shown",
]


def _homes() -> dict[str, str]:
    """The module that each flat name of the course lives in: `softmax` in `activations`."""
    return {name: module.name for module in MODULES for name in module.exports}


def open_loop(package: Path, *, homes: Mapping[str, str] | None = None) -> Sessions:
    """The student's package folder, run in this process."""
    return LoopSessions(package, _homes() if homes is None else homes)
