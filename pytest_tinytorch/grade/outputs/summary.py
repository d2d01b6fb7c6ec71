"""Markdown for a workflow's step summary: what was earned, what to look at, and each failure folded under its exercise.

What only waits for something else is a line for each checkpoint. GitHub takes one mebibyte and drops the whole of what
is longer. So failures are told in course order while there is room, and a line says how many exercises are left.
"""

from __future__ import annotations

import html
from collections import Counter
from typing import TYPE_CHECKING

from ...outcome import Outcome
from ...reports.markdown import code, fenced, inline, table
from ...reports.text import count
from ..result import NOT_RUN, GradedMilestone
from .words import block, called, cause, compared, exercises, line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..result import Grade, GradedCheck, Integrity

ROOM = 900_000  # bytes, of GitHub's 1,048,576
TOLD = 1500  # characters of one block of a failure
WAITING = {Outcome.BLOCKED, Outcome.UNWRITTEN, NOT_RUN}  # there is nothing to see yet
MOST_WAITING = 40  # lines


def render(grade: Grade) -> str:
    """The summary."""
    head = [
        f"# {grade.score} of {count(grade.max_score, 'point')}",
        f"> **Not graded whole.** {_inline(grade.trouble, 1000)}" if grade.trouble else "",
        _table(grade),
        *(_milestone(part) for part in grade.milestones if not part.passed),
        _integrity(grade.integrity),
        _notes(grade),
    ]
    foot = [part for part in (_waiting(grade), _footer(grade)) if part]
    return _within(ROOM, [part for part in head if part], list(_failures(grade)), foot)


def _within(room: int, head: list[str], failures: list[str], foot: list[str]) -> str:
    """As many failures as there is room for."""
    parts = [*head, *(["## What fails"] if failures else [])]
    left = room - sum(len(part.encode("utf-8", "backslashreplace")) + 2 for part in [*parts, *foot]) - 200
    for n, failure in enumerate(failures):
        left -= len(failure.encode("utf-8", "backslashreplace")) + 2
        if left < 0:
            parts.append(
                f"There is no room here for {count(len(failures) - n, 'more exercise')} with checks that fail."
            )
            break
        parts.append(failure)
    return "\n\n".join([*parts, *foot]) + "\n"


def _table(grade: Grade) -> str:
    rows = []
    for part in grade.parts():
        sign = "✓" if part.score == part.max_score else "✗"
        points = f"{part.score} of {part.max_score}"
        if isinstance(part, GradedMilestone):
            rows.append((sign, _inline(part.label), "milestone", "", points, ""))
        else:
            dates = _inline("; ".join(text for text in (part.due, part.late) if text))
            checks = f"{part.passed} of {len(part.checks)}"
            rows.append((sign, _inline(part.label), _inline(part.capability), checks, points, dates))
    return table(("", "", "capability", "checks", "points", ""), rows)


def _milestone(part: GradedMilestone) -> str:
    claims = [("✓" if c.holds else "✗", *map(_inline, (c.what, c.required, c.reached))) for c in part.claims]
    parts = [
        f"**{_inline(part.label)}: {_inline(part.outcome)}**",
        _inline(part.cause, 1000),
        table(("", "claim", "required", "reached"), claims) if claims else "",
    ]
    return "\n\n".join(text for text in parts if text)


def _integrity(findings: Iterable[Integrity]) -> str:
    lines = []
    for found in findings:
        place = f"{found.file}:{found.line}" if found.line else found.file
        lines.append(f"- **{_inline(found.kind)}** {_inline(found.says, 500)} {_code(place)}".rstrip())
    return "\n".join(["## To look at", "", "These change no points.", "", *lines]) if lines else ""


def _notes(grade: Grade) -> str:
    lines = [f"- {_inline(note, 500)}" for note in grade.notes]
    return "\n".join(["## Notes", "", *lines]) if lines else ""


def _failures(grade: Grade) -> Iterator[str]:
    """The exercises with checks that fail in course order, each but the first folded."""
    fold = "<details open>"
    for part in grade.checkpoints:
        for exercise in exercises(part):
            failing = [check for check in exercise.checks if not (check.passed or check.outcome in WAITING)]
            if failing:
                title = f"{part.label} · {exercise.name}: {len(failing)} of {count(len(exercise.checks), 'check')}"
                body = "\n\n".join(_check(check) for check in failing)
                yield f"{fold}<summary>{html.escape(line(title))}</summary>\n\n{body}\n\n</details>"
                fold = "<details>"


def _check(check: GradedCheck) -> str:
    """One check that fails, told in full."""
    found = check.finding
    parts = [
        f"**{_inline(check.outcome)}** {_inline(check.claim)}",
        _code(str(check.where)) if check.where else "",
        _inline(cause(check), 1000),
        _fenced("\n".join(called(found)), "python") if found else "",
        _fenced(compared(found)) if found else "",
        f"**Likely mistake:** {_inline(found.mistake, 1000)}" if found and found.mistake else "",
        f"It printed:\n\n{_fenced(check.output)}" if check.output.strip() else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _waiting(grade: Grade) -> str:
    """What is not begun or waits: how many checks of a checkpoint, and for what."""
    lines = []
    for part in grade.checkpoints:
        why = Counter((check.outcome, check.cause) for check in part.checks if check.outcome in WAITING)
        for (outcome, reason), number in why.items():
            waits = ("waits for " if number == 1 else "wait for ") if outcome == Outcome.BLOCKED and reason else ""
            said = waits or f"{outcome}{': ' if reason else ''}"
            lines.append(f"- **{_inline(part.label)}** {count(number, 'check')} {said}{_inline(reason, 300)}")
    more = [f"- and {count(len(lines) - MOST_WAITING, 'more reason')}"] if len(lines) > MOST_WAITING else []
    return "\n".join(["## Also open", "", *lines[:MOST_WAITING], *more]) if lines else ""


def _footer(grade: Grade) -> str:
    facts = [
        f"pytest-tinytorch {_code(grade.version)}",
        f"track {_code(grade.track)}",
        f"seed {grade.seed}",
        f"commit {_code(grade.commit)}" if grade.commit else "",
        f"submission {_code(grade.digest[:12])}" if grade.digest else "",
    ]
    isolated = f"\n\nIsolated: {_inline(grade.hardening, 500)}" if grade.hardening else ""
    return "; ".join(fact for fact in facts if fact) + isolated


def _inline(text: str, limit: int = 200) -> str:
    return inline(line(text, limit))


def _code(text: str) -> str:
    return code(line(text))


def _fenced(text: str, language: str = "text") -> str:
    return fenced(block(text.strip("\n"), TOLD), language) if text.strip() else ""
