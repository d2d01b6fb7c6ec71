"""copier.yml says about the course what course.py says, and no more."""

from __future__ import annotations

import keyword
import re
import sys
from typing import Any

import pytest

from pytest_tinytorch.course import MILESTONES, MODULES, TRACKS
from tests.template.rendering import ROOT

yaml: Any = pytest.importorskip("yaml")
CONFIG: dict[str, Any] = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))


def hours(low: float, high: float) -> str:
    return f"{low:g}–{high:g}"


def test_the_syllabus_is_the_course() -> None:
    assert CONFIG["syllabus"]["default"] == [
        {
            "number": module.number,
            "name": module.name,
            "stars": module.stars,
            "hours": hours(*module.hours),
            "points": module.points,
            "built": module.built,
            "needs": [below.name for below in module.needs],
            "capability": module.capability,
        }
        for module in MODULES
    ]


def test_the_history_is_the_course_s() -> None:
    assert CONFIG["history"]["default"] == [
        {
            "year": milestone.year,
            "name": milestone.name,
            "after": milestone.after.name,
            "script": milestone.script or "",
            "history": milestone.history,
        }
        for milestone in MILESTONES
    ]


def test_the_tracks_are_the_course_s() -> None:
    offered = CONFIG["tracks"]["default"]
    assert offered.pop("custom") == {"modules": [], "provided": []}
    assert offered == {
        track.name: {
            "modules": [module.number for module in track.modules],
            "provided": [module.number for module in track.provided],
        }
        for track in TRACKS.values()
    }
    assert list(CONFIG["track"]["choices"].values()) == [*TRACKS, "custom"]


@pytest.mark.parametrize("track", TRACKS.values(), ids=lambda track: track.name)
def test_a_track_leads_to_the_milestones_after_its_modules(track: Any) -> None:
    assert track.milestones == tuple(m for m in MILESTONES if m.after in track.modules)


@pytest.mark.parametrize("question", ["modules", "provided"])
def test_every_module_can_be_chosen(question: str) -> None:
    assert CONFIG[question]["choices"] == {module.label: module.name for module in MODULES}


def test_what_is_built_is_there() -> None:
    for module in filter(lambda each: each.built, MODULES):
        for path in (f"exercises/tinytorch/{module.file}", f"solutions/tinytorch/{module.file}"):
            assert (ROOT / path).is_file(), path
        assert (ROOT / "template" / module.lesson).is_file(), module.lesson
    for milestone in filter(lambda each: each.built, MILESTONES):
        assert (ROOT / "milestones" / str(milestone.script)).is_file()


def test_the_plugin_and_the_template_have_one_version() -> None:
    package = (ROOT / "pytest_tinytorch" / "__init__.py").read_text(encoding="utf-8")
    version = re.search(r'^__version__ = "(.+)"$', package, re.MULTILINE)
    assert version
    assert CONFIG["plugin_version"]["default"] == version[1]


def test_no_package_may_have_a_name_that_python_needs() -> None:
    names = {*sys.stdlib_module_names, *keyword.kwlist}
    reachable = {name for name in names if name == name.lower() and not name.startswith("_")}
    assert reachable <= {*CONFIG["taken_names"]["default"].split()}


def test_nothing_asks_for_trust() -> None:
    assert not {"_tasks", "_migrations", "_jinja_extensions", "_skip_if_exists"} & CONFIG.keys()


def test_no_file_name_of_the_template_is_illegal_on_windows() -> None:
    names = [str(path.relative_to(ROOT)) for path in (ROOT / "template").rglob("*")]
    assert [name for name in names if set(name) & set('"|<>:?*')] == []
