"""The solutions pass every checkpoint, with any inputs, in both modes, and without the modules that come later."""

from __future__ import annotations

import pytest

from pytest_tinytorch.course import Module
from tests.course import ALL, ISOLATED, LOOP, WRITTEN
from tools.trial import Trial, Verdict, package, run_all

SEEDS = range(2, 4)


def trouble(verdict: Verdict) -> list[str]:
    """What went wrong, for the reader of a failed test."""
    told = [f"{r.module}: {r.name}: {r.outcome.value} {r.cause} {r.finding or ''}" for r in verdict.not_passed]
    return told or ([] if verdict.status == 0 else [verdict.output])


@pytest.fixture(scope="module")
def verdicts() -> dict[str, Verdict]:
    """What every seed gives, and every stretch of the course that ends early."""
    trials = [
        Trial(name=f"seed {seed} {how}", package=package(), checkpoint=ALL, arguments=arguments, seed=seed)
        for seed in SEEDS
        for how, arguments in (("loop", LOOP), ("isolated", ISOLATED))
    ]
    for last in WRITTEN:
        missing = {module.file for module in WRITTEN if module.number > last.number}
        files = {name: text for name, text in package().items() if name not in missing}
        trials.append(Trial(name=last.name, package=files, checkpoint=str(last.number)))
    return run_all(trials)


@pytest.mark.parametrize("how", ["loop", "isolated"])
@pytest.mark.parametrize("seed", SEEDS)
def test_solutions_pass(verdicts: dict[str, Verdict], seed: int, how: str) -> None:
    assert trouble(verdicts[f"seed {seed} {how}"]) == []


@pytest.mark.parametrize("module", WRITTEN, ids=lambda module: module.name)
def test_a_module_needs_nothing_that_comes_later(verdicts: dict[str, Verdict], module: Module) -> None:
    assert trouble(verdicts[module.name]) == []
