"""Every usual mistake is caught by the check that should, and named where its value gives it away; graded, too."""

from __future__ import annotations

import pytest

from pytest_tinytorch.course import Module
from pytest_tinytorch.outcome import Outcome
from tests.course import WRITTEN, selected
from tests.mistakes import Mistaken, catalogue
from tools.trial import How, Trial, Verdict, below, package, run_all

CATALOGUE = catalogue()
MISTAKES = [(module, mistake) for module in WRITTEN for mistake in CATALOGUE.get(module.name, [])]
FIRST = [(module, CATALOGUE[module.name][0]) for module in WRITTEN if module.name in CATALOGUE]
FEWEST = 12  # of a module
HOW: tuple[How, ...] = ("loop", "judge")  # in the student's own process, and in a grader's


def label(module: Module, mistake: Mistaken) -> str:
    """The mistake's name in this course."""
    return f"{module.name}: {mistake.name}"


def fits(module: Module, mistake: Mistaken) -> bool:
    """Whether the solution still holds the text that the mistake replaces."""
    return package()[module.file].count(mistake.replace) == 1


@pytest.fixture(scope="module")
def verdicts(request: pytest.FixtureRequest) -> dict[str, Verdict]:
    """What each selected mistake's checkpoint says, in the student's own process and in a grader's; some by pytest."""
    wanted = selected(request)
    return run_all(
        [
            Trial(
                name=f"{by} {label(module, mistake)}",
                package=below(module, mistake.make(package()[module.file])),
                checkpoint=str(module.number),
                only=mistake.exercise,
                by=by,
            )
            for module, mistake in MISTAKES
            if module in wanted and fits(module, mistake)
            for by in ((*HOW, "pytest") if (module, mistake) in FIRST else HOW)
        ]
    )


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
    results = verdicts[f"{how} {label(module, mistake)}"].results
    assert mistake.not_shown(results, graded=how == "judge") == ""


@each_mistake
def test_both_agree(verdicts: dict[str, Verdict], module: Module, mistake: Mistaken) -> None:
    if not fits(module, mistake):
        pytest.skip("it cannot be made")
    if mistake.crashes_graded:
        return  # as the test before has seen
    own, graded = (said(verdicts[f"{how} {label(module, mistake)}"]) for how in HOW)
    assert own == graded


@pytest.mark.parametrize(("module", "mistake"), FIRST, ids=[label(*pair) for pair in FIRST])
def test_pytest_says_the_same(verdicts: dict[str, Verdict], module: Module, mistake: Mistaken) -> None:
    assert said(verdicts[f"pytest {label(module, mistake)}"]) == said(verdicts[f"loop {label(module, mistake)}"])


def said(verdict: Verdict) -> list[tuple[str, Outcome, str | None]]:
    """What each check found, without its numbers: they may differ where nobody seeded the generator."""
    return [(r.check, r.outcome, r.finding.mistake if r.finding else None) for r in verdict.results]
