"""Trials: many variants of a package, each verified in a process of its own."""

from __future__ import annotations

import pytest

from pytest_tinytorch.course import MODULES
from pytest_tinytorch.outcome import Outcome
from tools.trial import Trial, below, package, run_all

ACTIVATIONS = MODULES[1]
SOLUTION = package()[ACTIVATIONS.file]


def trial(name: str, source: str = SOLUTION, **how: object) -> Trial:
    files = below(ACTIVATIONS, source)
    return Trial(name=name, package=files, checkpoint="2", only="relu", **how)  # type: ignore[arg-type]  # any field


def test_verdicts_come_by_name() -> None:
    wrong = SOLUTION + "\n\ndef relu(x):\n    return x\n"
    verdicts = run_all([trial("right"), trial("wrong", wrong), trial("isolated", wrong, arguments=("--isolated",))])
    assert {name: verdict.status for name, verdict in verdicts.items()} == {"right": 0, "wrong": 1, "isolated": 1}
    assert verdicts["right"].outcomes() == {Outcome.PASSED}
    assert {result.exercise for result in verdicts["right"].results} == {"relu"}
    assert Outcome.WRONG in verdicts["wrong"].outcomes()
    assert "relu" in verdicts["wrong"].output


def test_all_who_run_the_checks_say_the_same() -> None:
    wrong = SOLUTION + "\n\ndef relu(x):\n    return x\n"
    verdicts = run_all([trial(by, wrong, by=by) for by in ("pytest", "judge", "loop")])
    found = [[(r.check, r.outcome, r.finding) for r in verdict.results] for verdict in verdicts.values()]
    assert found[0] == found[1] == found[2]
    assert {verdict.status for verdict in verdicts.values()} == {1}


@pytest.mark.parametrize(
    ("body", "deadline"),
    [("import os; os._exit(5)", 60.0), ("import time; time.sleep(60)", 3.0)],
    ids=["dies", "hangs"],
)
def test_a_process_that_dies_or_hangs_costs_itself_only(body: str, deadline: float) -> None:
    bad = trial("bad", f"{SOLUTION}\n\n{body}\n", limit=60.0)
    verdicts = run_all([bad, trial("good")], jobs=2, deadline=deadline)
    assert verdicts["bad"].status is None
    assert verdicts["bad"].results == ()
    assert verdicts["good"].status == 0
