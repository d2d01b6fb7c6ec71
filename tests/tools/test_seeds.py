"""Runs with many seeds: what fails with one of them is told, with a command that shows it again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_tinytorch.course import MODULES
from pytest_tinytorch.outcome import Outcome
from tests.mistakes import catalogue
from tools.seeds import main, try_module
from tools.trial import package

if TYPE_CHECKING:
    import pytest

ACTIVATIONS = next(module for module in MODULES if module.name == "activations")


def test_each_check_runs_with_one_seed_after_another() -> None:
    found = try_module(ACTIVATIONS, package(), first=7, seconds=60.0, most=2)
    assert {tried.seeds for tried in found} == {2}
    assert len(found) > len(ACTIVATIONS.exercises)
    assert [tried.failures for tried in found] == [[]] * len(found)


def test_however_little_time_there_is_each_check_runs_once() -> None:
    assert {tried.seeds for tried in try_module(ACTIVATIONS, package(), first=0, seconds=0.0, most=9)} == {1}


def test_a_solution_that_fails_sometimes_is_told() -> None:
    """The check draws other numbers with every seed: a relu that is wrong by their sum passes with some."""
    source = package()["activations.py"]
    wrong = source.replace(
        "    data = np.zeros(x.shape, x.dtype)\n", "    data = np.full(x.shape, x.data.sum() > 5, x.dtype)\n"
    )
    assert wrong != source
    found = try_module(ACTIVATIONS, package(activations=wrong), first=0, seconds=60.0, most=20)
    flawed = [tried for tried in found if 0 < len(tried.failures) < 20]
    assert flawed
    for tried in flawed:
        first = tried.failures[0]
        assert first.outcome is Outcome.WRONG
        assert f"{len(tried.failures)} of 20 seeds, wrong with {first.seed}" in str(tried)
        assert f"pytest --checkpoint 2 --tinytorch-seed {first.seed}" in str(tried)


def test_the_command_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--module", "activations", "--seconds", "0", "--jobs", "1"]) == 0
    assert "; 0 verdicts did not hold" in capsys.readouterr().out


def test_mistakes_are_made_with_one_seed_after_another(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    caught, named = catalogue()["activations"][:2]
    vague = replace(named, says="something else", name="vague")
    late = replace(caught, caught_by="test_nobody", name="late")
    monkeypatch.setattr("tools.seeds.catalogue", lambda: {"activations": [caught, vague, late]})
    assert main(["--mistakes", "--module", "activations", "--most", "2"]) == 1
    told = sorted(capsys.readouterr().out.splitlines())
    assert told[0] == "6 runs; 4 verdicts did not hold"
    assert [line.partition(": ")[2].partition(": ")[0] for line in told[1:]] == [
        f"{name}, seed {seed}" for name in ("late", "vague") for seed in (0, 1)
    ]
