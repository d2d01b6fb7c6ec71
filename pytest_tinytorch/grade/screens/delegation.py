"""Exercises that hand on what they ask for, by themselves or by way of helpers."""

from __future__ import annotations

from collections.abc import Iterator

from .. import rules
from .package import OWN, Finding, Package

KIND = "delegation"


def delegated(package: Package) -> Iterator[Finding]:
    """Exercises that hand on what they ask for, by themselves or by way of helpers."""
    for rule in rules.DELEGATION:
        for exercise in rule.exercises:
            yield from _delegates(package, rule, exercise)


def _delegates(package: Package, rule: rules.Delegation, exercise: str) -> Iterator[Finding]:
    """The first thing that an exercise hands on against its rule."""
    reached = _reached(package, rule, exercise)
    unlooped = rules.UNLOOPED in rule.uses and not any(package.work(place).has_loop for place in reached)
    recursive = any(exercise in package.work(place).leads_to for place in reached)
    for place, way in reached.items():
        for use, line in sorted(
            set(package.work(place).uses), key=lambda one: (one[1], one[0].startswith("."), one[0])
        ):
            hit = _breach(use, rule.uses) or (unlooped and not recursive and _breach(use, rules.PRODUCTS))
            if hit:
                by = f", by way of {' and '.join(f'`{name}`' for name in way)}" if way else ""
                says = f"`{exercise.partition('.')[2]}` {rule.says}; it uses {_shown(use)}{by}"
                yield KIND, says, package.places[place][0].name, line
                return


def _breach(use: str, uses: frozenset[str]) -> bool:
    """Whether a use is one of these, or lies below one; an attribute of anything has nothing below it."""
    return use in uses if use.startswith(".") else bool(rules.within(use, uses))


def _shown(use: str) -> str:
    """A use as a reader would write it."""
    return f"`{use.removeprefix(OWN)}`"


def _reached(package: Package, rule: rules.Delegation, exercise: str) -> dict[str, tuple[str, ...]]:
    """Every definition that an exercise leads to, with the helpers between.

    What was given is trusted, and another exercise under the same rule is told for itself.
    """
    found: dict[str, tuple[str, ...]] = dict.fromkeys(package.origin(f"{OWN}{exercise}"), ())
    waiting = list(found)
    for place in waiting:
        for to in package.work(place).leads_to:
            if to not in found and to not in rule.exercises and not package.is_given(to):
                found[to] = (*found[place], to.rpartition(".")[2])
                waiting.append(to)
    return found
