"""Whoever solves the course in an unusual way has full marks, and nothing to explain."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tinytorch.grade.assignment import Assignment
from pytest_tinytorch.grade.outputs.words import told
from pytest_tinytorch.grade.task import Task, grade
from tools import EXERCISES

from .programs import MODULE, PROGRAMS, Honest, source

FUTURE = "from __future__ import annotations\n"
ASSIGNMENT = Assignment(checkpoints=(MODULE,), time_limit=20, total_limit=200)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_an_unusual_program_loses_no_point_and_raises_no_suspicion(program: Honest, tmp_path: Path) -> None:
    program.write(tmp_path / "course")
    found = grade(Task(student="ada", source=str(tmp_path / "course"), assignment=ASSIGNMENT, seed=5))
    lost = [told(check) for part in found.checkpoints for check in part.checks if not check.passed]
    assert (found.trouble, lost) == ("", [])
    assert found.score == found.max_score == 48
    assert found.integrity == ()


@pytest.mark.parametrize("below", ["from .mine import relu, softmax\n", "from .mine import *\n", "twice"])
def test_a_stub_that_is_left_above_what_replaces_it_costs_no_point(tmp_path: Path, below: str) -> None:
    text = source() if below == "twice" else below
    stubs = (EXERCISES / f"{MODULE}.py").read_text("utf-8")
    Honest(
        name="", change=lambda _: f"{stubs}\n\n{text}".replace(FUTURE, "").encode(), files={"mine.py": source()}
    ).write(tmp_path / "course")
    found = grade(Task(student="ada", source=str(tmp_path / "course"), assignment=ASSIGNMENT, seed=5))
    passed = [check for part in found.checkpoints for check in part.checks if check.passed]
    assert {check.exercise for check in passed} >= {"relu", "softmax"}
    assert found.score == (found.max_score if below != "from .mine import relu, softmax\n" else found.score)


def test_there_are_enough_of_them() -> None:
    assert len({program.name for program in PROGRAMS}) == len(PROGRAMS) >= 30
