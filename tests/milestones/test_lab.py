"""What a script may use to judge answers."""

from __future__ import annotations

import doctest
import threading
from pathlib import Path

import numpy as np
import pytest
import threadpoolctl

from pytest_tinytorch import exhibits, lab, texts

RIGHT = np.array([1, 0, 1, 1])


@pytest.mark.parametrize("module", [lab, exhibits, texts])
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


# ---- texts and distributions ------------------------------------------------------------------------------------

WORDS = ["yes", "", "zwei \U0001f600"]


def test_texts_come_back_from_their_codes() -> None:
    assert lab.texts(lab.codes(WORDS)) == WORDS
    assert lab.codes([]).shape == (0, 0)


@pytest.mark.parametrize(
    ("said", "share"),
    [
        (lab.codes(WORDS), 1.0),
        (lab.codes([*WORDS[:2], "no"]), 2 / 3),
        (lab.codes(WORDS).astype(np.int64)[:, :3], 2 / 3),
        (lab.codes(WORDS[:2]), 0.0),
        (lab.codes(WORDS).astype(np.float32), 0.0),
        (np.full((3, 4), -5), 0.0),
        (np.full((3, 4), 2**40), 0.0),
        (np.zeros((3, 0), int), 1 / 3),
        (np.array(WORDS), 0.0),
        (WORDS, 0.0),
        (None, 0.0),
    ],
)
def test_exact_takes_rows_of_code_points_alone(said: object, share: float) -> None:
    assert lab.exact(said, lab.codes(WORDS)) == share


ROWS = np.log(np.array([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]], np.float32))


def test_nats_are_those_of_the_right_classes() -> None:
    assert lab.nats(ROWS, np.array([0, 1])) == pytest.approx(-np.log([0.5, 0.8]).mean(), abs=1e-6)


@pytest.mark.parametrize(
    "said",
    [np.zeros((2, 3)), ROWS[:1], ROWS[0], ROWS[:, :1] * 0, ROWS * np.nan, ROWS * np.inf, ROWS + 1, ROWS.tolist(), None],
)
def test_what_is_no_distribution_costs_infinitely_much(said: object) -> None:
    assert lab.nats(said, np.array([1, 1])) == np.inf


# ---- threads, and the time that is left -------------------------------------------------------------------------


def test_parts_are_worked_on_at_once_and_come_back_in_their_order() -> None:
    meet = threading.Barrier(3, timeout=10)

    def work(n: int, m: int) -> tuple[int, bool]:
        meet.wait()  # each part waits for the two others
        return n * m, threading.current_thread() is threading.main_thread()

    assert lab.at_once(work, [(1, 2), (3, 4), (5, 6)]) == [(2, True), (12, False), (30, False)]


@pytest.mark.parametrize("bad", [0, 1])
def test_an_error_of_any_part_comes_out(bad: int) -> None:
    def work(n: int) -> None:
        if n == bad:
            raise LookupError(f"part {n}")

    with pytest.raises(LookupError, match=f"part {bad}"):
        lab.at_once(work, [(0,), (1,)])


def test_matrix_products_take_one_thread_each() -> None:
    def threads() -> set[int]:
        return {each["num_threads"] for each in threadpoolctl.threadpool_info() if each["user_api"] == "blas"}

    before = threads()
    with lab.one_blas_thread():
        assert threads() <= {1}
    assert threads() == before


def test_progress_tells_the_time_that_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("pytest_tinytorch.lab.time.monotonic", lambda: clock[0])
    show = lab.Progress(str(tmp_path / "line"))
    for seconds, done, said in ((0, 0.5, ""), (10, 0.6, ", 40 s left"), (10, 0.7, ", 30 s left"), (5, None, "")):
        clock[0] += seconds
        show("at work", done)
        assert (tmp_path / "line").read_text("utf-8") == f"at work{said}\n"
