"""Markdown for a workflow's step summary: what was earned, what to look at, and each failure folded under its exercise.

GitHub takes one mebibyte and drops the whole of what is longer. So failures are told in course order while there is
room, and a line says how many exercises are left.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from ...outcome import Outcome
from ...reports.markdown import code, fenced, inline, table
from ...reports.text import count
from ..result import GradedMilestone
from .words import block, called, cause, compared, exercises, line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..result import Grade, GradedCheck, GradedCheckpoint, Integrity
    from .words import Exercise

ROOM = 900_000  # bytes, of GitHub's 1,048,576
TOLD = 1500  # characters of one block of a failure
TOLD_SHORT = {Outcome.BLOCKED, Outcome.UNWRITTEN}  # a line each: there is nothing to see yet


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
    foot = _footer(grade)
    return _within(ROOM, [part for part in head if part], list(_failures(grade)), foot)


def _within(room: int, head: list[str], failures: list[str], foot: str) -> str:
    """As many failures as there is room for."""
    parts = [*head, *(["## What is open"] if failures else [])]
    left = room - sum(len(part.encode("utf-8", "backslashreplace")) + 2 for part in [*parts, foot]) - 200
    for n, failure in enumerate(failures):
        left -= len(failure.encode("utf-8", "backslashreplace")) + 2
        if left < 0:
            parts.append(f"There is no room here for {count(len(failures) - n, 'more exercise')} with open checks.")
            break
        parts.append(failure)
    return "\n\n".join([*parts, foot]) + "\n"


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
    """The exercises with open checks, each folded, in course order."""
    for part in grade.checkpoints:
        for exercise in exercises(part):
            if not exercise.passed:
                yield _exercise(part, exercise)


def _exercise(part: GradedCheckpoint, exercise: Exercise) -> str:
    open_checks = [check for check in exercise.checks if not check.passed]
    title = f"{part.label} · {exercise.name}: {len(open_checks)} of {count(len(exercise.checks), 'check')} open"
    body = "\n\n".join(_check(check) for check in open_checks)
    return f"<details><summary>{html.escape(line(title))}</summary>\n\n{body}\n\n</details>"


def _check(check: GradedCheck) -> str:
    """One open check, told in full where there is something to see."""
    heading = f"**{_inline(check.outcome)}** {_inline(check.claim)}"
    why = cause(check)
    if check.outcome in TOLD_SHORT and not check.output:
        return f"- {heading}{': ' if why else ''}{_inline(why)}"
    found = check.finding
    parts = [
        heading,
        _code(str(check.where)) if check.where else "",
        _inline(why, 1000),
        _fenced("\n".join(called(found)), "python") if found else "",
        _fenced(compared(found)) if found else "",
        f"**Likely mistake:** {_inline(found.mistake, 1000)}" if found and found.mistake else "",
        f"It printed:\n\n{_fenced(check.output)}" if check.output.strip() else "",
    ]
    return "\n\n".join(part for part in parts if part)


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
