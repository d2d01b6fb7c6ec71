"""What other packages may add to a course. The course's own parts come through the same hooks.

A package that implements one of these is a pytest plugin like any other: it names the module that holds the hooks in
a `pytest11` entry point. `docs/authors.md` shows a whole one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .course import Milestone, Module
    from .reports import Writer


@pytest.hookspec
def pytest_tinytorch_modules() -> Iterable[Module]:  # type: ignore[empty-body]  # a specification has no body
    """Modules with their checkpoints. A number that the course has already is refused with a sentence.

    Each module's `checks` is the dotted name of a file of checks, its `exports` are the names that the checks reach
    as `tt.NAME`; its hints are looked up in the module that `Module.hints` names.
    """


@pytest.hookspec
def pytest_tinytorch_milestones() -> Iterable[Milestone]:  # type: ignore[empty-body]  # a specification has no body
    """Milestones. `script` may be an absolute path."""


@pytest.hookspec
def pytest_tinytorch_report_formats() -> Mapping[str, Writer]:  # type: ignore[empty-body]  # a specification has no body
    """Report formats: a suffix such as `.html`, and a function that writes a `Run` to a path."""
