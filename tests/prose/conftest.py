"""Each test of prose runs once for every module that is built."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from tests.prose.examples import built
from tests.prose.lesson import Lesson
from tools import LESSONS

if TYPE_CHECKING:
    from pytest_tinytorch.course import Module


@pytest.fixture(params=built(), ids=lambda module: module.name)
def module(request: pytest.FixtureRequest) -> Module:
    """A module."""
    return cast("Module", request.param)


@pytest.fixture
def lesson(module: Module) -> Lesson:
    """Its lesson."""
    return Lesson(LESSONS.parent / module.lesson)
