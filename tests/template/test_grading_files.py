"""What a course has for grading: an assignment that says what its answers said, and files for the place that grades."""

from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path
from typing import Any

import pytest

from pytest_tinytorch.course import MODULES, TRACKS
from pytest_tinytorch.grade.assignment import load
from tests.template.machines import steps
from tests.template.rendering import Template, commit, update

yaml: Any = pytest.importorskip("yaml")
FILES = {
    "none": set(),
    "github": {".github/workflows/grade.yml"},
    "github, a class": {".github/workflows/class.yml", "roster.csv"},
    "classroom50": {"autograding/autograder.py"},
    "gradescope": {"autograding/run_autograder", "autograding/setup.sh"},
}
EVERY = {name for names in FILES.values() for name in names}
TRACK_ANSWERS: dict[str, dict[str, Any]] = {
    **{track: {"track": track} for track in TRACKS},
    "custom": {"track": "custom", "modules": ["layers", "losses"]},
    "provided in a track": {"track": "foundation", "provided": ["tensor", "activations"]},
    "another package": {"track": "foundation", "package_name": "mytorch"},
}
COUNTED = {
    "autograding": "github",
    "weights": {"autograd": 2, "tensor": 0, 1969: 20},
    "due": {"autograd": "2026-10-31", "losses": "2026-10-17T18:00:00+02:00", 1969: "2026-11-15 12:00"},
}


@pytest.mark.parametrize("place", FILES)
def test_a_place_gets_its_files_and_no_other(template: Template, tmp_path: Path, place: str) -> None:
    shards = 0 if place == "github" else 4  # which is for GitHub alone
    course = template.course(tmp_path / "course", autograding=place.split(",", maxsplit=1)[0], shards=shards)
    assert {name for name in EVERY if (course / name).exists()} == FILES[place]
    assert {path.name for path in course.iterdir()} >= {"grading.toml", ".devcontainer"}
    assert not [path for path in course.rglob("*") if path.is_dir() and not any(path.iterdir())]
    assert ("## What counts" in (course / "README.md").read_text(encoding="utf-8")) is (place != "none")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no executable bit")
def test_scripts_are_executable_and_nothing_else_is(template: Template, tmp_path: Path) -> None:
    course = template.course(tmp_path / "course", autograding="gradescope")
    commit(course, "Start of the course")
    files = [path for path in course.rglob("*") if path.is_file() and ".git" not in path.parts]
    executable = {path.relative_to(course).as_posix() for path in files if path.stat().st_mode & stat.S_IXUSR}
    assert executable == FILES["gradescope"]


@pytest.mark.parametrize("answers", TRACK_ANSWERS.values(), ids=list(TRACK_ANSWERS))
def test_the_assignment_grades_what_students_write(template: Template, tmp_path: Path, answers: dict[str, Any]) -> None:
    course = template.course(tmp_path / "course", autograding="github", **answers)
    said = yaml.safe_load((course / ".copier-answers.yml").read_text(encoding="utf-8"))
    assignment = load(course / "grading.toml")
    counted = answers.get("modules") or [module.name for module in TRACKS[answers["track"]].modules]
    assert assignment.checkpoints == tuple(name for name in counted if name not in said["provided"])
    assert assignment.package == answers.get("package_name", "tinytorch")
    assert assignment.milestones == ()
    assert runners(course) == [*assignment.checkpoints]


def test_weights_and_dates_are_those_of_the_answers(template: Template, tmp_path: Path) -> None:
    course = template.course(tmp_path / "course", track="foundation", **COUNTED)
    assignment = load(course / "grading.toml")
    assert assignment.weights == {"autograd": 2, "tensor": 0, "1969": 20}
    assert assignment.milestones == (1969,)
    assert assignment.due == {
        "autograd": "2026-10-31T23:59:59+00:00",
        "losses": "2026-10-17T18:00:00+02:00",
        "1969": "2026-11-15T12:00:00+00:00",
    }
    assert runners(course) == [*assignment.checkpoints, "milestone1969"]


def test_the_readme_says_what_counts(template: Template, tmp_path: Path) -> None:
    course = template.course(tmp_path / "course", track="foundation", **COUNTED)
    rows = (course / "README.md").read_text(encoding="utf-8").splitlines()
    points = {module.name: module.points for module in MODULES}
    assert f"| 05 autograd | {2 * points['autograd']} | 2026-10-31 |" in rows
    assert "| 01 tensor | 0 |  |" in rows
    assert f"| 02 activations | {points['activations']} |  |" in rows
    assert "| 1969 XOR | 20 | 2026-11-15 12:00 |" in rows


def runners(course: Path) -> list[str]:
    """The runners that the reporter is told of, each with the output that it reads."""
    reporter = steps(course / ".github/workflows/grade.yml", "run-autograding-tests")["Points"]
    named: list[str] = reporter["with"]["runners"].split(",")
    assert reporter["env"] == {f"{n.upper()}_RESULTS": f"${{{{ steps.grade.outputs.{n} }}}}" for n in named}
    assert all(re.fullmatch(r"[a-zA-Z0-9]+", name) for name in named)  # all that the reporter takes
    return named


def test_dates_without_quotation_marks_survive_an_update(template: Template, tmp_path: Path) -> None:
    source = template.clone(tmp_path / "template")
    dates = yaml.safe_load("{autograd: 2026-10-31, losses: 2026-10-17T18:00:00+02:00}")
    course = source.course(tmp_path / "course", autograding="github", weights={1969: 20}, due=dates)
    commit(course, "Start of the course")
    before = (course / "grading.toml").read_text(encoding="utf-8")
    commit_empty_version(source)
    update(course)
    assert (course / "grading.toml").read_text(encoding="utf-8") == before
    assert load(course / "grading.toml").due["losses"] == "2026-10-17T18:00:00+02:00"


def commit_empty_version(template: Template) -> None:
    (template.folder / "template/lessons/01-tensor.md").write_text("# Another\n", encoding="utf-8")
    commit(template.folder, "The next version", tag="v0.2.0")


def test_a_course_opens_in_a_container(template: Template, tmp_path: Path) -> None:
    container = json.loads((template.course(tmp_path / "a") / ".devcontainer/devcontainer.json").read_text("utf-8"))
    assert container["name"] == "Build your own deep-learning framework"
    assert "pip install -e ." in container["postCreateCommand"]
    without = template.course(tmp_path / "b", devcontainer=False)
    assert not (without / ".devcontainer").exists()
    assert "Codespaces" not in (without / "README.md").read_text(encoding="utf-8")
