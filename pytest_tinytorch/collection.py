"""From checkpoint files that lie in the installed package to pytest's items."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .verdict import Check

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .course import Milestone, Module

CHECK = pytest.StashKey[Check]()


class Corridor(pytest.File):
    """A folder on the way to installed files. It holds them and nothing else: no conftest.py, no other test.

    pytest walks from the root to every file that it is given. An ordinary folder node would list all of
    site-packages on the way, and would refuse to enter a virtual environment.
    """

    files: frozenset[Path]

    @classmethod
    def of(cls, parent: pytest.Collector, path: Path, files: Iterable[Path]) -> Corridor:
        """The node for a folder above some of the files."""
        node = cls.from_parent(parent, path=path, nodeid=path.name or "/")
        node.files = frozenset(file for file in files if path in file.parents)
        return node

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        """The next step towards each file."""
        depth = len(self.path.parts) + 1
        for step in sorted({Path(*file.parts[:depth]) for file in self.files}):
            if step in self.files:
                yield from self.ihook.pytest_collect_file(file_path=step, parent=self)
            else:
                yield Corridor.of(self, step, self.files)


class CheckpointFile(pytest.Module):
    """One checkpoint. Its node id is the module's label, so that it does not depend on where we are installed."""

    verifies: Module

    @classmethod
    def of(cls, parent: pytest.Collector, path: Path, module: Module) -> CheckpointFile:
        """The node for a module's checks."""
        node = cls.from_parent(parent, path=path, nodeid=f"checkpoint-{module.number:02}-{module.name}")
        node.verifies = module
        return node

    def _getobj(self) -> Any:
        return importlib.import_module(self.verifies.checks or "")

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        """The checks in the order of the file."""
        for item in super().collect():
            if isinstance(item, pytest.Function):
                item.stash[CHECK] = describe(item, self.verifies)
            yield item


def describe(item: pytest.Function, module: Module) -> Check:
    """What a check says of itself: its exercise, its points, and the first line of its docstring."""
    about = getattr(item.function, "about", None)
    claim = (inspect.getdoc(item.function) or item.name).partition("\n")[0].rstrip(".")
    return Check(
        id=item.nodeid,
        module=module,
        exercise=about.exercise if about else None,
        claim=claim,
        points=about.points if about else 0,
    )


class MilestoneFile(pytest.File):
    """A milestone's script as one item."""

    milestone: Milestone

    @classmethod
    def of(cls, parent: pytest.Collector, path: Path, milestone: Milestone) -> MilestoneFile:
        """The node for a milestone."""
        node = cls.from_parent(parent, path=path, nodeid=f"milestone-{milestone.year}")
        node.milestone = milestone
        return node

    def collect(self) -> Iterable[pytest.Item]:
        """One item, named for the milestone."""
        item = MilestoneItem.from_parent(self, name=self.milestone.name.lower().replace(" ", "_"))
        item.milestone = self.milestone
        yield item


class MilestoneItem(pytest.Item):
    """One milestone; the working plugin runs it."""

    milestone: Milestone

    def runtest(self) -> None:
        """Hand over to the hook of the working plugin."""
        self.config.pluginmanager.getplugin("tinytorch-verifier").run_milestone(self)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where pytest says that the item stands."""
        return self.path, 0, self.milestone.label
