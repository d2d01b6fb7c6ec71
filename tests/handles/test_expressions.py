"""The text of what a check computed: short, and Python that can be pasted."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pytest_tinytorch.handles import definitions, expression, named
from pytest_tinytorch.handles.expressions import LONG, node

from .conftest import Student


@pytest.fixture
def tt(student: Student) -> Any:
    return student.world("loop").tt


def floats(*numbers: float) -> NDArray[Any]:
    return np.array(numbers, np.float32)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (floats(1, -0.25, 0.125), "[1., -0.25, 0.125]"),
        (floats(0.1, 1e-5, 1e20, np.nan, np.inf, -np.inf), "[0.1, 1e-05, 1e+20, nan, inf, -inf]"),
        (floats(1, 2, 3, 4).reshape(2, 2), "[[1., 2.], [3., 4.]]"),
        (np.array([1, 2]), "[1, 2]"),
        (np.array([True, False]), "[True, False]"),
        (np.array([1, 2], np.int32), "array([1, 2], dtype=int32)"),
        (np.float32(0.1), "0.1"),
        (np.array(2.0, np.float32), "2."),
        (np.zeros((2, 0), np.float32), "<float32 (2, 0)>"),
        (np.zeros((4, 5), np.float32), "<float32 (4, 5)>"),
        (np.zeros((4, 5)), "<float64 (4, 5)>"),
        ((1,), "(1,)"),
        ([floats(1), "a", None], "[[1.], 'a', None]"),
        ({"a": 1, 2: floats(1)}, "{'a': 1, 2: [1.]}"),
        (list(range(40)), "<list of 40>"),
        ("x" * 500, f"'{'x' * 119}…"),
        (np.float32, "float32"),
        (np.dtype("int64"), "int64"),
        (slice(1, None), "1:"),
        (slice(None, None, -1), "::-1"),
    ],
)
def test_plain_values_are_written_short(value: Any, text: str) -> None:
    assert node(value).text == text


def test_every_eighth_prints_exactly() -> None:
    eighths = np.arange(-24, 25, dtype=np.float32) / 8
    for chunk in np.split(eighths[:48], 3):
        assert ast.literal_eval(node(chunk).text) == chunk.tolist()


def test_operations_are_written_as_in_the_check(tt: Any) -> None:
    x, y = tt.tensor(floats(1, 2)), tt.tensor(floats(3, 4))
    one, two = "tensor([1., 2.])", "tensor([3., 4.])"
    assert expression(tt.softmax(x, dim=-1)) == f"softmax({one}, dim=-1)"
    assert expression(x + y) == f"{one} + {two}"
    assert expression(2 - x) == f"2 - {one}"
    assert expression(floats(1, 2) @ x) == f"[1., 2.] @ {one}"
    assert expression(x.max(dim=0)[1]) == f"{one}.max(dim=0)[1]"
    assert expression(x == y) == f"{one} == {two}"
    assert expression(x[1:]) == f"{one}[1:]"
    assert expression(tt.activations) == "activations"


def test_an_int_tensor_shows_no_dtype(tt: Any) -> None:
    assert expression(tt.tensor(np.array([1, 2]))) == "tensor([1, 2])"


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda x, y: (x + y) * x, "(x + y) * x"),
        (lambda x, y: x + y * x, "x + y * x"),
        (lambda x, y: x - (y - x), "x - (y - x)"),
        (lambda x, y: x - y - x, "x - y - x"),
        (lambda x, y: (x + y)[0], "(x + y)[0]"),
        (lambda x, y: -(x + y), "-(x + y)"),
        (lambda x, y: (-x) ** 2, "(-x) ** 2"),
        (lambda x, y: -(x**2), "-x ** 2"),
        (lambda x, y: x**-2.0, "x ** -2.0"),
        (lambda x, y: (x**2) ** y, "(x ** 2) ** y"),
        (lambda x, y: x ** (y**2), "x ** y ** 2"),
        (lambda x, y: -1.0 * x, "-1.0 * x"),
        (lambda x, y: (x + y).shape, None),
        (lambda x, y: (x + y).max(dim=0)[0], "(x + y).max(dim=0)[0]"),
        (lambda x, y: x[..., None], "x[..., None]"),
        (lambda x, y: x[0:1, ...][np.array([0])], "x[0:1, ...][[0]]"),
    ],
)  # fmt: skip
def test_parentheses_stand_where_python_needs_them(tt: Any, build: Any, text: str | None) -> None:
    x, y = named(tt.tensor(floats(1, 2)), "x"), named(tt.tensor(floats(3, 4)), "y")
    assert text is None or expression(build(x, y)) == text


def test_names_stand_for_long_inputs_and_say_what_they_are(tt: Any) -> None:
    x = named(tt.tensor(np.zeros((8, 16), np.float32)), "x")
    y = named(tt.softmax(x, dim=1), "y")
    assert expression(y + x) == "y + x"
    assert definitions(y + x) == {"x": "tensor(<float32 (8, 16)>)", "y": "softmax(x, dim=1)"}
    assert list(definitions(y + x)) == ["x", "y"]
    assert definitions(3) == {}


def test_an_expression_shows_the_input_as_it_was_sent(tt: Any) -> None:
    a = floats(1, 2)
    x = tt.tensor(a)
    a[0] = 9
    assert expression(x) == "tensor([1., 2.])"


def test_long_chains_stay_short_and_cheap(tt: Any) -> None:
    x = tt.tensor(floats(1))
    for _ in range(2_000):
        x = x + 0.0
    assert len(expression(x)) < 2 * LONG
    y = tt.tensor(floats(1))
    for _ in range(60):
        y = y + y
    assert len(expression(y)) < 3 * LONG
