"""Grades for tests that need one, and not how it came about."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pytest_tinytorch.grade.result import Grade

from .grades import a_grade


@pytest.fixture
def make_grade() -> Callable[..., Grade]:
    """A grade with a check of every outcome; keywords change its fields."""
    return a_grade
