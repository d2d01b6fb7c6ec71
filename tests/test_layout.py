"""Numbers as text that a reader can compare."""

from __future__ import annotations

import numpy as np

from pytest_tinytorch import layout

F = np.float32


def close(a: layout.Array, b: layout.Array) -> bool:
    with np.errstate(all="ignore"):
        return a.shape == b.shape and bool(np.allclose(a, b, rtol=1e-5, atol=1e-6, equal_nan=True))


def compare(got: object, right: object, show: layout.Show | None = None) -> layout.Found:
    return layout.compare(np.asarray(got), np.asarray(right), show, close)


def test_rows_with_a_derived_number() -> None:
    right = np.array([[0.09, 0.2447, 0.6652], [0.6652, 0.09, 0.2447]], F)
    found = compare(np.array(right * F(0.5)), right, ("row sum", lambda y: y.sum(-1)))
    assert found.expected == ("0.0900  0.2447  0.6652    row sum 0.9999\n0.6652  0.0900  0.2447            0.9999")
    assert found.difference == "6 of 6 differ, first at [0, 0]; largest error 0.333"
    assert found.mistake == "every number is 0.5 times the right one: a factor is missing or too much."


def test_another_shape_puts_the_shape_in_front() -> None:
    found = compare(np.array([[1, 2, 3], [4, 5, 6]], F), np.array([5, 7, 9], F))
    assert found.expected == "(3,) float32     5.0000  7.0000  9.0000"
    assert found.got.split("\n") == [
        "(2, 3) float32   1.0000  2.0000  3.0000",
        "                 4.0000  5.0000  6.0000",
    ]
    assert found.difference == "shape (2, 3), due (3,)"


def test_a_lost_dimension_is_recognised() -> None:
    assert "keepdim=True" in compare(np.ones(3, F), np.ones((3, 1), F)).mistake
    assert "without keepdim" in compare(np.ones((3, 1), F), np.ones(3, F)).mistake


def test_a_stray_float64_is_recognised() -> None:
    assert "float64 crept in" in compare(np.ones(3), np.ones(3, F)).mistake


def test_signs_and_transposes_are_recognised() -> None:
    square = np.array([[1, 2], [3, 4]], F)
    assert compare(square.T, square).mistake.startswith("this is the transpose")
    assert compare(-square, square).mistake.startswith("every sign is reversed")
    assert compare(square * np.nan, square).mistake.startswith("every number is nan")


def test_small_differences_get_more_digits() -> None:
    found = compare(np.array([1.0, 2.00003], F), np.array([1.0, 2.0], F))
    assert found.got != found.expected


def test_large_arrays_show_the_part_that_differs() -> None:
    right = np.zeros((50, 50), F)
    got = right.copy()
    got[30, 40] = 7
    found = compare(got, right)
    assert "7.0000" in found.got
    assert "first at [30, 40] (shown: part of (50, 50))" in found.difference


def test_empty_and_single_values() -> None:
    assert layout.describe(np.zeros((0, 3), F)) == "(0, 3) float32\n(empty)"
    assert layout.describe(np.array(2.5, F)) == "2.5000   () float32"
    assert compare(np.array(1, F), np.array(2, F)).difference == ""
    assert layout.describe(np.array([True, False])) == " True  False   (2,) bool"


def test_numbers_stay_short() -> None:
    assert layout.rows(np.array([1e-9, 3.5, np.inf, np.nan], F)) == "1.000e-09     3.5000        inf        nan"


def test_infinities_are_compared_without_a_warning() -> None:
    right = np.array([np.inf, -np.inf, 1e38], F)
    found = compare(np.array([-np.inf, np.inf, 3e38], F), right)
    assert found.difference == "3 of 3 differ, first at [0]; largest error inf"
    assert compare(np.array([1, np.nan], F), np.ones(2, F)).difference.endswith("largest error nan")
