"""Checkpoint 00: environment.

These checks are about the machine and the repository, not about exercises, so nothing is drawn and nothing waits for
a stub. Each failure says how to mend it on Linux, macOS and Windows.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.machinery import PathFinder
from pathlib import Path

import numpy as np

from pytest_tinytorch.checking import Mismatch, exercise
from pytest_tinytorch.outcome import Finding

PYTHON = (3, 10)
NUMPY = (1, 26)

NEW_ENVIRONMENT = (
    "Then make the environment again in the course's folder, activate it and install: "
    "`python3.12 -m venv .venv` (Windows: `py -3.12 -m venv .venv`), `pip install -e .`"
)


def require(fact, *, call, expected, got, mend):
    """Fail with what was asked of the machine, what is due, what is there, and how to mend it."""
    __tracebackhide__ = True
    if not fact:
        raise Mismatch(Finding(call=call, expected=expected, got=got, mistake=mend))


def dotted(version):
    """A version as it is written: `3.10`."""
    return ".".join(str(part) for part in version)


def imported_from(name):
    """The file of the package that the checks call. A probe: it runs beside the student's code."""
    import sys  # a probe's source is sent alone

    package = sys.modules[name]
    return str(package.__file__ or next(iter(package.__path__)))


@exercise(None, points=1)
def test_python_is_new_enough():
    """this Python is new enough"""
    have = tuple(sys.version_info[:2])
    require(
        have >= PYTHON,
        call="python --version",
        expected=f"Python {dotted(PYTHON)} or newer",
        got=f"Python {dotted(sys.version_info[:3])}, {sys.executable}",
        mend="this Python is too old. Linux: `sudo apt install python3.12 python3.12-venv`, or your system's own "
        f"command. macOS: `brew install python@3.12`. Windows: `winget install Python.Python.3.12`. {NEW_ENVIRONMENT}",
    )


@exercise(None, points=1)
def test_numpy_is_new_enough():
    """NumPy is new enough"""
    have = tuple(int(part) for part in np.__version__.split(".")[:2])
    require(
        have >= NUMPY,
        call='python -c "import numpy; print(numpy.__version__)"',
        expected=f"{dotted(NUMPY)} or newer",
        got=f"{np.__version__}, {Path(np.__file__).parent}",
        mend="this NumPy is too old for the course. Activate the course's environment first. Linux, macOS: "
        "`source .venv/bin/activate`. Windows: `.venv\\Scripts\\activate`. Then, on each: "
        f'`python -m pip install --upgrade "numpy>={dotted(NUMPY)}"`',
    )


@exercise(None, points=1)
def test_the_package_lies_in_this_repository(lab, course_root, pytestconfig):
    """the package that is imported is the one in this repository"""
    name = pytestconfig.getini("tinytorch_package")
    file = Path(lab(imported_from, name)).resolve()
    inside = file.relative_to(course_root.resolve()) if file.is_relative_to(course_root.resolve()) else None
    require(
        inside is not None and "site-packages" not in inside.parts,
        call=f'python -c "import {name}; print({name}.__file__)"',
        expected=str(course_root / name / "__init__.py"),
        got=str(file),
        mend=f"another {name} than yours is imported. Linux, macOS: `ls -l {name}`, Windows: `dir {name}`, and put a "
        "plain folder where a link stands.",
    )


@exercise(None, points=1)
def test_no_installed_package_has_the_same_name(course_root, pytestconfig):
    """no other package of the same name is installed"""
    name = pytestconfig.getini("tinytorch_package")
    root = course_root.resolve()
    elsewhere = [entry for entry in sys.path if Path(entry or ".").resolve() != root]
    found = PathFinder.find_spec(name, elsewhere)
    places = [Path(place).resolve() for place in (found.submodule_search_locations or [found.origin])] if found else []
    strangers = [place for place in places if place != root / name]
    require(
        not strangers,
        call=f"python -m pip show {name}",
        expected=f"nothing called {name}, or what `pip install -e .` made of {root}",
        got=", ".join(str(place) for place in strangers),
        mend=f"your own scripts may import that {name} in place of yours. In the course's environment (Linux, macOS: "
        "`source .venv/bin/activate`, Windows: `.venv\\Scripts\\activate`) remove it: "
        f"`python -m pip uninstall {name}`, then `python -m pip install -e .`",
    )


@exercise(None, points=1)
def test_git_is_installed(course_root):
    """git is installed"""
    git = shutil.which("git")
    said = ""
    if git and not Path(git).resolve().is_relative_to(course_root.resolve()):  # Windows looks in this folder first
        answer = subprocess.run([git, "--version"], capture_output=True, text=True, check=False, timeout=30)  # noqa: S603  # git itself
        said = (answer.stdout or answer.stderr).strip()
    require(
        said.startswith("git version"),  # macOS has a git that only says how to get it
        call="git --version",
        expected="git version 2, any release",
        got=said or "no program called git",
        mend="git is not installed, or not on PATH. Linux: `sudo apt install git`, or your system's own command. "
        "macOS: `xcode-select --install`. Windows: `winget install Git.Git`. Then open a new terminal.",
    )


@exercise(None, points=1)
def test_the_repository_is_a_git_work_tree(course_root):
    """the repository is a git work tree, so that work can be kept and handed in"""
    root = course_root.resolve()
    require(
        any((folder / ".git").exists() for folder in (root, *root.parents)),
        call="git status",
        expected=f"a work tree in {root}",
        got="no .git in this folder or above it",
        mend="git keeps no history here, as after a download in a ZIP file. If the course is on GitHub, clone it anew: "
        "`git clone ADDRESS`. Else, on Linux, macOS and Windows alike: `git init`, `git add .`, "
        '`git commit -m "Begin"`',
    )
