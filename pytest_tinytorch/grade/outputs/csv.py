"""A gradebook as CSV: a row for each student, a column for each checkpoint and milestone."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from .words import line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..result import Grade

FORMULA = ("=", "+", "-", "@", "|", "%")  # what a spreadsheet may take a cell's text for that begins with it


def render(grade: Grade) -> str:
    """A gradebook of one row."""
    return table([grade])


def table(grades: Sequence[Grade]) -> str:
    """A gradebook; a part that a student was not graded for is an empty cell."""
    parts = list(dict.fromkeys(part.label for grade in grades for part in grade.parts()))
    heads = ["student", "score", "max_score", *parts, "late", "integrity", "trouble", "commit", "seed", "version"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([cell(head) for head in heads])
    writer.writerows(_row(grade, parts) for grade in grades)
    return text.getvalue()


def _row(grade: Grade, parts: Sequence[str]) -> list[str | int]:
    scores = {part.label: part.score for part in grade.parts()}
    late = [f"{part.label}: {part.late}" for part in grade.checkpoints if part.late]
    return [
        cell(grade.student),
        grade.score,
        grade.max_score,
        *(scores.get(part, "") for part in parts),
        cell("; ".join(late)),
        len(grade.integrity),
        cell(grade.trouble),
        cell(grade.commit),
        grade.seed,
        cell(grade.version),
    ]


def cell(text: str) -> str:
    """Text that stays text in a spreadsheet: an apostrophe stands before what would be a formula."""
    said = line(text, 500)
    return f"'{said}" if said.startswith(FORMULA) else said
