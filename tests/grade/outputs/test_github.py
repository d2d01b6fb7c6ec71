"""The runners of GitHub Classroom, and what the reporter action makes of them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from pytest_tinytorch import course
from pytest_tinytorch.grade.outputs import FORMATS, OutputError
from pytest_tinytorch.grade.outputs.github import RUNNER_BYTES, TOTAL_BYTES, runner_id, runners
from pytest_tinytorch.grade.outputs.json import schema
from pytest_tinytorch.grade.result import NOT_RUN, Grade, GradedCheckpoint

from ..grades import ACTIVATIONS, HOSTILE, PERCEPTRON, TENSOR, XOR, a_check, a_grade, a_hostile_check, a_hostile_grade
from . import reading
from .drawing import GRADES

jsonschema: Any = pytest.importorskip("jsonschema")

NODE = shutil.which("node")
REPORTER = Path(__file__).with_name("reporter.js")
with_node = pytest.mark.skipif(NODE is None, reason="node is not installed")


def rendered(grade: Grade) -> dict[str, Any]:
    """The runners by their ids, each of them valid."""
    found = reading.runners(FORMATS["github"].render(grade))
    for runner in found.values():
        jsonschema.validate(runner, schema("runner"), cls=jsonschema.Draft202012Validator)
    return found


def a_course(text: str) -> Grade:
    """A course of the real size, in which every check but every fourth failed and says this."""
    parts = tuple(
        GradedCheckpoint(
            number=module.number,
            module=module.name,
            capability=module.capability,
            weight=1,
            checks=tuple(
                a_check(name=f"n{n}", points=1) if n % 4 == 0 else replace(a_hostile_check(text, n), points=1)
                for n in range(module.points)
            ),
        )
        for module in course.CHECKPOINTS
        if module.number
    )
    return a_grade(checkpoints=parts)


# ---- names --------------------------------------------------------------------------------------------------


def test_runners_are_named_for_modules_and_years() -> None:
    assert list(rendered(a_grade())) == ["tensor", "activations", "milestone1957", "milestone1969"]


def test_names_are_what_the_reporter_asks_for() -> None:
    ids = [runner_id(part) for part in a_course("").parts()]
    assert re.fullmatch(r"([a-zA-Z0-9]+,)*[a-zA-Z0-9]+", ",".join(ids))
    assert len({name.upper() for name in ids}) == 22


@pytest.mark.parametrize("name", ["my-module", "módulo", "2nd", "under_score", "a=b\nautograd"])
def test_a_module_of_another_package_goes_by_its_number(name: str) -> None:
    assert runner_id(replace(TENSOR, number=21, module=name)) == "checkpoint21"


# ---- one runner ---------------------------------------------------------------------------------------------


def test_a_check_of_two_points_is_two_items_and_the_first_speaks() -> None:
    items = rendered(a_grade())["activations"]["tests"]
    wrong = [item for item in items if item["name"].startswith("softmax of a row is unchanged")]
    assert [item["status"] for item in wrong] == ["fail", "fail"]
    assert [item["name"].endswith("(2 of 2)") for item in wrong] == [False, True]
    assert ["message" in item for item in wrong] == [True, False]
    assert (wrong[0]["filename"], wrong[0]["line_no"], wrong[0]["duration"]) == ("tinytorch/activations.py", 88, 0.25)


def test_what_was_called_is_code_and_the_rest_are_comments() -> None:
    items = rendered(a_grade())["activations"]["tests"]
    shown = next(item["test_code"] for item in items if item["line_no"] == 88).splitlines()
    assert shown[:2] == ["x = tensor([[1., 2., 3.], [2., 0., 1.]])", "softmax(x, dim=-1)"]
    assert all(line.startswith("# ") for line in shown[2:])
    assert "# got       0.0658  0.1789  0.4863" in shown


def test_weights_make_no_more_items() -> None:
    checks = tuple(replace(check, points=check.points * 1000) for check in ACTIVATIONS.checks)
    heavy = rendered(a_grade(checkpoints=(replace(ACTIVATIONS, checks=checks),)))["activations"]
    light = rendered(a_grade())["activations"]
    assert len(heavy["tests"]) == len(light["tests"]) == 18
    assert heavy["max_score"] == 18_000
    assert {item["score"] for item in heavy["tests"]} == {0, 1000}


def test_a_checkpoint_that_counts_nothing_is_shown_and_passes() -> None:
    checks = tuple(replace(check, points=0) for check in ACTIVATIONS.checks)
    free = rendered(a_grade(checkpoints=(replace(ACTIVATIONS, checks=checks),)))["activations"]
    assert (free["status"], free["max_score"], len(free["tests"])) == ("pass", 0, 9)


def test_tests_are_there_when_nothing_is_checked() -> None:
    assert len(rendered(a_grade(checkpoints=(replace(TENSOR, checks=()),)))["tensor"]["tests"]) == 1


def test_status_tells_trouble_from_failure() -> None:
    late = replace(TENSOR, checks=(a_check(NOT_RUN, cause="time was up"),))
    assert [runner["status"] for runner in rendered(a_grade()).values()] == ["pass", "fail", "pass", "fail"]
    troubled = rendered(a_grade(trouble="time was up", checkpoints=(late,), milestones=(XOR,)))
    assert [runner["status"] for runner in troubled.values()] == ["error", "fail"]
    assert troubled["tensor"]["tests"][0]["status"] == "error"
    assert "time was up" in troubled["tensor"]["tests"][0]["message"]


# ---- size ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "wrong value", HOSTILE["long line"], "\x00" * 3000], ids=["none", "a", "x", "0"])
def test_a_course_fits_and_no_item_is_left_out(text: str) -> None:
    grade = a_course(text)
    sizes = [len(data) for _, data in runners(grade)]
    assert max(sizes) < RUNNER_BYTES
    assert sum(sizes) < TOTAL_BYTES
    items = [len(json.loads(data)["tests"]) for _, data in runners(grade)]
    assert items == [part.max_score for part in grade.checkpoints] + [1, 1]


def test_what_can_not_fit_is_a_sentence() -> None:
    checks = (a_check(points=1), a_check(points=100_000))
    with pytest.raises(OutputError, match="01 tensor is worth 100,001 points, more than a runner can hold"):
        FORMATS["github"].render(a_grade(checkpoints=(replace(TENSOR, checks=checks),)))


# ---- the reporter -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_the_reporter_prints_no_command(text: str) -> None:
    output = FORMATS["github"].render(a_hostile_grade(text))
    assert reading.commands(output) == []
    assert reading.commands(reading.reported(reading.runners(output))) == []
    assert "\x1b" not in reading.reported(reading.runners(output))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(grade=GRADES)
def test_any_grade_is_valid_and_prints_no_command(grade: Grade) -> None:
    assert reading.commands(reading.reported(rendered(grade))) == []


def run_reporter(grade: Grade) -> Any:
    """What the reporter's sums come to under node, with the results in its environment as in a workflow."""
    outputs = reading.step_outputs(FORMATS["github"].render(grade))
    results = {f"{name.upper()}_RESULTS": value for name, value in outputs.items()}
    environ = {**os.environ, **results, "INPUT_RUNNERS": ",".join(outputs)}
    command = [str(NODE), str(REPORTER)]
    told = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)  # noqa: S603  # our script
    return json.loads(told.stdout)


@with_node
@pytest.mark.parametrize(
    ("grade", "failed"),
    [
        (a_grade(), True),
        (a_grade(checkpoints=(TENSOR,), milestones=(PERCEPTRON,)), False),
        (a_hostile_grade(HOSTILE["surrogates"]), True),
        (a_course("wrong value"), True),
        (a_course(HOSTILE["long line"]), True),
    ],
    ids=["mixed", "passed", "surrogates", "course", "long course"],
)
def test_both_sums_of_the_reporter_under_node(grade: Grade, failed: bool) -> None:
    found = run_reporter(grade)
    assert found["notice"] == [grade.score, grade.max_score]
    assert found["table"] == [pytest.approx(grade.score), grade.max_score]
    assert found["failed"] is failed
