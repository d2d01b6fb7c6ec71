"""What the command prints for a person: points, what was not earned and why first, and what to look at besides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.text import Text

from ..outcome import Outcome
from ..reports.sheet import Sheet, indented
from ..reports.text import count
from .outputs.words import quiet
from .result import NOT_RUN, GradedCheck, GradedCheckpoint

if TYPE_CHECKING:
    from rich.console import Console

    from .result import Grade, GradedMilestone

MOST_OPEN = 12  # checks that are told
MOST_SAID = 12  # findings and notes
NAME = 20  # columns of a checkpoint's name
FAILED = (Outcome.WRONG.value, Outcome.CRASHED.value, Outcome.TIMED_OUT.value, Outcome.BROKEN.value)


def render(grade: Grade, console: Console) -> None:
    """Print a grade; where a workflow keeps the log, nothing that a submission said is a command to it."""
    sheet = Sheet(console)
    sheet.section(_head(sheet, grade))
    sheet.section(_rows(sheet, grade))
    sheet.section(_open(sheet, grade))
    sheet.section(_beside(sheet, grade))
    sheet.section(sheet.paragraph(sheet.text(f"{_track(grade)}, seed {grade.seed}: {grade.hardening}.", "dim"), 0))
    with console.capture() as shown:
        sheet.print()
    console.file.write(quiet(shown.get()))


def _head(sheet: Sheet, grade: Grade) -> Iterator[Text]:
    yield from sheet.paragraph(sheet.text(f"{grade.student}: {grade.score} of {grade.max_score} points", "bold"), 0)
    if grade.commit:
        yield sheet.text(f"commit {grade.commit[:12]} of {grade.committed}")
    if grade.trouble:
        yield from sheet.paragraph(sheet.text(grade.trouble, "red"), 0)


def _rows(sheet: Sheet, grade: Grade) -> Iterator[Text]:
    """A line for each checkpoint and milestone."""
    for part in grade.parts():
        done = part.score == part.max_score and part.max_score > 0
        label = f"  {sheet.sign('done' if done else '')} {part.label:{NAME}}"
        line = sheet.text(f"{label}{part.score:4} of {part.max_score:4}  ", "green" if done else "")
        yield from sheet.paragraph(line.append_text(sheet.text(_remark(part), "dim")), 0, len(label) + 14)


def _remark(part: GradedCheckpoint | GradedMilestone) -> str:
    """`17 of 20 checks, 2 not written; committed …, 3 hours after it was due`."""
    if not isinstance(part, GradedCheckpoint):
        return "" if part.passed else part.outcome + (f": {part.cause}" if part.cause else "")
    others: dict[str, int] = {}
    for check in part.checks:
        if not check.passed:
            others[check.outcome] = others.get(check.outcome, 0) + 1
    counted = "".join(f", {number} {outcome}" for outcome, number in others.items())
    said = f"{part.passed} of {count(len(part.checks), 'check')}{counted}"
    return f"{said}; {part.late}" if part.late else said


def _open(sheet: Sheet, grade: Grade) -> Iterator[Text]:
    """The first checks whose failure is the student's to explain, each with its place."""
    failed = [(part, check) for part in grade.checkpoints for check in part.checks if check.outcome in FAILED]
    for part, check in failed[:MOST_OPEN]:
        yield from sheet.paragraph(sheet.text(f"{check.outcome}: {part.label}: {check.claim}"), 2, 4)
        yield from (indented(line, 4) for line in sheet.fill(sheet.text(_why(check), "dim"), 4))
    if len(failed) > MOST_OPEN:
        yield sheet.text(f"  and {count(len(failed) - MOST_OPEN, 'more check')} that failed")


def _why(check: GradedCheck) -> str:
    found = check.finding
    said = (found.mistake or found.difference or found.got.partition("\n")[0]) if found else check.cause
    return " · ".join(part for part in (str(check.where) if check.where else "", said) if part)


def _beside(sheet: Sheet, grade: Grade) -> Iterator[Text]:
    """Findings and notes, which change no points."""
    said = [
        f"{found.kind}: {found.file}{f':{found.line}' if found.line else ''}{': ' if found.file else ''}{found.says}"
        for found in grade.integrity
    ]
    for sentence in (*said, *grade.notes)[:MOST_SAID]:
        yield from sheet.paragraph(sheet.text(sentence, "yellow"), 2, 4)
    if len(said) + len(grade.notes) > MOST_SAID:
        yield sheet.text(f"  and {len(said) + len(grade.notes) - MOST_SAID} more")


def _track(grade: Grade) -> str:
    not_run = sum(check.outcome == NOT_RUN for part in grade.checkpoints for check in part.checks)
    return f"track {grade.track}" + (f", {count(not_run, 'check')} not run" if not_run else "")
