"""A package and a way to play a milestone on it, in this process or isolated, without a pytest run around it."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from pytest_tinytorch import course, lab, milestones
from pytest_tinytorch.datasets import Digits, tiny_digits
from pytest_tinytorch.handles import open_isolated, open_loop
from pytest_tinytorch.outcome import MilestoneResult
from pytest_tinytorch.sources import Sources
from tests.conftest import REPOSITORY

MNIST = REPOSITORY.parent / "shared" / "datasets"
HOMES = {name: module.name for module in course.MODULES for name in module.exports}


@dataclass
class Player:
    """A student's package, and milestones played on it."""

    package: Path

    def play(self, year: int, *, isolated: bool = False, **stage: Any) -> MilestoneResult:
        """Replay the script of a year."""
        milestone = next(each for each in course.MILESTONES if each.year == year)
        script = milestones.load(next((REPOSITORY / "milestones").glob(f"{year}_*.py")))
        return self.replay(script, milestone, isolated=isolated, **stage)

    def replay(
        self, script: milestones.Script, milestone: course.Milestone, *, isolated: bool = False, **stage: Any
    ) -> MilestoneResult:
        """Replay any script."""
        sessions = (open_isolated if isolated else open_loop)(self.package, homes=HOMES)
        try:
            played = milestones.Stage(**{"seed": 1, "limit": 60.0} | stage)
            with contextlib.suppress(OSError):  # as a run of pytest does, where there can be such a folder
                if played.unfinished:
                    played.unfinished.folder.parent.mkdir(parents=True, exist_ok=True)
                    sessions.share(played.unfinished.folder.parent)
            return milestones.replay(script, milestone, sessions, Sources(self.package), played)
        finally:
            sessions.close()

    def edit(self, module: str, old: str, new: str) -> None:
        """Change a module; `old` stands in it exactly once."""
        path = self.package / f"{module}.py"
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {module}.py"
        path.write_text(text.replace(old, new), encoding="utf-8", newline="\n")

    def append(self, module: str, text: str) -> None:
        """Put later definitions into a module."""
        with (self.package / f"{module}.py").open("a", encoding="utf-8") as file:
            file.write(f"\n\n{text}\n")


@pytest.fixture(scope="session")
def solution() -> Player:
    """The reference solution, which nobody edits."""
    return Player(REPOSITORY / "solutions" / "tinytorch")


@pytest.fixture
def student(tmp_path: Path) -> Player:
    """A copy of the reference solution, to be spoilt."""
    package = tmp_path / "course" / "tinytorch"
    shutil.copytree(REPOSITORY / "solutions" / "tinytorch", package, ignore=shutil.ignore_patterns("__pycache__"))
    return Player(package)


@pytest.fixture(scope="session")
def mnist() -> Path:
    """A data folder that holds MNIST files."""
    if not (MNIST / "mnist").is_dir():
        pytest.skip(f"no MNIST files in {MNIST}")
    return MNIST


@pytest.fixture
def small_mnist(monkeypatch: pytest.MonkeyPatch) -> None:
    """TinyDigits, four times as large, in place of MNIST: a full stage without its files."""
    digits = tiny_digits()

    def grown(images: Any) -> Any:
        return (images.astype("uint16") * 255 // 16).astype("uint8").repeat(3, axis=1).repeat(3, axis=2)

    def load(self: lab.Data) -> Digits:
        self.notes.append("an unverified copy")
        return replace_images(digits, grown)

    monkeypatch.setattr(lab.Data, "mnist", load)


def replace_images(digits: Digits, change: Any) -> Digits:
    """The same digits with other images."""
    return digits._replace(train_images=change(digits.train_images), test_images=change(digits.test_images))


def reached(result: MilestoneResult) -> list[float]:
    """What each claim reached, in percent."""
    return [float(claim.reached.removesuffix(" %")) for claim in result.claims]


__all__ = ["HOMES", "MNIST", "Player", "reached", "replace"]
