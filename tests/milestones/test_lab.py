"""What a script may use to judge answers."""

from __future__ import annotations

import doctest

import numpy as np
import pytest

from pytest_tinytorch import exhibits, lab

RIGHT = np.array([1, 0, 1, 1])


@pytest.mark.parametrize("module", [lab, exhibits])
def test_worked_values(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]  # a module


@pytest.mark.parametrize(
    ("said", "share"),
    [
        (RIGHT, 1.0),
        (RIGHT.astype(np.float32), 1.0),
        (RIGHT.astype(bool), 1.0),
        (1 - RIGHT, 0.0),
        (np.full(4, np.nan), 0.0),
        (RIGHT[None], 0.0),
        (RIGHT.tolist(), 0.0),
        (np.array(["1", "0", "1", "1"]), 0.0),
        (1, 0.0),
        (None, 0.0),
    ],
)
def test_accuracy_takes_numbers_in_the_answers_shape_alone(said: object, share: float) -> None:
    assert lab.accuracy(said, RIGHT) == share


def test_accuracies_of_every_row() -> None:
    assert lab.accuracies(np.stack([RIGHT, 1 - RIGHT]), RIGHT) == [1.0, 0.0]
    assert lab.accuracies(RIGHT, RIGHT) == []
    assert lab.accuracies(np.zeros((2, 5)), RIGHT) == []
    assert lab.accuracies(None, RIGHT) == []


def test_problems_keep_their_answers() -> None:
    problem = lab.Problem(inputs=RIGHT, labels=RIGHT, questions=RIGHT, answers=RIGHT)
    assert set(problem.public()) == {"inputs", "labels", "questions"}
