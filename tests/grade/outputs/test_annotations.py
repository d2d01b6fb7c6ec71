"""Annotations on the student's lines, read as a workflow's runner reads its log."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from pytest_tinytorch.grade.outputs import FORMATS
from pytest_tinytorch.grade.result import Grade, GradedCheck

from ..grades import ACTIVATIONS, HOSTILE, SOFTMAX, TENSOR, WRONG, a_check, a_grade, a_hostile_grade
from .drawing import GRADES
from .reading import commands

Command = tuple[str, dict[str, str], str]


def unescaped(text: str) -> str:
    """A property or message after its escapes are undone."""
    for code, char in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(code, char)
    return text


def parsed(log: str) -> list[Command]:
    """The commands of a log in which there is nothing else."""
    lines = log.splitlines()
    assert commands(log) == lines
    found = [re.fullmatch(r"::(error|notice) ([^:]*)::(.*)", line) for line in lines]
    assert all(found), lines
    told = []
    for each in found:
        assert each
        properties = dict(part.split("=", 1) for part in each[2].split(","))
        told.append((each[1], {name: unescaped(text) for name, text in properties.items()}, unescaped(each[3])))
    return told


def annotated(grade: Grade) -> list[Command]:
    """What a workflow's runner makes of the output."""
    return parsed(FORMATS["annotations"].render(grade))


def at(line: int, outcome: str = "wrong") -> GradedCheck:
    """A check that stopped at a line of activations.py."""
    return a_check(outcome, name=f"line_{line}", where=replace(SOFTMAX, line=line))


def test_checks_at_one_line_share_an_annotation() -> None:
    ((kind, properties, message),) = annotated(a_grade())
    assert kind == "error"
    assert properties == {"file": "tinytorch/activations.py", "line": "88", "title": "02 activations · softmax"}
    assert message.startswith("wrong: softmax of a row is unchanged by a shift\n")
    assert message.endswith("\n\nand 1 more check at this line")


def test_ten_at_most_in_course_order_and_of_the_stubs_the_next() -> None:
    stubs = tuple(at(n, "not written") for n in range(1, 5))
    wrong = tuple(at(n) for n in range(100, 120))
    few = a_grade(checkpoints=(replace(TENSOR, checks=stubs), replace(ACTIVATIONS, checks=wrong[:3])))
    assert [(kind, told["line"]) for kind, told, _ in annotated(few)] == [
        ("error", "100"),
        ("error", "101"),
        ("error", "102"),
        ("notice", "1"),
    ]
    many = a_grade(checkpoints=(replace(TENSOR, checks=stubs), replace(ACTIVATIONS, checks=wrong)))
    assert [told["line"] for _, told, _ in annotated(many)] == [str(n) for n in range(100, 110)]


def test_what_waits_for_another_check_has_no_annotation() -> None:
    assert annotated(a_grade(checkpoints=(replace(TENSOR, checks=(at(5, "blocked"), at(6, "checker broke"))),))) == []


def test_trouble_comes_first() -> None:
    kind, properties, message = annotated(a_grade(trouble="the time was up"))[0]
    assert (kind, message) == ("error", "the time was up")
    assert properties == {"title": "The submission could not be graded whole"}


def test_properties_and_messages_are_escaped() -> None:
    place = replace(SOFTMAX, file="a:b,c%.py")
    check = a_check("wrong", where=place, finding=replace(WRONG, got="50 %\r\n::error::x"))
    log = FORMATS["annotations"].render(a_grade(checkpoints=(replace(TENSOR, checks=(check,)),)))
    assert log.startswith("::error file=a%3Ab%2Cc%25.py,line=88,title=01 tensor · softmax::wrong")
    assert "50 %25%0A" in log
    assert len(log.splitlines()) == 1


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_submission_gives_no_command(text: str) -> None:
    found = annotated(a_hostile_grade(text))
    assert len(found) <= 10
    assert all(kind in {"error", "notice"} and len(message) < 8000 for kind, _, message in found)
    assert "##[" not in FORMATS["annotations"].render(a_hostile_grade(text))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(grade=GRADES)
def test_any_grade_gives_only_annotations(grade: Grade) -> None:
    assert len(annotated(grade)) <= 10
