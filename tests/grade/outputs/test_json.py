"""The grade as JSON: its schema, and the way back."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from pytest_tinytorch.grade.outputs import FORMATS
from pytest_tinytorch.grade.outputs.json import schema
from pytest_tinytorch.grade.result import (
    NOT_RUN,
    Grade,
    GradedCheck,
    GradedCheckpoint,
    GradedMilestone,
    Integrity,
    Timing,
)
from pytest_tinytorch.outcome import Claim, Finding, Outcome, Place

from ..grades import HOSTILE, a_grade, a_hostile_grade
from .drawing import GRADES

jsonschema: Any = pytest.importorskip("jsonschema")

SUMS = {"score", "max_score"}
DEFINED = {
    "place": Place,
    "finding": Finding,
    "check": GradedCheck,
    "checkpoint": GradedCheckpoint,
    "claim": Claim,
    "milestone": GradedMilestone,
    "integrity": Integrity,
    "timing": Timing,
}


def valid(text: str) -> Any:
    """The data, once the schema has been asked."""
    data = json.loads(text)
    jsonschema.validate(data, schema("grade"), cls=jsonschema.Draft202012Validator)
    return data


@pytest.mark.parametrize("name", ["grade", "runner", "gradescope", "classroom50"])
def test_schemas_are_schemas(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(name))


def test_the_schema_names_every_field() -> None:
    whole = schema("grade")
    assert set(whole["properties"]) == {each.name for each in fields(Grade)} | SUMS | {"schema_version"}
    for name, kind in DEFINED.items():
        told = {each.name for each in fields(kind)}
        assert set(whole["$defs"][name]["properties"]) - SUMS == told - SUMS, name
    assert whole["$defs"]["check"]["properties"]["outcome"]["enum"] == [*(o.value for o in Outcome), NOT_RUN]


def test_round_trip() -> None:
    assert Grade.from_dict(valid(FORMATS["json"].render(a_grade()))) == a_grade()


def test_the_schema_takes_a_grade_without_times() -> None:
    jsonschema.validate(a_grade().as_dict(timing=False), schema("grade"), cls=jsonschema.Draft202012Validator)


def test_score_stands_at_the_top() -> None:
    assert list(valid(FORMATS["json"].render(a_grade())))[:3] == ["schema_version", "score", "max_score"]


SHORT = {name: text for name, text in HOSTILE.items() if len(text) < 10_000}


def test_a_megabyte_travels() -> None:
    grade = a_grade(trouble=HOSTILE["long line"], notes=(HOSTILE["long lines"],))
    assert Grade.from_dict(valid(FORMATS["json"].render(grade))) == grade


@pytest.mark.parametrize("text", SHORT.values(), ids=SHORT)
def test_any_text_travels(text: str) -> None:
    rendered = FORMATS["json"].render(a_hostile_grade(text))
    assert rendered.isascii()
    assert not set(rendered) & {chr(code) for code in range(32) if chr(code) != "\n"}
    assert valid(rendered)["student"] == text.encode("utf-8", "replace").decode()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(grade=GRADES)
def test_any_grade_comes_back(grade: Grade) -> None:
    data = valid(FORMATS["json"].render(grade))
    again = Grade.from_dict(data)
    assert (again.score, again.max_score) == (grade.score, grade.max_score)
    if _is_legal(grade):
        assert again == grade


def _is_legal(grade: Grade) -> bool:
    """Whether UTF-8 holds all its texts: no surrogate is alone."""
    text = json.dumps(grade.as_dict(), ensure_ascii=False)
    return text.encode("utf-8", "replace").decode() == text
