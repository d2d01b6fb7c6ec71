"""The documentation says what is so: tables, options, settings, links, and the example package runs."""

from __future__ import annotations

import functools
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_tinytorch.course import MILESTONES, MODULES
from pytest_tinytorch.grade.cli import COMMANDS
from tests.conftest import REPOSITORY

if TYPE_CHECKING:
    from tests.conftest import CourseRepository

GRADING = "grading.md"  # the page of another command than pytest
PAGES = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
COURSE_README = REPOSITORY / "template" / "README.md.jinja"
SOLUTION = """
import numpy as np

from .tensor import tensor


def dft(x):
    return tensor(np.abs(np.fft.fft(x.data)))
"""


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def pytest_help() -> str:
    command = (sys.executable, "-m", "pytest", "--help")
    return subprocess.check_output(command, cwd=REPOSITORY, text=True)  # noqa: S603  # our own interpreter


def test_the_readme_lists_every_module() -> None:
    rows = read(REPOSITORY / "README.md").splitlines()
    assert [row for row in rows if re.match(r"\| \d\d \|", row)] == [
        f"| {m.number:02} | {m.name} | {'★' * m.stars} | {'–'.join(f'{h:g}' for h in m.hours)} "
        f"| {m.capability} | {'here' if m.built else 'to come'} |"
        for m in MODULES
    ]


def test_the_readme_lists_every_milestone() -> None:
    rows = read(REPOSITORY / "README.md").splitlines()
    assert [row for row in rows if re.match(r"\| \d{4} \|", row)] == [
        f"| {m.year} | {m.name} | {m.after.label} | {m.claim} | {'here' if m.built else 'to come'} |"
        for m in MILESTONES
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#]+)", read(page))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", [*PAGES, COURSE_README], ids=lambda page: page.name)
def test_every_option_exists(page: Path, pytest_help: str) -> None:
    rows = r"(?!)()" if page.name == GRADING else r"^(\| `--.*)$"  # tables of options are of the page's command
    commands = re.findall(rf"`(pytest [^`\n]*)`|^ {{4}}(pytest .*)$|{rows}", read(page), re.MULTILINE)
    used = {option for command in commands for option in re.findall(r"(?<!\S|-)`?(--[a-z][a-z-]+)", " ".join(command))}
    ours = {*re.findall(r"--[a-z][a-z-]+", pytest_help)}
    assert used <= ours


@pytest.mark.parametrize("page", [*PAGES, COURSE_README], ids=lambda page: page.name)
def test_every_option_of_the_grader_exists(page: Path) -> None:
    whole = read(page).replace("\\\n", " ")
    rows = re.findall(r"^\| (`--[^|]*)\|", whole, re.MULTILINE) if page.name == GRADING else []
    assert {*re.findall(r"--[a-z][a-z-]+", " ".join(rows))} <= options_of_the_grader("SUBMISSION")
    commands = re.findall(r"`tinytorch-grade ([^`\n]*)`|^ {4}.*tinytorch-grade (.*)$", whole, re.MULTILINE)
    for command in map("".join, commands):
        used = {*re.findall(r"(?<!\S)(--[a-z][a-z-]+|-[a-z])\b", command)}
        assert used <= options_of_the_grader(command.split()[0]), command


@functools.cache
def options_of_the_grader(word: str) -> set[str]:
    """What `tinytorch-grade class` and its like take, or `tinytorch-grade SUBMISSION`."""
    words = [word] if word in COMMANDS else []
    command = (sys.executable, "-I", "-m", "pytest_tinytorch.grade", *words, "--help")
    said = subprocess.check_output(command, cwd=REPOSITORY, text=True)  # noqa: S603  # our own interpreter
    return {*re.findall(r"(?<!\S)\[?(--[a-z][a-z-]+|-[a-z])\b", said)}


def test_the_reference_has_every_option_and_setting(pytest_help: str) -> None:
    text = read(REPOSITORY / "docs" / "reference.md")
    section = pytest_help.partition("tinytorch: a machine-learning course")[2]
    section = re.split(r"^\S", section, maxsplit=1, flags=re.MULTILINE)[0]
    options = {*re.findall(r"^  (--[a-z-]+)", section, re.MULTILINE)}
    settings = {*re.findall(r"^  (tinytorch_\w+)", pytest_help, re.MULTILINE)}
    assert len(options) >= 7
    assert settings
    assert [name for name in sorted(options | settings) if f"| `{name}" not in text] == []


def test_the_settings_of_a_course_exist(pytest_help: str) -> None:
    settings = re.findall(
        r"^(?:# )?(tinytorch_\w+) =", read(REPOSITORY / "template/pyproject.toml.jinja"), re.MULTILINE
    )
    assert len(settings) == 6
    assert [name for name in settings if f"  {name}" not in pytest_help] == []


@pytest.fixture
def extended(solved: CourseRepository) -> CourseRepository:
    """A solved course beside the package that the page for authors shows."""
    text = read(REPOSITORY / "docs" / "authors.md")
    blocks = re.findall(r"`(fourier_course/\w+\.py)`[^`]*(?:`\w+`[^`]*)*\n\n```python\n(.*?)```", text, re.DOTALL)
    assert [name for name, _ in blocks] == [
        f"fourier_course/{name}.py" for name in ("plugin", "checkpoint_21_fourier", "1965_fft")
    ]
    solved.pytester.mkpydir("fourier_course")
    for name, source in blocks:
        (solved.root / name).write_text(source, encoding="utf-8")
    (solved.package / "fourier.py").write_text(SOLUTION, encoding="utf-8")
    return solved


def test_the_package_that_authors_read_about_works(extended: CourseRepository) -> None:
    run = extended.pytest("-p", "fourier_course.plugin", "--milestone", "1965", "--report", "out.txt")
    assert run.ret == 0
    assert (extended.root / "out.txt").exists()
