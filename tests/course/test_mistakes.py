"""Every usual mistake is caught by the check that should, and named where its value gives it away; graded, too."""

from __future__ import annotations

import pytest

from pytest_tinytorch.course import Module
from pytest_tinytorch.outcome import Outcome
from tests.course import WRITTEN, selected
from tests.mistakes import Mistaken, catalogue
from tools.trial import Trial, Verdict, below, package, run_all

CATALOGUE = catalogue()
MISTAKES = [(module, mistake) for module in WRITTEN for mistake in CATALOGUE.get(module.name, [])]
FEWEST = 12  # of a module
HOW = ("own", "graded")


def label(module: Module, mistake: Mistaken) -> str:
    """The mistake's name in this course."""
    return f"{module.name}: {mistake.name}"


def fits(module: Module, mistake: Mistaken) -> bool:
    """Whether the solution still holds the text that the mistake replaces."""
    return package()[module.file].count(mistake.replace) == 1


@pytest.fixture(scope="module")
def verdicts(request: pytest.FixtureRequest) -> dict[str, Verdict]:
    """What each selected mistake's checkpoint says, in the student's own run and in a grader's."""
    wanted = selected(request)
    return run_all(
        [
            Trial(
                name=f"{how} {label(module, mistake)}",
                package=below(module, mistake.make(package()[module.file])),
                checkpoint=str(module.number),
                only=mistake.exercise,
                by="judge" if how == "graded" else "pytest",
            )
            for module, mistake in MISTAKES
            if module in wanted and fits(module, mistake)
            for how in HOW
        ]
    )


def squeezed(text: str) -> str:
    """The text on one line, for wrapped lines say the same."""
    return " ".join(text.split())


@pytest.mark.parametrize("module", WRITTEN, ids=lambda module: module.name)
def test_every_module_has_its_mistakes(module: Module) -> None:
    mistakes = CATALOGUE.get(module.name, [])
    assert len(mistakes) >= FEWEST
    assert len({mistake.name for mistake in mistakes}) == len(mistakes)
    assert {mistake.exercise for mistake in mistakes} <= set(module.exercises)


each_mistake = pytest.mark.parametrize(("module", "mistake"), MISTAKES, ids=[label(*pair) for pair in MISTAKES])


@each_mistake
def test_a_mistake_can_be_made(module: Module, mistake: Mistaken) -> None:
    mistake.make(package()[module.file])


@pytest.mark.parametrize("how", HOW)
@each_mistake
def test_a_mistake_is_caught_and_named(
    verdicts: dict[str, Verdict], module: Module, mistake: Mistaken, how: str
) -> None:
    if not fits(module, mistake):
        pytest.skip("it cannot be made")
    verdict = verdicts[f"{how} {label(module, mistake)}"]
    assert verdict.not_passed, f"no check of {mistake.exercise} noticed"
    first = verdict.not_passed[0]
    assert f"test_{first.name}" == mistake.caught_by
    if mistake.crashes_graded and how == "graded":
        assert first.outcome is Outcome.CRASHED
    elif mistake.says is not None:
        assert first.finding is not None
        assert squeezed(mistake.says) in squeezed(first.finding.mistake)


@each_mistake
def test_both_agree(verdicts: dict[str, Verdict], module: Module, mistake: Mistaken) -> None:
    if not fits(module, mistake):
        pytest.skip("it cannot be made")
    if mistake.crashes_graded:
        return  # as the test before has seen
    found = (verdicts[f"{how} {label(module, mistake)}"].results for how in HOW)
    own, graded = ([(r.check, r.outcome, r.finding and r.finding.mistake) for r in results] for results in found)
    assert own == graded  # the findings' numbers may differ where nobody seeded the generator
