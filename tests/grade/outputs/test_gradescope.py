"""Gradescope's `results.json`: what a student sees, and what only the instructor should."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from pytest_tinytorch.grade.outputs import FORMATS
from pytest_tinytorch.grade.outputs.json import schema
from pytest_tinytorch.grade.result import Grade

from ..grades import HOSTILE, a_grade, a_hostile_grade
from .drawing import GRADES

jsonschema: Any = pytest.importorskip("jsonschema")


def results(grade: Grade) -> Any:
    """The results, once the schema has been asked."""
    data = json.loads(FORMATS["gradescope"].render(grade))
    jsonschema.validate(data, schema("gradescope"), cls=jsonschema.Draft202012Validator)
    return data


def test_a_test_is_an_exercise_with_its_number() -> None:
    tests = results(a_grade())["tests"]
    assert [(test["number"], test["name"]) for test in tests][:3] == [
        ("1.1", "01 tensor · Tensor.shape"),
        ("2.1", "02 activations · softmax"),
        ("2.2", "02 activations · gelu"),
    ]
    assert [test["tags"] for test in tests][-2:] == [["milestone"], ["milestone"]]
    assert (tests[1]["score"], tests[1]["max_score"], tests[1]["status"]) == (2, 5, "failed")


def test_a_box_says_what_is_wrong_before_what_holds() -> None:
    output = results(a_grade())["tests"][1]["output"].split("\n\n")
    assert output[0] == "1 of 3 checks passed."
    assert output[1].splitlines()[:4] == [
        "✗ wrong: softmax of a row is unchanged by a shift",
        "  tinytorch/activations.py:88  softmax",
        "  x = tensor([[1., 2., 3.], [2., 0., 1.]])",
        "  softmax(x, dim=-1)",
    ]
    assert output[2].splitlines()[-3:] == ["  It printed:", "  | loss 1", "  | loss 2"]
    assert output[3] == "✓ softmax turns each row into probabilities"


def test_what_was_submitted_late_and_why_it_was_not_graded_whole_stand_above() -> None:
    above = results(a_grade(trouble="the time was up"))["output"].splitlines()
    assert above[:2] == ["13 of 49 points", "the time was up"]
    assert "02 activations: two days late" in above


def test_integrity_is_for_the_instructor_and_hides_no_total() -> None:
    data = results(a_grade())
    assert data["extra_data"]["integrity"][0]["kind"] == "delegation"
    assert "scipy" not in json.dumps(data["tests"]) + data["output"]
    assert {data["visibility"], *(test["visibility"] for test in data["tests"])} == {"visible"}
    assert data["stdout_visibility"] == "hidden"


def test_leaderboard() -> None:
    assert {entry["name"]: entry["value"] for entry in results(a_grade())["leaderboard"]} == {
        "Points": 13,
        "Checkpoints passed": 1,
        "Milestones reached": 1,
    }


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_everything_is_plain_text_of_bounded_length(text: str) -> None:
    data = results(a_hostile_grade(text))
    assert {data["output_format"], *(test["output_format"] for test in data["tests"])} == {"text"}
    outputs = [data["output"], *(test["output"] for test in data["tests"])]
    assert all(line.isprintable() for output in outputs for line in output.split("\n"))
    assert max(map(len, outputs)) < 25_000


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(grade=GRADES)
def test_any_grade_is_valid(grade: Grade) -> None:
    results(grade)
