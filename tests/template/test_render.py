"""Every course that can be asked for comes out whole, and its modules byte for byte."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from pytest_tinytorch.course import MILESTONES, MODULES, TRACKS
from tests.template.rendering import ROOT, Template, commit

yaml: Any = pytest.importorskip("yaml")
BUILT = [module.name for module in MODULES if module.built]
SCRIPTS = [str(milestone.script) for milestone in MILESTONES if milestone.built]
KINDS: dict[str, dict[str, Any]] = {
    **{track: {"track": track} for track in TRACKS},
    "custom": {"track": "custom", "modules": ["tensor", "activations", "layers"]},
    "custom with provided": {"track": "custom", "modules": ["layers"], "provided": ["tensor", "activations"]},
    "provided in a track": {"track": "foundation", "provided": ["tensor", "losses", "activations", "layers"]},
    "another name": {"package_name": "mytorch"},
}


@pytest.fixture(scope="session", params=KINDS.values(), ids=list(KINDS))
def course(
    template: Template, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> tuple[Path, dict[str, Any]]:
    """A course of each kind, and its answers file."""
    folder = template.course(tmp_path_factory.mktemp("courses") / "course", **request.param)
    answers = yaml.safe_load((folder / ".copier-answers.yml").read_text(encoding="utf-8"))
    assert request.param.items() <= {**answers, "provided": request.param.get("provided")}.items()
    return folder, answers


Course = tuple[Path, dict[str, Any]]


def test_modules_are_the_exercises_byte_for_byte(course: Course, template: Template) -> None:
    folder, answers = course
    package = folder / answers["package_name"]
    assert sorted(path.name for path in package.iterdir()) == sorted(["__init__.py", *(f"{m}.py" for m in BUILT)])
    for name in ("__init__", *BUILT):
        source = "solutions" if name in answers["provided"] else "exercises"
        assert (package / f"{name}.py").read_bytes() == template.bytes(f"{source}/tinytorch/{name}.py"), name


def test_lessons_and_milestones_come_along(course: Course, template: Template) -> None:
    folder, _ = course
    lessons = sorted(path.name for path in (ROOT / "template/lessons").glob("*.md"))
    assert sorted(path.name for path in (folder / "lessons").iterdir()) == lessons
    for name in lessons:
        assert (folder / "lessons" / name).read_bytes() == template.bytes(f"template/lessons/{name}")
    assert sorted(path.name for path in (folder / "milestones").iterdir()) == sorted(SCRIPTS)
    for name in SCRIPTS:
        assert (folder / "milestones" / name).read_bytes() == template.bytes(f"milestones/{name}")


def test_everything_is_filled_in(course: Course) -> None:
    folder, _ = course
    for path in filter(Path.is_file, folder.rglob("*")):
        assert b"[@" not in path.read_bytes(), path
        assert "[@" not in path.name
    files = {path.name for path in folder.iterdir()}
    assert {"README.md", "pyproject.toml", ".gitignore", ".gitattributes", ".copier-answers.yml", "tests"} <= files
    assert ".tinytorch/" in (folder / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_the_settings_say_which_modules_count(course: Course) -> None:
    tomllib = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")  # which pytest brings
    folder, answers = course
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    settings = project["tool"]["pytest"]["ini_options"]
    assert settings["tinytorch_package"] == answers["package_name"]
    assert settings["tinytorch_track"] == answers["track"]
    assert settings["tinytorch_provided"] == answers["provided"]
    assert settings.get("tinytorch_modules") == answers.get("modules")
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == [answers["package_name"]]


def test_the_syllabus_lists_every_module_and_says_what_is_not_here(course: Course) -> None:
    folder, answers = course
    rows = (folder / "README.md").read_text(encoding="utf-8").splitlines()
    for module in MODULES:
        (row,) = [
            row for row in rows if row.startswith(f"| {module.number:02} | {module.name} | {'★' * module.stars} |")
        ]
        assert module.capability in row
        assert ("not in this version yet" in row) is not module.built
        assert ("solved for you" in row) is (module.built and module.name in answers["provided"])
    links = [row.split("](")[1].split(")")[0] for row in rows if "](lessons/" in row]
    assert all((folder / link).is_file() for link in links)


def test_milestones_of_the_track_are_in_the_table(course: Course) -> None:
    folder, answers = course
    text = (folder / "README.md").read_text(encoding="utf-8")
    track = TRACKS.get(answers["track"])
    for milestone in MILESTONES:
        due = milestone in track.milestones if track else milestone.after.name in answers["modules"]
        assert (f"| {milestone.year} | {milestone.name} |" in text) is due


def test_another_name_reaches_every_import(template: Template, tmp_path: Path) -> None:
    folder = template.course(tmp_path / "course", package_name="mytorch")
    for path in (folder / "tests").glob("*.py"):
        source = path.read_text(encoding="utf-8")
        assert "import mytorch as tt" in source, path.name
        compile(source, str(path), "exec")
    for path in (folder / "mytorch").glob("*.py"):
        assert "import tinytorch" not in path.read_text(encoding="utf-8"), f"{path.name}: imports are relative"
    assert "`mytorch/`" in (folder / "README.md").read_text(encoding="utf-8")
    assert not (folder / "tinytorch").exists()


@pytest.fixture(scope="module")
def usual(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course of the default answers, made with git's own settings."""
    return template.course(tmp_path_factory.mktemp("usual") / "course")


@pytest.mark.usefixtures("usual", "as_on_windows")
def test_a_course_made_on_windows_is_the_same(template: Template, tmp_path: Path, usual: Path) -> None:
    windows = template.clone(tmp_path / "clone").course(tmp_path / "windows")
    for path in filter(Path.is_file, usual.rglob("*")):
        name = path.relative_to(usual)
        if name.name != ".copier-answers.yml":  # which says where the template was
            assert (windows / name).read_bytes() == path.read_bytes(), name


def test_a_course_is_made_from_a_folder_without_git(template: Template, tmp_path: Path) -> None:
    clone = template.clone(tmp_path / "clone")
    (clone.folder / ".git").rename(tmp_path / "elsewhere")
    folder = clone.course(tmp_path / "course")
    assert (folder / "tinytorch" / "tensor.py").read_bytes() == template.bytes("exercises/tinytorch/tensor.py")


def test_a_course_can_be_committed_as_it_is(template: Template, tmp_path: Path) -> None:
    folder = template.course(tmp_path / "course")
    commit(folder, "Start of the course")
    assert not (folder / ".tinytorch").exists()
