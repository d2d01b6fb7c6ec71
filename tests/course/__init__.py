"""The course verifying itself: solutions pass, exercises wait, and nothing wrong goes unnoticed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_tinytorch.course import CHECKPOINTS

if TYPE_CHECKING:
    from pytest_tinytorch.course import Module

BUILT: tuple[Module, ...] = tuple(module for module in CHECKPOINTS if module.built)
WRITTEN: tuple[Module, ...] = tuple(module for module in BUILT if module.number)  # by students
ALL = f"1-{WRITTEN[-1].number}"
LOOP, ISOLATED = (), ("--isolated",)
