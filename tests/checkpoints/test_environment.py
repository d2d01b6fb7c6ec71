"""Checkpoint 00 passes where the course can be done, and says elsewhere how to mend the machine."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pytest_tinytorch.checking import Mismatch
from pytest_tinytorch.course import ENVIRONMENT

if TYPE_CHECKING:
    from tests.conftest import CourseRepository

CHECKS: Any = importlib.import_module(ENVIRONMENT.checks or "")
NAMES = [name for name in vars(CHECKS) if name.startswith("test_")]


@pytest.fixture
def course(bare: CourseRepository) -> CourseRepository:
    """A course that is a git work tree."""
    (bare.root / ".git").mkdir()
    return bare


@pytest.fixture
def configuration() -> Any:
    """The part of pytest's configuration that the checks read."""
    return SimpleNamespace(getini={"tinytorch_package": "tinytorch"}.__getitem__)


@pytest.mark.parametrize("how", [(), ("--isolated",)], ids=["loop", "isolated"])
def test_a_fresh_course_passes(course: CourseRepository, how: tuple[str, ...]) -> None:
    course.pytest("--checkpoint", "0", *how).assert_outcomes(passed=len(NAMES))


def test_a_broken_module_is_no_fault_of_the_environment(course: CourseRepository) -> None:
    (course.package / "tensor.py").write_text("def tensor(:\n", encoding="utf-8")
    course.pytest("--checkpoint", "0").assert_outcomes(passed=len(NAMES))


def test_points_are_those_of_the_course() -> None:
    assert sum(getattr(CHECKS, name).about.points for name in NAMES) == ENVIRONMENT.points
    assert {getattr(CHECKS, name).about.exercise for name in NAMES} == {None}


def test_a_folder_without_git_is_told_to_clone(bare: CourseRepository) -> None:
    result = bare.pytest("--checkpoint", "0")
    result.assert_outcomes(passed=len(NAMES) - 1, failed=1)
    result.stdout.fnmatch_lines(["FAIL  00 environment: the repository is a git work tree*", "*no .git in this*"])
    assert "git clone" in squeezed(result)


def test_a_machine_without_git_is_told_where_to_get_it(
    course: CourseRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(course.root / "empty"))
    result = course.pytest("--checkpoint", "0")
    result.assert_outcomes(passed=len(NAMES) - 1, failed=1)
    assert "no program called git" in squeezed(result)
    assert "winget install Git.Git" in squeezed(result)


def test_a_git_in_the_repository_is_not_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(CHECKS.shutil, "which", lambda _name: str(tmp_path / "git.exe"))
    monkeypatch.setattr(CHECKS.subprocess, "run", lambda *_args, **_options: pytest.fail("it was run"))
    with pytest.raises(Mismatch):
        CHECKS.test_git_is_installed(tmp_path)


def test_another_package_of_the_name_is_found(course: CourseRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    other = course.root.parent / "site-packages" / "tinytorch"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(other.parent))
    result = course.pytest("--checkpoint", "0")
    result.assert_outcomes(passed=len(NAMES) - 1, failed=1)
    assert "pip uninstall tinytorch" in squeezed(result)


def test_a_package_from_elsewhere_is_refused(configuration: Any, tmp_path: Path) -> None:
    inside = tmp_path / ".venv" / "lib" / "site-packages" / "tinytorch" / "__init__.py"
    for file in (inside, Path(np.__file__)):
        with pytest.raises(Mismatch) as caught:
            CHECKS.test_the_package_lies_in_this_repository(
                lambda _probe, _name, file=file: str(file), tmp_path, configuration
            )
        assert_mends(caught.value)


def test_an_old_python_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CHECKS, "sys", SimpleNamespace(version_info=(3, 9, 18), executable="/usr/bin/python3"))
    with pytest.raises(Mismatch, match=r"3\.9\.18") as caught:
        CHECKS.test_python_is_new_enough()
    assert_mends(caught.value)


@pytest.mark.parametrize("version", ["1.9.5", "1.25.2"])
def test_an_old_numpy_is_refused(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr(np, "__version__", version)
    with pytest.raises(Mismatch, match=re.escape(version)) as caught:
        CHECKS.test_numpy_is_new_enough()
    assert_mends(caught.value)


@pytest.mark.parametrize("version", ["1.26.0", "2.0.0rc1", "2.10.0", "3.0.dev0+git"])
def test_a_new_numpy_passes(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr(np, "__version__", version)
    CHECKS.test_numpy_is_new_enough()


def assert_mends(mismatch: Mismatch) -> None:
    """The failure says what to do on each system."""
    for system in ("Linux", "macOS", "Windows"):
        assert system in mismatch.finding.mistake


def squeezed(result: pytest.RunResult) -> str:
    """What was printed, on one line."""
    return " ".join(" ".join(result.outlines).split())
