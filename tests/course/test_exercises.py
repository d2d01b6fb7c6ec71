"""Exercises wait to be written, say so, and cannot be skipped."""

from __future__ import annotations

import pytest

from pytest_tinytorch.course import Module
from pytest_tinytorch.outcome import Outcome
from tests.course import ALL, ISOLATED, LOOP, WRITTEN, selected
from tools.exercises import generate, without_answers
from tools.trial import Trial, Verdict, below, package, run_all

WAITING = {Outcome.UNWRITTEN, Outcome.BLOCKED}
EXERCISES = [(module, name) for module in WRITTEN for name in module.exercises]
BODIES = {
    "stub": "{stub}",
    "none": "return None",
    "bare": "raise NotImplementedError",
}


def alone(module: Module, name: str, body: str) -> dict[str, str]:
    """The solutions up to a module, with one exercise written otherwise."""
    stub = f'raise NotImplementedError("{module.name}.{name}")'
    source = without_answers(package()[module.file], module.name, [name])
    assert source.count(stub) == 1
    return below(module, source.replace(stub, body.format(stub=stub)))


@pytest.fixture(scope="module")
def verdicts(request: pytest.FixtureRequest) -> dict[str, Verdict]:
    """What each checkpoint of the selected modules says when one exercise is not there."""
    wanted = selected(request)
    return run_all(
        [
            Trial(
                name=f"{kind} {module.name}.{name}",
                package=alone(module, name, body),
                checkpoint=str(module.number),
                only=None if kind == "stub" else name,
                by="loop",
            )
            for module, name in EXERCISES
            if module in wanted
            for kind, body in BODIES.items()
        ]
    )


@pytest.mark.parametrize("arguments", [LOOP, ISOLATED], ids=["loop", "isolated"])
def test_bare_exercises_are_all_unwritten_and_nothing_else(arguments: tuple[str, ...]) -> None:
    (verdict,) = run_all([Trial(name="bare", package=generate(), checkpoint=ALL, arguments=arguments)]).values()
    assert verdict.status == 1
    assert [f"{r.name}: {r.outcome.value}" for r in verdict.results if r.outcome not in WAITING] == []
    for module, name in EXERCISES:
        about = {r.outcome for r in verdict.results if (r.module, r.exercise) == (module.name, name)}
        assert Outcome.UNWRITTEN in about, f"{module.name}.{name}"


one_missing = pytest.mark.parametrize(
    ("module", "name"), EXERCISES, ids=[f"{module.name}.{name}" for module, name in EXERCISES]
)


@one_missing
def test_a_stub_alone_is_unwritten(verdicts: dict[str, Verdict], module: Module, name: str) -> None:
    verdict = verdicts[f"stub {module.name}.{name}"]
    assert Outcome.UNWRITTEN in verdict.outcomes(name), verdict.output
    assert [f"{r.name}: {r.outcome.value}" for r in verdict.not_passed if r.outcome not in WAITING] == []


@one_missing
def test_an_exercise_that_answers_none_is_wrong(verdicts: dict[str, Verdict], module: Module, name: str) -> None:
    verdict = verdicts[f"none {module.name}.{name}"]
    assert verdict.outcomes() & {Outcome.WRONG, Outcome.CRASHED}, verdict.output
    assert Outcome.BROKEN not in verdict.outcomes()


@one_missing
def test_an_exercise_that_refuses_fails(verdicts: dict[str, Verdict], module: Module, name: str) -> None:
    verdict = verdicts[f"bare {module.name}.{name}"]
    assert verdict.outcomes() - {Outcome.PASSED, Outcome.BLOCKED}, verdict.output
    assert Outcome.BROKEN not in verdict.outcomes()
