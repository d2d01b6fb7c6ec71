"""The gradebook of a class: a row for each student, in the columns of `--output csv`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...outcome import Outcome
from ..outputs import csv
from ..result import NOT_RUN, Grade, GradedCheck, GradedCheckpoint


def render(grades: Sequence[Grade]) -> str:
    """The gradebook as text."""
    return csv.table(grades)


def slim(grade: Grade) -> Grade:
    """The grade with two checks for each checkpoint, what was earned and what was not: a class of them fits memory."""
    checkpoints = tuple(replace(part, checks=_sums(part)) for part in grade.checkpoints)
    return replace(grade, checkpoints=checkpoints, notes=(), timing=type(grade.timing)())


def _sums(part: GradedCheckpoint) -> tuple[GradedCheck, ...]:
    sums = {Outcome.PASSED.value: part.score, NOT_RUN: part.max_score - part.score}
    return tuple(
        GradedCheck(name=outcome, claim="", exercise=None, points=points, outcome=outcome)
        for outcome, points in sums.items()
    )
