"""JUnit XML, read by an XML parser."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings

from pytest_tinytorch.grade.outputs import FORMATS
from pytest_tinytorch.grade.result import Grade

from ..grades import HOSTILE, a_grade, a_hostile_grade
from .drawing import GRADES


def document(grade: Grade) -> ET.Element:
    """The document, read from the bytes that a file would hold."""
    return ET.fromstring(FORMATS["junit"].render(grade).encode())  # noqa: S314  # our own document


def test_a_suite_for_each_part_and_a_case_for_each_check() -> None:
    root = document(a_grade())
    assert [suite.get("name") for suite in root.findall("testsuite")] == [
        "01 tensor",
        "02 activations",
        "1957 Perceptron",
        "1969 XOR",
    ]
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("12", "6", "3")
    assert root.get("time") == "12.500"


def test_what_is_not_passed_is_never_skipped() -> None:
    root = document(a_grade())
    cases = root.findall(".//testcase")
    assert not root.findall(".//skipped")
    told = [each.get("type") for case in cases for each in (*case.findall("failure"), *case.findall("error"))]
    assert told == [
        "wrong",
        "crashed",
        "not written",
        "blocked",
        "timed out",
        "checker broke",
        "data missing",
        "not run",
        "wrong",
    ]


def test_what_the_code_printed_stands_beside_its_failure() -> None:
    case = next(case for case in document(a_grade()).iter("testcase") if case.get("name") == "softmax takes any dim")
    assert case.findtext("system-out") == "loss 1\nloss 2"


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_any_text_is_legal_and_opens_no_element(text: str) -> None:
    assert [each.tag for each in document(a_hostile_grade(text)).iter()].count("testcase") == 12
    assert len(FORMATS["junit"].render(a_hostile_grade(text))) < 300_000


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(grade=GRADES)
def test_any_grade_is_well_formed(grade: Grade) -> None:
    cases = sum(len(part.checks) for part in grade.checkpoints) + len(grade.milestones)
    assert len(document(grade).findall(".//testcase")) == cases
