"""`course.py` agrees with itself and with the solutions."""

from __future__ import annotations

import ast
import importlib
import importlib.util

import pytest

from pytest_tinytorch.course import ACTS, CHECKPOINTS, LEVELS, MILESTONES, MODULES, TIERS, TRACKS, Module
from tests.course import BUILT, WRITTEN
from tools import LESSONS, ROOT, SOLUTIONS
from tools.functions import functions


def test_numbers_are_positions() -> None:
    assert [module.number for module in CHECKPOINTS] == list(range(21))
    assert [milestone.number for milestone in MILESTONES] == list(range(1, 7))


def test_names_are_unique() -> None:
    assert len({module.name for module in CHECKPOINTS}) == len(CHECKPOINTS)
    assert len({milestone.name for milestone in MILESTONES}) == len(MILESTONES)
    names = [name for module in MODULES for name in module.exports]
    assert sorted(names) == sorted(set(names))


def test_every_module_needs_only_earlier_ones() -> None:
    for module in MODULES:
        assert all(0 < below.number < module.number for below in module.needs), module.label
    assert all(below.built for module in BUILT for below in module.foundations)


def test_milestones_follow_the_years_and_the_modules() -> None:
    assert [m.year for m in MILESTONES] == sorted(m.year for m in MILESTONES)
    assert [m.after.number for m in MILESTONES] == sorted(m.after.number for m in MILESTONES)
    assert all((ROOT / "milestones" / m.script).is_file() for m in MILESTONES if m.script)
    assert all(module.built for m in MILESTONES if m.built for module in m.needs)


def test_difficulty_rises_and_falls_as_planned() -> None:
    assert "".join(str(module.stars) for module in MODULES) == "22334443544554554445"


def test_acts_tiers_and_levels_are_stretches() -> None:
    for stretch, known in (("act", list(ACTS)), ("tier", list(TIERS)), ("level", list(LEVELS))):
        places = [known.index(getattr(module, stretch)) for module in MODULES]
        assert places == sorted(places)
        assert set(places) == set(range(len(known)))


@pytest.mark.parametrize("name", TRACKS)
def test_tracks_are_closed_under_prerequisites(name: str) -> None:
    track = TRACKS[name]
    present = {*track.modules, *track.provided}
    assert all(set(module.foundations) <= present for module in track.modules)
    assert all(set(milestone.needs) <= present for milestone in track.milestones)


@pytest.mark.parametrize("module", WRITTEN, ids=lambda module: module.name)
def test_exports_and_exercises_stand_in_the_solution(module: Module) -> None:
    tree = ast.parse((SOLUTIONS / module.file).read_text("utf-8"))
    assert module.exports, f"{module.name} exports nothing"
    assert set(module.exports) <= _top_names(tree)
    found = functions(tree)
    assert module.exercises, f"{module.name} has no exercises"
    assert [name for name in module.exercises if name not in found] == []
    assert len(set(module.exercises)) == len(module.exercises)


def _top_names(tree: ast.Module) -> set[str]:
    names = {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    assigned = (node for node in tree.body if isinstance(node, (ast.Assign, ast.AnnAssign)))
    return names | {n.id for node in assigned for n in ast.walk(node) if isinstance(n, ast.Name)}


def test_the_package_offers_every_export_flat() -> None:
    tree = ast.parse((SOLUTIONS / "__init__.py").read_text("utf-8"))
    (listed,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    exports = {name for module in WRITTEN for name in module.exports}
    assert exports - set(listed) == set(), "exports that __all__ lacks"
    assert set(listed) - exports - {module.name for module in WRITTEN} == set(), "in __all__, in no module's exports"


@pytest.mark.parametrize("module", BUILT, ids=lambda module: module.name)
def test_what_is_built_has_checks(module: Module) -> None:
    assert importlib.util.find_spec(module.checks or "")


@pytest.mark.parametrize("module", WRITTEN, ids=lambda module: module.name)
def test_what_students_write_has_a_lesson(module: Module) -> None:
    assert (LESSONS.parent / module.lesson).is_file()


@pytest.mark.parametrize("module", WRITTEN, ids=lambda module: module.name)
def test_every_ladder_belongs_to_an_exercise(module: Module) -> None:
    assert set(importlib.import_module(f"pytest_tinytorch.hints.{module.name}").LADDERS) == set(module.exercises)
