"""The gate: a package that lies about everything wins no check."""

from __future__ import annotations

import pytest

from pytest_tinytorch.course import Module
from pytest_tinytorch.outcome import Outcome
from tests.liars import CORRUPT, FAKE, LIES, corrupt_package, fake_package, written
from tools.trial import Trial, Verdict, below, run_all

GATES = f"1-{max(module.number for module in written())}"


@pytest.fixture(scope="module")
def verdicts() -> dict[str, Verdict]:
    """What isolated runs say of every liar."""
    liars = {f"fake {kind}": fake_package(kind) for kind in FAKE}
    liars |= {f"corrupt {kind}": corrupt_package(kind) for kind in CORRUPT}
    return run_all(
        [
            Trial(name=name, package=files, checkpoint=GATES, arguments=("--isolated",), limit=5.0)
            for name, files in liars.items()
        ]
    )


@pytest.mark.parametrize("liar", [*(f"fake {kind}" for kind in FAKE), *(f"corrupt {kind}" for kind in CORRUPT)])
def test_a_liar_wins_no_check(verdicts: dict[str, Verdict], liar: str) -> None:
    verdict = verdicts[liar]
    assert verdict.results, verdict.output
    assert told(verdict, Outcome.PASSED) == ""
    assert told(verdict, Outcome.BROKEN) == ""


def told(verdict: Verdict, outcome: Outcome) -> str:
    """The checks that ended in one way, one a line."""
    results = (r for r in verdict.results if r.outcome is outcome)
    return "\n".join(f"{r.module}: {r.name} {r.cause}".rstrip() for r in results)


@pytest.mark.parametrize("kind", ["echo", "zeros"])  # None and errors: tests/course/test_exercises.py
@pytest.mark.parametrize("module", written(), ids=lambda module: module.name)
def test_an_exercise_that_lies_alone_wins_none_of_its_checks(module: Module, kind: str) -> None:
    trials = [
        Trial(
            name=name,
            package=below(module, corrupt_package(kind, [name], of=module)[module.file]) | {"_lies.py": LIES},
            checkpoint=str(module.number),
            only=name,
            limit=5.0,
            by="loop",
        )
        for name in module.exercises
    ]
    won = (told(verdict, Outcome.PASSED) for verdict in run_all(trials).values())
    assert "\n".join(filter(None, won)) == ""
