"""From what the user typed to checkpoints and milestones: `5`, `1-7`, `1,3`, `attention`, `all`, `next`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import course

if TYPE_CHECKING:
    from .catalog import Catalog
    from .course import Milestone, Module


class SelectionError(ValueError):
    """A specification that names nothing; the message is one sentence with the nearest match."""


@dataclass(frozen=True)
class Asked:
    """What a specification may refer to: the course of this run and what is proved so far."""

    catalog: Catalog
    is_proved: Callable[[Module], bool] = lambda module: False
    is_reached: Callable[[Milestone], bool] = lambda milestone: False


def modules_named(words: Iterable[str], modules: Iterable[Module] = course.MODULES) -> tuple[Module, ...]:
    """Modules by number or name, in course order: `["1", "attention"]`."""
    known = tuple(modules)
    found = {_module(word, known).number for word in words}
    return tuple(module for module in known if module.number in found)


def _module(word: str, known: tuple[Module, ...]) -> Module:
    for module in known:
        if word.lower() in {module.name, str(module.number), f"{module.number:02}"}:
            return module
    raise SelectionError(f"{word!r} is no module{_nearest(word, [m.name for m in known])}")


# ---- checkpoints ----------------------------------------------------------------------------------------


def select_checkpoints(specs: Iterable[str], asked: Asked) -> tuple[list[Module], list[str]]:
    """The built checkpoints that the specifications name, in course order, and notes about what is not built.

    Raises:
        SelectionError: a specification names nothing, or nothing that is built.
    """
    chosen: dict[int, Module] = {}
    notes = []
    for spec in specs:
        named = [module for part in _parts(spec, "--checkpoint") for module in _checkpoints(part, asked)]
        missing = [module for module in named if not module.built]
        if named and len(missing) == len(named):
            raise SelectionError(f"--checkpoint {spec}: {_not_built([m.label for m in missing])}; {_built(asked)}")
        if missing:
            notes.append(f"left out: {_not_built([m.label for m in missing])}")
        chosen |= {module.number: module for module in named if module.built}
    return [chosen[number] for number in sorted(chosen)], notes


def _parts(spec: str, option: str) -> list[str]:
    parts = [part.strip() for part in spec.split(",") if part.strip()]
    if not parts:
        raise SelectionError(f"{option} needs a value, such as 1, 1-4, all or next")
    return parts


def _checkpoints(part: str, asked: Asked) -> list[Module]:
    known = asked.catalog.checkpoints
    span = re.fullmatch(r"(\d+)\s*-\s*(\d+)", part)
    if span:
        return _range(int(span[1]), int(span[2]), known, part)
    word = part.lower()
    if word == "all":
        return [known[0], *(m for m in asked.catalog.track.modules if m.built)]
    if word == "next":
        return [_next(asked)]
    group = [m for m in known if m.number and word in _groups(m)]
    if group:
        return group
    if word.isdigit():
        return _range(int(word), int(word), known, part)
    named = [m for m in known if m.name == word]
    if not named:
        names = ["all", "next", *(m.name for m in known), *(tier.lower() for tier in course.TIERS)]
        raise SelectionError(f"--checkpoint {part}: there is no such checkpoint{_nearest(word, names)}")
    return named


def _range(low: int, high: int, known: tuple[Module, ...], part: str) -> list[Module]:
    found = [module for module in known if low <= module.number <= high]
    if not found or low > high or high > known[-1].number:
        raise SelectionError(f"--checkpoint {part}: checkpoints are numbered 0 to {known[-1].number}")
    return found


def _groups(module: Module) -> set[str]:
    """The names of the tier and the act that a module belongs to: `foundation`, `ii`, `act2`, `learning`."""
    roman, _, title = module.act.partition(" ")
    number = list(course.ACTS).index(module.act) + 1 if module.act in course.ACTS else 0
    act = {roman.lower(), f"act{number}", f"act-{number}", title.lower(), title.lower().replace(" ", "-")}
    return {module.tier.lower()} | (act if title.lower() != "foundation" else act - {title.lower()})


def _next(asked: Asked) -> Module:
    unproved = [m for m in asked.catalog.track.modules if m.built and not asked.is_proved(m)]
    if unproved:
        return unproved[0]
    built = [m for m in asked.catalog.track.modules if m.built]
    if not built:
        raise SelectionError(
            f"--checkpoint next: nothing of track {asked.catalog.track.name} is built yet; {_built(asked)}"
        )
    return built[-1]


# ---- milestones -----------------------------------------------------------------------------------------


def select_milestones(specs: Iterable[str], asked: Asked) -> tuple[list[Milestone], list[str]]:
    """The built milestones that the specifications name (number, year, name, `all`, `next`), in order."""
    chosen: dict[int, Milestone] = {}
    notes = []
    for spec in specs:
        named = [milestone for part in _parts(spec, "--milestone") for milestone in _milestones(part, asked)]
        missing = [milestone for milestone in named if not milestone.built]
        if named and len(missing) == len(named):
            built = ", ".join(m.label for m in asked.catalog.milestones if m.built)
            raise SelectionError(
                f"--milestone {spec}: {_not_built([m.label for m in missing])}; this version has {built}"
            )
        if missing:
            notes.append(f"left out: {_not_built([m.label for m in missing])}")
        chosen |= {milestone.number: milestone for milestone in named if milestone.built}
    return [chosen[number] for number in sorted(chosen)], notes


def _milestones(part: str, asked: Asked) -> list[Milestone]:
    word, mine = part.lower(), list(asked.catalog.track.milestones)
    if word == "all":
        return mine
    if word == "next":
        left = [m for m in mine if m.built and not asked.is_reached(m)]
        return left[:1] or mine[-1:]
    for milestone in asked.catalog.milestones:
        if word in {str(milestone.number), str(milestone.year), milestone.name.lower()}:
            return [milestone]
    names = ["all", "next", *(n for m in asked.catalog.milestones for n in (str(m.year), m.name.lower()))]
    raise SelectionError(f"--milestone {part}: there is no such milestone{_nearest(word, names)}")


# ---- sentences ------------------------------------------------------------------------------------------


def _nearest(word: str, names: list[str]) -> str:
    close = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.5)
    return f"; the nearest is {close[0]}" if close else f"; there are {', '.join(names)}"


def _not_built(labels: list[str]) -> str:
    return f"{', '.join(labels)} {'is' if len(labels) == 1 else 'are'} not built yet"


def _built(asked: Asked) -> str:
    return "this version has " + ", ".join(m.label for m in asked.catalog.checkpoints if m.built)
