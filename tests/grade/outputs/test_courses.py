"""Courses graded for good: solved, bare and half done come to the same points in every output."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pytest_tinytorch import course
from pytest_tinytorch.grade.assignment import Assignment
from pytest_tinytorch.grade.outputs import FORMATS
from pytest_tinytorch.grade.task import Task, grade

from .reading import TOTALS, commands, rendered

REPOSITORY = Path(__file__).resolve().parents[3]
MODULES = ("activations", "layers")
POINTS = {module.name: module.points for module in course.CHECKPOINTS}
ASSIGNMENT = Assignment(checkpoints=MODULES, milestones=(1957,), weights={"layers": 2, "1957": 7})
MOST = POINTS["activations"] + 2 * POINTS["layers"] + 7


def handed_in(folder: Path, stubs: tuple[str, ...]) -> Path:
    """A submission of the solutions, in which these modules are as they were given out."""
    package = folder / "tinytorch"
    shutil.copytree(REPOSITORY / "solutions" / "tinytorch", package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in stubs:
        shutil.copy(REPOSITORY / "exercises" / "tinytorch" / f"{name}.py", package)
    return folder


@pytest.mark.parametrize(
    ("stubs", "score"),
    [((), MOST), (("layers",), POINTS["activations"]), (MODULES, 0)],
    ids=["solved", "half done", "bare"],
)
def test_points_are_the_same_in_every_output(stubs: tuple[str, ...], score: int, tmp_path: Path) -> None:
    task = Task(student="kim", source=str(handed_in(tmp_path, stubs)), assignment=ASSIGNMENT, seed=5)
    found = grade(task)
    assert found.trouble == ""
    totals = {name: set(read(rendered(name, found))) for name, read in TOTALS.items()}
    assert totals == {name: {(score, MOST)} for name in TOTALS}
    log = FORMATS["annotations"].render(found)
    assert commands(log) == log.splitlines()
    assert bool(log) is bool(stubs)
