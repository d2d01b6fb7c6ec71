"""Classroom 50's `result.json`, by its schema and by the rules that its runner adds."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from pytest_tinytorch.grade.outputs import FORMATS, OutputError, classroom50
from pytest_tinytorch.grade.outputs.json import schema
from pytest_tinytorch.grade.result import Grade

from ..grades import HOSTILE, a_grade, a_hostile_grade
from .drawing import GRADES
from .reading import CLASSROOM50

jsonschema: Any = pytest.importorskip("jsonschema")

UTC = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


def result(grade: Grade, **environ: str) -> Any:
    """The result, once the schema has been asked."""
    data = json.loads(classroom50.render(grade, CLASSROOM50 | environ))
    jsonschema.validate(data, schema("classroom50"), cls=jsonschema.Draft202012Validator)
    return data


def test_who_submitted_comes_from_the_environment() -> None:
    data = result(a_grade())
    assert (data["owner"], data["submission"]) == ("kim", CLASSROOM50["SUBMISSION_TAG"])
    assert data["review"] == data["commit"]
    assert result(a_grade(), REVIEW_URL="https://compare")["review"] == "https://compare"


def test_the_time_of_the_commit_is_that_of_the_submission() -> None:
    assert result(a_grade())["datetime"] == "2026-10-30T21:59:59Z"
    assert result(a_grade(committed="2026-10-30T21:59:59Z"))["datetime"] == "2026-10-30T21:59:59Z"
    assert result(a_grade(committed="2026-10-30T21:59:59"))["datetime"] == "2026-10-30T21:59:59Z"
    assert re.fullmatch(UTC, result(a_grade(committed=""))["datetime"])


def test_a_test_is_an_exercise() -> None:
    rows = [
        (test["test-name"], test["passed"], test["score"], test["max-score"]) for test in result(a_grade())["tests"]
    ]
    assert rows[:3] == [
        ("01 tensor · Tensor.shape", True, 1, 1),
        ("02 activations · softmax", False, 2, 5),
        ("02 activations · gelu", False, 0, 4),
    ]
    assert rows[-1] == ("1969 XOR", False, 0, 20)


def test_numbers_are_integers() -> None:
    data = result(a_grade())
    every = [data, *data["tests"]]
    assert all(type(each[name]) is int for each in every for name in ("score", "max-score"))
    assert all(type(each["passed"]) is bool for each in data["tests"])


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_names_mean_nothing_to_its_table_of_markdown(text: str) -> None:
    names = [test["test-name"] for test in result(a_hostile_grade(text))["tests"]]
    assert all(name.isprintable() and len(name) <= 200 for name in names)
    assert not [name for name in names if re.search(r"<[\w/!?]|@\w", name)]


def test_it_is_not_written_elsewhere() -> None:
    with pytest.raises(OutputError, match="as Classroom 50's runner does"):
        FORMATS["classroom50"].check({})
    with pytest.raises(OutputError, match="OWNER is not set"):
        classroom50.render(a_grade(), {**CLASSROOM50, "OWNER": ""})


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(grade=GRADES)
def test_any_grade_is_valid(grade: Grade) -> None:
    data = result(grade)
    assert data["score"] <= data["max-score"]
