"""The course of one run: what `course.py` holds and what other packages add."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from . import course

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .course import Milestone, Module, Track


class CourseError(ValueError):
    """An extension or a setting that does not fit the course; the message is one sentence."""


@dataclass(frozen=True)
class Catalog:
    """Every checkpoint and milestone by number, and the track that counts here."""

    checkpoints: tuple[Module, ...]
    milestones: tuple[Milestone, ...]
    track: Track

    @cached_property
    def homes(self) -> dict[str, str]:
        """Which module each name lives in: `softmax` in `activations`."""
        return {name: module.name for module in self.checkpoints for name in module.exports}

    @cached_property
    def by_name(self) -> dict[str, Module]:
        """The modules by their names."""
        return {module.name: module for module in self.checkpoints}

    def checks_file(self, module: Module) -> Path:
        """The file that holds a built module's checks; it is found, not imported."""
        spec = importlib.util.find_spec(module.checks or "")
        if spec is None or spec.origin is None:
            raise CourseError(f"checkpoint {module.label} has no checks: {module.checks} cannot be found")
        return Path(spec.origin)


def gather(modules: Iterable[Module], milestones: Iterable[Milestone], track: Track) -> Catalog:
    """The course with what other packages add to it, in order of number.

    Raises:
        CourseError: two modules, or two milestones, have the same number.
    """
    extra = tuple(modules)
    every = _in_order((*course.CHECKPOINTS, *extra), "checkpoint")
    history = _in_order((*course.MILESTONES, *milestones), "milestone")
    if extra and track is course.TRACKS["complete"]:
        track = course.Track(
            name=track.name, modules=every[1:], milestones=history, effort=track.effort, provided=track.provided
        )
    return Catalog(checkpoints=every, milestones=history, track=track)


def _in_order(things: tuple, kind: str) -> tuple:  # type: ignore[type-arg]  # of modules or of milestones
    seen: dict[int, str] = {}
    for thing in things:
        if thing.number in seen:
            raise CourseError(
                f"{kind} {thing.number} is both {seen[thing.number]} and {thing.name}: choose a free number"
            )
        seen[thing.number] = thing.name
    return tuple(sorted(things, key=lambda t: t.number))


def script_path(milestone: Milestone) -> Path:
    """Where a built milestone's script lies: an own path, in the wheel, or in a checkout."""
    script = Path(milestone.script or "")
    here = Path(__file__).parent
    places = [script, here / "_milestones" / script, here.parent / "milestones" / script]
    found = next((p for p in places if p.is_absolute() and p.is_file()), None)
    if found is None:
        raise CourseError(f"the script of milestone {milestone.label} is missing: install pytest-tinytorch anew")
    return found
