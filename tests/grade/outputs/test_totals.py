"""Every output of a grade comes to the same totals, whatever a submission says."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from pytest_tinytorch.grade.outputs import FORMATS
from pytest_tinytorch.grade.result import Grade

from ..grades import HOSTILE, a_grade, a_hostile_grade
from .drawing import GRADES
from .reading import TOTALS, rendered

each_format = pytest.mark.parametrize("name", TOTALS)


def test_every_format_but_annotations_has_totals() -> None:
    assert set(FORMATS) - set(TOTALS) == {"annotations"}


@each_format
def test_totals_are_those_of_the_grade(name: str) -> None:
    assert set(TOTALS[name](rendered(name, a_grade()))) == {(13, 49)}


@each_format
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_totals_whatever_a_submission_says(name: str, text: str) -> None:
    assert set(TOTALS[name](rendered(name, a_hostile_grade(text)))) == {(13, 49)}


@each_format
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(grade=GRADES)
def test_totals_of_any_grade(name: str, grade: Grade) -> None:
    assert set(TOTALS[name](rendered(name, grade))) == {(grade.score, grade.max_score)}
