"""Whoever solves the course in an unusual way has full marks, and nothing to explain."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tinytorch.grade.assignment import Assignment
from pytest_tinytorch.grade.task import Task, grade

from .programs import MODULE, PROGRAMS, Honest

ASSIGNMENT = Assignment(checkpoints=(MODULE,), time_limit=20, total_limit=200)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_an_unusual_program_loses_no_point_and_raises_no_suspicion(program: Honest, tmp_path: Path) -> None:
    program.write(tmp_path / "course")
    found = grade(Task(student="ada", source=str(tmp_path / "course"), assignment=ASSIGNMENT, seed=5))
    lost = [check.message() for part in found.checkpoints for check in part.checks if not check.passed]
    assert (found.trouble, lost) == ("", [])
    assert found.score == found.max_score == 48
    assert found.integrity == ()


def test_there_are_enough_of_them() -> None:
    assert len({program.name for program in PROGRAMS}) == len(PROGRAMS) >= 30
