"""Classes of submissions that the fake work of fake.py grades."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_tinytorch.grade.assignment import Assignment
from pytest_tinytorch.grade.classes.engines import Engine, Local
from pytest_tinytorch.grade.classes.roster import Entry, read
from pytest_tinytorch.grade.classes.run import ClassRun
from pytest_tinytorch.grade.classes.store import Run, Store
from tools import ROOT

FAKE = "tests.grade.classes.fake"
ASSIGNMENT = Assignment(name="Autumn", time_limit=10.0, total_limit=60.0)
PATHS = (str(ROOT),)


class SilentBoard:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.phases: list[tuple[str, int]] = []
        self.grades: dict[str, Mapping[str, Any]] = {}

    def phase(self, name: str, total: int) -> None:
        """Remember it."""
        self.phases.append((name, total))

    def begun(self, student: str) -> None:
        """Nothing to remember."""

    def ended(self, student: str, grade: Mapping[str, Any] | None = None) -> None:
        """Remember the grade."""
        if grade is not None:
            self.grades[student] = grade


class Classroom:
    """A folder of submissions, and runs over it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "class"
        self.into = folder / "out"
        self.folder.mkdir()

    def hand_in(self, **submissions: str) -> None:
        """A submission for each student, with what its file says."""
        for student, says in submissions.items():
            path = self.folder / student
            path.mkdir(exist_ok=True)
            (path / "points").write_text(says, encoding="utf-8")

    def entries(self) -> tuple[Entry, ...]:
        """Who handed in what."""
        return read(self.folder).entries

    def run(
        self,
        engine: Engine | None = None,
        into: Path | None = None,
        assignment: Assignment = ASSIGNMENT,
        *,
        update: bool = False,
        seed: int = 5,
    ) -> SilentBoard:
        """Grade what is not graded yet."""
        board = SilentBoard()
        with Store.open(into or self.into, Run.of(assignment, seed)) as store, engine or Local(2, PATHS) as used:
            work = ClassRun(store=store, assignment=assignment, engine=used, board=board, module=FAKE)
            work.grade(self.entries(), update=update)
        return board

    def lines(self, into: Path | None = None) -> list[dict[str, Any]]:
        """The results, in order of the students."""
        text = ((into or self.into) / "results.jsonl").read_text(encoding="utf-8")
        return sorted((json.loads(line) for line in text.splitlines()), key=lambda line: str(line["student"]))

    def times_graded(self, student: str) -> int:
        """How often the work was done for a student."""
        path = self.folder / student / "graded"
        return len(path.read_text(encoding="utf-8").splitlines()) if path.exists() else 0


@pytest.fixture
def classroom(tmp_path: Path) -> Classroom:
    """An empty class."""
    return Classroom(tmp_path)
