"""1969: one layer fails and a hidden layer succeeds, from whatever seed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from pytest_tinytorch.exhibits import Curve, Pictures
from pytest_tinytorch.outcome import Outcome

from .conftest import Player, reached

if TYPE_CHECKING:
    from pytest_tinytorch.outcome import MilestoneResult

SEEDS = [0, 1, 7, 1969, 2**31, 2**32 - 1]


def held(result: MilestoneResult) -> list[bool]:
    """Which claims hold."""
    return [claim.holds for claim in result.claims]


@pytest.mark.parametrize("seed", SEEDS)
def test_one_layer_fails_and_a_hidden_one_learns_from_every_seed(seed: int, solution: Player) -> None:
    result = solution.play(1969, seed=seed)
    assert result.outcome is Outcome.PASSED, result
    assert [claim.what for claim in result.claims] == ["one layer, best of 20 seeds", "hidden layer, worst of 20 seeds"]
    assert reached(result)[0] <= 75
    assert reached(result)[1] == 100


def test_isolated(solution: Player) -> None:
    assert solution.play(1969, isolated=True).outcome is Outcome.PASSED


def test_twenty_seeds_take_a_few_seconds(solution: Player) -> None:
    began = time.process_time()
    solution.play(1969)
    assert time.process_time() - began < 6


def test_it_shows_both_maps_and_both_losses(solution: Player) -> None:
    pictures, curve = solution.play(1969).exhibits
    assert isinstance(pictures, Pictures)
    assert [picture.caption for picture in pictures.pictures] == ["one layer", "hidden layer"]
    corners = [[p.pixels[y][x] > 127 for y in (4, 19) for x in (4, 19)] for p in pictures.pictures]
    assert corners[1] == [True, False, False, True]  # (0, 1) and (1, 0) fire
    assert isinstance(curve, Curve)
    assert [line.name for line in curve.lines] == ["one layer", "hidden layer"]
    assert curve.lines[0].values[-1] > 0.6
    assert curve.lines[1].values[-1] < 0.05


def test_it_says_which_functions_ran(solution: Player) -> None:
    ran = {(each.file.rpartition("/")[2], each.function) for each in solution.play(1969).ran}
    assert {("optimizers.py", "Adam.update"), ("autograd.py", "backward")} <= ran


# ---- what is wrong does not reach it ------------------------------------------------------------------------

WRONG = {
    "no gradient arrives": ("autograd", "def accumulate(*leaves): pass"),
    "the optimiser stands still": ("optimizers", "Adam.step = lambda self, closure=None: None"),
    "it climbs": (
        "optimizers",
        "_right = Adam.update\nAdam.update = lambda self, p, grad, *rest: _right(self, p, -grad, *rest)",
    ),
    "tanh is straight": ("activations", "Tanh.forward = Tanh.__call__ = lambda self, x: x"),
}


@pytest.mark.parametrize("name", WRONG)
def test_without_learning_it_is_not_reached(name: str, student: Player) -> None:
    module, text = WRONG[name]
    student.append(module, text)
    result = student.play(1969)
    assert result.outcome is Outcome.WRONG
    assert held(result)[1] is False


def test_a_layer_that_knows_xor_is_no_single_layer(student: Player) -> None:
    student.append("layers", "Linear.forward = lambda self, x: (x[:, :1] - x[:, -1:]) ** 2 - 0.5 + 0 * self.bias")
    result = student.play(1969)
    assert result.outcome is Outcome.WRONG
    assert held(result)[0] is False
