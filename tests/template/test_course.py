"""A course that was made by copier, worked in as a student does."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from pytest_tinytorch.course import MODULES, TRACKS
from tests.template.rendering import Template, commit
from tests.template.solving import solve

if TYPE_CHECKING:
    from pathlib import Path

BUILT = [module for module in MODULES if module.built]
EVERYTHING = ("--checkpoint", f"0-{BUILT[-1].number}", "--milestone", "all")


def verify(course: Path, *options: str) -> tuple[int, dict[str, Any]]:
    """Run pytest in a course: its exit code, and its report."""
    command = (sys.executable, "-m", "pytest", "-q", *options, "--report", "report.json")
    run = subprocess.run(command, cwd=course, check=False, stdout=subprocess.DEVNULL)  # noqa: S603  # our own command
    return run.returncode, json.loads((course / "report.json").read_text(encoding="utf-8"))


def outcomes(report: dict[str, Any]) -> dict[str, Counter[str]]:
    """How many checks of each module ended how."""
    found: dict[str, Counter[str]] = {}
    for result in report["results"]:
        found.setdefault(result["module"], Counter())[result["outcome"]] += 1
    return found


def unpassed(report: dict[str, Any]) -> list[tuple[str, str, int]]:
    """The checks that did not pass: how they ended, and with which seed."""
    return [(each["check"], each["outcome"], each["seed"]) for each in report["results"] if each["outcome"] != "passed"]


def made(template: Template, course: Path, **answers: Any) -> Path:
    template.course(course, **answers)
    commit(course, "Start of the course")
    return course


def test_bare_stubs_are_not_written_and_nothing_crashes(template: Template, tmp_path: Path) -> None:
    code, report = verify(made(template, tmp_path / "course"), *EVERYTHING)
    found = outcomes(report)
    assert code == 1
    assert set(found.pop("environment")) == {"passed"}
    assert set(found) == {module.name for module in BUILT}
    assert set.union(*map(set, found.values())) <= {"not written", "blocked"}
    assert {each["outcome"] for each in report["milestone_results"]} == {"blocked"}


@pytest.mark.parametrize(
    ("answers", "options"), [({"package_name": "mytorch"}, ()), ({}, ("--isolated",))], ids=["loop", "isolated"]
)
def test_a_finished_course_is_proved(
    template: Template, tmp_path: Path, answers: dict[str, str], options: tuple[str, ...]
) -> None:
    course = made(template, tmp_path / "course", **answers)
    solve(course / answers.get("package_name", "tinytorch"), template.folder / "solutions/tinytorch")
    code, report = verify(course, *EVERYTHING, *options)
    assert unpassed(report) == []
    assert set(outcomes(report)) == {"environment", *(module.name for module in BUILT)}
    assert {each["outcome"] for each in report["milestone_results"]} == {"passed"}
    assert code == 0


def test_the_optimization_track_is_proved_on_provided_modules(template: Template, tmp_path: Path) -> None:
    """Modules 01–13 come solved and are only used; the milestone checks what lies below it first."""
    course = made(template, tmp_path / "course", track="optimization")
    written = solve(course / "tinytorch", template.folder / "solutions/tinytorch")
    assert tuple(written) == TRACKS["optimization"].modules
    code, report = verify(course, "--checkpoint", "all", "--milestone", "all")
    assert unpassed(report) == []
    assert set(outcomes(report)) == {"environment", *(module.name for module in written)}
    assert {each["name"] for each in report["checkpoints"] if each["status"] == "provided"} == {
        module.name for module in TRACKS["optimization"].provided
    }
    (reached,) = report["milestone_results"]
    assert (reached["label"], reached["outcome"], reached["full"]) == ("2024 Torch Olympics", "passed", False)
    assert code == 0


def test_a_track_of_one_s_own_counts_what_is_not_provided(template: Template, tmp_path: Path) -> None:
    course = made(template, tmp_path / "course", track="custom", modules=["layers"])
    code, report = verify(course, "--checkpoint", "all")
    found = outcomes(report)
    assert code == 1
    assert set(found) == {"environment", "layers"}
    assert set(found["layers"]) <= {"not written", "blocked"}
    states = {each["name"]: each["status"] for each in report["checkpoints"]}
    assert states["tensor"] == states["activations"] == "provided"


def test_a_student_s_own_tests_run_by_plain_pytest(template: Template, tmp_path: Path) -> None:
    course = made(template, tmp_path / "course")
    command = (sys.executable, "-m", "pytest", "-q")
    assert subprocess.run(command, cwd=course, check=False, stdout=subprocess.DEVNULL).returncode == 1  # noqa: S603  # our own command
    solve(course / "tinytorch", template.folder / "solutions/tinytorch")
    assert subprocess.run(command, cwd=course, check=False, stdout=subprocess.DEVNULL).returncode == 0  # noqa: S603  # our own command
