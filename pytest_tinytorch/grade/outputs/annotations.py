"""Annotations: `::error file=…,line=…,title=…::…`, which GitHub shows on the student's lines.

GitHub keeps ten errors of a step, so the places are ranked, checks that stopped at the same line share one, and of the
stubs only the next is pointed at. A message is one line by its escapes: nothing that a submission says can begin a line
of the log, where a workflow looks for commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...outcome import Outcome
from ...reports.text import count
from .words import block, line, quiet, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..result import Grade, GradedCheck, GradedCheckpoint

MOST = 10  # what GitHub shows of one kind and step
MESSAGE = 1500  # characters
WRONG = {Outcome.CRASHED, Outcome.WRONG, Outcome.TIMED_OUT}  # what is blocked waits for one of these
SHOWN = {*WRONG, Outcome.UNWRITTEN}

Found = tuple["GradedCheckpoint", "GradedCheck"]


def render(grade: Grade) -> str:
    """Lines for a workflow's log."""
    lines = [command("error", "The submission could not be graded whole", grade.trouble)] if grade.trouble else []
    places = list(_places(grade))
    lines += [_place("error", found) for found in places if found[0][1].outcome in WRONG]
    stubs = [_place("notice", found) for found in places if found[0][1].outcome not in WRONG]
    return "".join(f"{text}\n" for text in [*lines, *stubs[:1]][:MOST])


def command(kind: str, title: str, message: str, file: str = "", number: int = 0) -> str:
    """One workflow command. A property may hold no colon and no comma, and nothing a line's end."""
    place = {"file": line(file), "line": str(number)} if file and number > 0 else {}
    properties = ",".join(f"{name}={_property(value)}" for name, value in (place | {"title": line(title)}).items())
    return f"::{kind} {properties}::{_data(quiet(block(message, MESSAGE)))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(quiet(text)).replace(":", "%3A").replace(",", "%2C")


def _places(grade: Grade) -> Iterator[list[Found]]:
    """The checks that need the student's hands in course order, together where they stopped at the same line."""
    by_place: dict[tuple[str, int], list[Found]] = {}
    for part in grade.checkpoints:
        for check in part.checks:
            if check.where and check.outcome in SHOWN:
                by_place.setdefault((check.where.file, check.where.line), []).append((part, check))
    for found in by_place.values():
        yield sorted(found, key=lambda pair: pair[1].outcome not in WRONG)


def _place(kind: str, found: list[Found]) -> str:
    part, check = found[0]
    more = f"\n\nand {count(len(found) - 1, 'more check')} at this line" if len(found) > 1 else ""
    place = check.where
    assert place is not None  # _places has asked
    about = f"{part.label} · {check.exercise or check.name}"
    return command(kind, about, block(told(check), MESSAGE - 100) + more, place.file, place.line)
