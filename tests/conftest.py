"""Courses to run the plugin in: bare stubs, and the same with the solutions."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

REPOSITORY = Path(__file__).resolve().parent.parent
CONFIGURATION = '[tool.pytest.ini_options]\ntinytorch_track = "complete"\n'


class CourseRepository:
    """A student's repository in a pytester folder; `package` is its package."""

    def __init__(self, pytester: pytest.Pytester, flavour: str) -> None:
        self.pytester = pytester
        self.root = pytester.path
        self.package = self.root / "tinytorch"
        shutil.copytree(REPOSITORY / flavour / "tinytorch", self.package, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(REPOSITORY / "milestones", self.root / "milestones", dirs_exist_ok=True)
        (self.root / "pyproject.toml").write_text(CONFIGURATION, encoding="utf-8")

    def edit(self, module: str, old: str, new: str) -> None:
        """Change a module; `old` stands in it exactly once."""
        path = self.package / f"{module}.py"
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {module}.py"
        path.write_text(text.replace(old, new), encoding="utf-8", newline="\n")

    def append(self, module: str, text: str) -> None:
        """Put a later definition of a function into a module."""
        path = self.package / f"{module}.py"
        path.write_text(path.read_text(encoding="utf-8") + f"\n\n{text}\n", encoding="utf-8", newline="\n")

    def pytest(self, *args: str) -> pytest.RunResult:
        """Run pytest in a process of its own, as a student does."""
        return self.pytester.runpytest_subprocess(*args)


@pytest.fixture
def bare(pytester: pytest.Pytester) -> CourseRepository:
    """A course as a student gets it."""
    return CourseRepository(pytester, "exercises")


@pytest.fixture
def solved(pytester: pytest.Pytester) -> CourseRepository:
    """A course with every exercise solved."""
    return CourseRepository(pytester, "solutions")


@pytest.fixture(scope="module", autouse=True)
def _no_court_stays() -> Iterator[None]:
    """What grades in this process starts another one and keeps it: not longer than the tests of a file."""
    yield
    court = sys.modules.get("pytest_tinytorch.grade.court")
    if court is not None:
        court.close()
