"""The course verifying itself: solutions pass, exercises wait, and nothing wrong goes unnoticed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_tinytorch.course import CHECKPOINTS

if TYPE_CHECKING:
    import pytest

    from pytest_tinytorch.course import Module

BUILT: tuple[Module, ...] = tuple(module for module in CHECKPOINTS if module.built)
WRITTEN: tuple[Module, ...] = tuple(module for module in BUILT if module.number)  # by students
ALL = f"1-{WRITTEN[-1].number}"
LOOP, ISOLATED = (), ("--isolated",)


def selected(request: pytest.FixtureRequest) -> set[Module]:
    """The modules of the course that the tests of this file are about, as they were chosen on the command line."""
    items = (item for item in request.session.items if getattr(item, "module", None) is request.module)
    return {
        item.callspec.params["module"]
        for item in items
        if hasattr(item, "callspec") and "module" in item.callspec.params
    }
