"""The vocabulary of a check: what passes, and what a student reads when it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_tinytorch.checking import (
    Draw,
    Mismatch,
    Mistake,
    calm,
    named,
    raises,
    same,
    same_array,
    tensor_data,
    unchanged,
)
from pytest_tinytorch.handles import World, open_loop
from pytest_tinytorch.outcome import Finding

TENSOR = """
import numpy as np

class Tensor:
    def __init__(self, data):
        self.data = np.asarray(data)

def tensor(data): return Tensor(np.array(data, np.float32))
def wide(data): return Tensor(np.array(data, np.float64))
def bare(data): return np.array(data, np.float32)
def nothing(data): pass
def listed(data): return [1.0, 2.0]
def nested(data): return Tensor(data) if False else type("Tensor", (), {"data": 3})()
def odd(data):
    t = Tensor(0); t.data = [1, 2]; return t
def scale(x, by): return Tensor(x.data * np.float32(by))
def scribble(x): x.data[...] = 7; return x
def overflow(x): return Tensor(np.exp(x.data))
def refuse(x): raise ValueError(f"shapes {x.data.shape} and [4,5] do not fit")
def crash(x): raise RecursionError("too deep")
def stub(x): raise NotImplementedError("m.stub")
def shape(x): return x.data.shape
"""
NAMES = [
    "tensor",
    "wide",
    "bare",
    "nothing",
    "listed",
    "nested",
    "odd",
    "scale",
    "scribble",
    "overflow",
    "refuse",
    "crash",
    "stub",
    "shape",
    "Tensor",
]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    package = tmp_path / "sample"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "m.py").write_text(TENSOR, encoding="utf-8")
    sessions = open_loop(package, homes=dict.fromkeys(NAMES, "m"))
    world = sessions.begin(limit=10, trace=False)
    yield world
    world.close()
    sessions.close()


@pytest.fixture
def tt(world: World) -> Any:
    return world.tt


def finding(check: Callable[[], None]) -> Finding:
    with pytest.raises(Mismatch) as caught:
        check()
    return caught.value.finding


RIGHT = np.array([[1.5, 2.0], [3.0, 4.0]], np.float32)


def test_the_right_tensor_passes(tt: Any) -> None:
    same(tt.tensor(RIGHT), RIGHT)
    same(tt.tensor(RIGHT), RIGHT.astype(np.float64))
    same(tt.wide(RIGHT), RIGHT, dtype=np.float64)


def test_a_wrong_value_tells_call_values_and_difference(tt: Any) -> None:
    found = finding(lambda: same(tt.scale(tt.tensor(RIGHT), 3), RIGHT, smaller="scale(x, 1) is x"))
    assert found.call == "scale(tensor([[1.5, 2.], [3., 4.]]), 3)"
    assert found.expected == "1.5000  2.0000\n3.0000  4.0000"
    assert found.got == " 4.5000   6.0000\n 9.0000  12.0000"
    assert found.difference == "4 of 4 differ, first at [0, 0]; largest error 8"
    assert found.mistake.startswith("every number is 3 times the right one")
    assert found.smaller == "scale(x, 1) is x"


def test_a_mistake_is_named_only_where_its_value_came_back(tt: Any) -> None:
    mistakes = [Mistake(RIGHT * 2, "twice."), Mistake(RIGHT * 3, "three times."), Mistake(None, "never.")]
    assert finding(lambda: same(tt.scale(tt.tensor(RIGHT), 3), RIGHT, mistakes=mistakes)).mistake == "three times."
    shifted = RIGHT + np.arange(4, dtype=np.float32).reshape(2, 2)
    assert finding(lambda: same(tt.tensor(shifted), RIGHT, mistakes=mistakes)).mistake == ""


def test_a_mistake_that_equals_the_right_value_is_never_named(tt: Any) -> None:
    ones = np.ones((2, 2), np.float32)
    found = finding(lambda: same(tt.tensor(ones * 5), ones, mistakes=[Mistake(ones, "not this.")]))
    assert found.mistake != "not this."


def test_a_named_tensor_is_defined_above_the_call(tt: Any) -> None:
    x = named(tt.tensor(RIGHT), "x")
    found = finding(lambda: same(tt.scale(x, 2), RIGHT))
    assert found.call == "scale(x, 2)"
    assert found.given == ("x = tensor([[1.5, 2.], [3., 4.]])",)


@pytest.mark.parametrize(
    ("maker", "got", "mistake"),
    [
        ("nothing", "None", "without a return"),
        ("bare", "a NumPy array (2, 2) float32", "bare NumPy array"),
        ("listed", "[1.0, 2.0], a plain list", "a Tensor is due"),
        ("nested", "an object of type Tensor", "a Tensor is due"),
        ("odd", "a Tensor whose .data is [1, 2], a plain list", "plain NumPy array"),
        ("wide", "(2, 2) float64", "float64 crept in"),
    ],
)
def test_what_is_no_tensor_is_named(tt: Any, maker: str, got: str, mistake: str) -> None:
    found = finding(lambda: same(getattr(tt, maker)(RIGHT), RIGHT))
    assert got in found.got or maker == "nested"
    assert mistake in found.mistake


def test_plain_values_are_exact_in_kind_and_value(tt: Any) -> None:
    same(tt.shape(tt.tensor(RIGHT)), (2, 2))
    assert finding(lambda: same(tt.shape(tt.tensor(RIGHT)), (2, 3))).got == "(2, 2)"
    assert finding(lambda: same(tt.shape(tt.tensor(RIGHT)), [2, 2])).got == "(2, 2)"
    for actual, expected in [(True, 1), (1, True), (1, 1.0), ("1", 1), (None, 0), ((1, 2), (1,))]:
        with pytest.raises(Mismatch):
            same(actual, expected)
    for equal in [1, 2.5, True, "x", None, (1, (2,)), [1.0], {"a": (1,)}, float("nan")]:
        same(equal, equal)
    same(np.int64(3), 3)


def test_plain_numbers_are_close_one_by_one() -> None:
    same([3.0, 100.00001], [3.0, 100.0])
    same([64.0, 5e-6], [64.0, 0.0], atol=1e-5)
    for near, rtol, atol in [(0.0, None, None), (0.0, 1e-2, None), (0.5, None, 1e-5)]:
        with pytest.raises(Mismatch):
            same([64.0, 5e-6], [64.0, near], rtol=rtol, atol=atol)


def test_plain_mistakes_are_named() -> None:
    assert finding(lambda: same(24, 12, mistakes=[Mistake(24, "eight bytes each.")])).mistake == "eight bytes each."


def test_arrays_that_must_be_plain(tt: Any) -> None:
    same_array(tt.bare(RIGHT), RIGHT)
    assert "plain NumPy array" in finding(lambda: same_array(tt.tensor(RIGHT), RIGHT)).mistake


def test_inputs_must_stay(tt: Any) -> None:
    x = tt.tensor(RIGHT)
    unchanged(x, RIGHT)
    tt.scribble(x)
    assert "writes into its input" in finding(lambda: unchanged(x, RIGHT)).mistake


def test_the_data_of_a_tensor(tt: Any) -> None:
    assert tensor_data(tt.tensor(RIGHT)).tolist() == RIGHT.tolist()
    with pytest.raises(Mismatch):
        tensor_data(tt.nothing(1))


def test_a_warning_inside_a_calm_block_is_told(tt: Any) -> None:
    x = tt.tensor([1000.0])
    tt.overflow(x)
    with calm(tt):
        tt.scale(x, 2)

    def noisy() -> None:
        with calm(tt):
            tt.overflow(x)

    assert finding(noisy).got.startswith("RuntimeWarning: overflow")


def test_a_refusal_names_what_it_was_given(tt: Any) -> None:
    x = tt.tensor(np.ones((2, 3)))
    raises(ValueError, lambda: tt.refuse(x), mentions=[(2, 3), (4, 5)])
    found = finding(lambda: raises(ValueError, lambda: tt.refuse(x), mentions=[(2, 3), (9, 9)]))
    assert found.difference == "the message does not say (9, 9)"
    assert found.expected == "ValueError, with (2, 3) and (9, 9) in its message"
    assert finding(lambda: raises(IndexError, lambda: tt.refuse(x))).got.startswith("ValueError: shapes")
    assert finding(lambda: raises(ValueError, lambda: tt.scale(x, 1))).got == "no error; a Tensor came back"


def test_an_accident_is_no_refusal(tt: Any) -> None:
    x = tt.tensor(RIGHT)
    assert finding(lambda: raises(RuntimeError, lambda: tt.crash(x))).got.startswith("RecursionError")
    with pytest.raises(NotImplementedError):
        raises(RuntimeError, lambda: tt.stub(x))


def test_the_checks_own_error_is_not_taken_for_the_students() -> None:
    with pytest.raises(ZeroDivisionError):
        raises(ZeroDivisionError, lambda: 1 / 0)


def test_inputs_repeat_with_their_seed() -> None:
    assert np.array_equal(Draw(1, 2)(3, 4), Draw(1, 2)(3, 4))
    assert not np.array_equal(Draw(1, 2)(3, 4), Draw(1, 3)(3, 4))
    draw = Draw(5, 6)
    assert draw(3, 4).dtype == np.float32
    assert set(np.unique(draw(200) * 8 % 1)) == {0.0}
    assert np.all(draw(200) != 0)
    assert np.all(draw.positive(200) > 0)
    assert len(np.unique(draw.distinct(6, 7))) == 42
    assert len(set(draw.sizes(5))) == 5
    assert sorted(draw.permutation(6)) == list(range(6))
    assert draw.integers(0, 3, 50).dtype == np.int64
    assert draw.choice(["a"]) == "a"
