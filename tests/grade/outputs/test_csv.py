"""A gradebook, read by a CSV parser, and safe in a spreadsheet."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings

from pytest_tinytorch.grade.outputs import FORMATS
from pytest_tinytorch.grade.outputs.csv import cell, table
from pytest_tinytorch.grade.result import Grade

from ..grades import HOSTILE, TENSOR, a_grade, a_hostile_grade
from .drawing import GRADES


def rows(text: str) -> list[list[str]]:
    """The cells."""
    return list(csv.reader(io.StringIO(text)))


def is_formula(text: str) -> bool:
    """Whether a spreadsheet may take a cell for a formula; a number with a sign is none here either."""
    return text.lstrip()[:1] in set("=+-@|%\t\r") - {""}


def test_a_row_for_the_student_and_a_column_for_each_part() -> None:
    heads, row = rows(FORMATS["csv"].render(a_grade()))
    named = dict(zip(heads, row, strict=True))
    assert heads[:7] == ["student", "score", "max_score", "01 tensor", "02 activations", "1957 Perceptron", "1969 XOR"]
    assert row[:7] == ["kim", "13", "49", "1", "2", "10", "0"]
    assert (named["late"], named["integrity"]) == ("02 activations: two days late", "1")


def test_a_part_that_a_student_was_not_graded_for_is_empty() -> None:
    heads, first, second = rows(table([a_grade(), a_grade(student="lee", checkpoints=(TENSOR,), milestones=())]))
    assert heads[3:7] == ["01 tensor", "02 activations", "1957 Perceptron", "1969 XOR"]
    assert first[3:7] == ["1", "2", "10", "0"]
    assert second[:7] == ["lee", "1", "1", "1", "", "", ""]


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "|x", "%x", "\t=1", "\n=1", " =1", "=cmd|'/C calc'!A0"]
)
def test_a_formula_stays_text(text: str) -> None:
    assert cell(text) == f"'{text.strip()}"


def test_other_text_stays_as_it_is() -> None:
    assert [cell(text) for text in ("Zoë", "O'Neill", "a=b", "3 - 1")] == ["Zoë", "O'Neill", "a=b", "3 - 1"]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_text_is_a_formula_or_another_row(text: str) -> None:
    found = rows(FORMATS["csv"].render(a_hostile_grade(text)))
    assert len(found) == 2
    assert not [each for each in found[1] if is_formula(each)]
    assert max(map(len, found[1])) <= 501


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(grade=GRADES)
def test_any_grade_is_one_row(grade: Grade) -> None:
    found = rows(FORMATS["csv"].render(grade))
    assert len(found) == 2
    assert len(found[0]) == len(found[1]) == len(set(found[0]))
    assert not [each for row in found for each in row if is_formula(each)]
