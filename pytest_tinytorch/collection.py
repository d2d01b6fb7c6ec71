"""From checkpoint files that lie in the installed package to pytest's items."""

from __future__ import annotations

import functools
import importlib
import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .verdict import Check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

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
    """One checkpoint."""

    verifies: Module

    @classmethod
    def of(cls, parent: pytest.Collector, path: Path, module: Module) -> CheckpointFile:
        """The node for a module's checks."""
        node = cls.from_parent(parent, path=path, nodeid=node_id(module))
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
    return describe_function(item.function, module, item.nodeid)


def describe_function(function: Callable[..., object], module: Module, nodeid: str) -> Check:
    """What a function of a file of checks says of itself."""
    about = getattr(function, "about", None)
    claim = (inspect.getdoc(function) or nodeid.rpartition("::")[2]).partition("\n")[0].rstrip(".")
    return Check(
        id=nodeid,
        module=module,
        exercise=about.exercise if about else None,
        claim=claim,
        points=about.points if about else 0,
    )


@functools.cache
def functions_of(module: Module) -> tuple[tuple[Check, Callable[..., object]], ...]:
    """The checks of a built module with their functions, in the order of their file, without pytest."""
    names = vars(importlib.import_module(module.checks or "")).items()
    file = node_id(module)
    return tuple((describe_function(f, module, f"{file}::{name}"), f) for name, f in names if name.startswith("test_"))


def node_id(module: Module) -> str:
    """The node id of a checkpoint's file: it does not depend on where we are installed."""
    return f"checkpoint-{module.number:02}-{module.name}"


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
