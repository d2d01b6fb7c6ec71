"""Handles: everything that a check does with the student's objects, in each of the modes."""

from __future__ import annotations

import gc
import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pytest_tinytorch.handles import (
    Endless,
    Handle,
    NotEvidence,
    Trouble,
    Unsendable,
    World,
    fetch,
    isinstance_,
    kind,
    named,
    shown,
)

from .conftest import Student

A = np.array([[1, 2, -0.25], [0.5, 4, 3]], np.float32)


def data(handle: Any) -> Any:
    return handle.data


@pytest.mark.parametrize(
    "value",
    [
        None, True, False, 0, -(2**100), 1.5, -0.0, math.inf, "a\ud800b", "\ud83d\ude00", b"\xff", (), (1, (2,)),
        [None],
        {"a": [1.0], 2: ()}, slice(1, None, -1), Ellipsis, np.float32(2), np.int64(3), np.bool_(True), np.dtype("i8"),
        np.float64,
    ],
)  # fmt: skip
def test_plain_values_come_back_as_they_went(tt: Any, value: Any) -> None:
    back = tt.echo(value)
    assert type(back) is type(value)
    assert back == value


@pytest.mark.parametrize(
    "array", [A, A.T, A[:, ::-2], np.zeros((0, 3)), np.array(5), np.array([np.nan, np.inf]), np.ones((700, 700))]
)
def test_arrays_come_back_as_copies(tt: Any, array: NDArray[Any]) -> None:
    back = tt.echo(array)
    assert back is not array
    assert (back.dtype, back.shape, back.tobytes()) == (array.dtype, array.shape, array.tobytes())
    assert not back.flags.writeable


def test_operators_from_both_sides(tt: Any) -> None:
    x, a = tt.tensor(A), A
    np.testing.assert_array_equal(data(x + 1), a + 1)
    np.testing.assert_array_equal(data(2 - x), 2 - a)
    np.testing.assert_array_equal(data(x / 2), a / 2)
    np.testing.assert_array_equal(data(a * x), a * a)
    np.testing.assert_array_equal(data(a.T @ x), a.T @ a)
    np.testing.assert_array_equal(data(np.float32(3) * x), 3 * a)
    np.testing.assert_array_equal(data(x @ tt.tensor(a.T)), a @ a.T)
    np.testing.assert_array_equal(data(-x), -a)
    np.testing.assert_array_equal(data(x**2), a**2)
    np.testing.assert_array_equal(data(x == a), np.ones((2, 3), bool))
    x += 1
    np.testing.assert_array_equal(data(x), a + 1)


def test_attributes_items_and_conversions(tt: Any) -> None:
    x = tt.tensor(A)
    assert x.shape == (2, 3)
    assert len(x) == 2
    np.testing.assert_array_equal(data(x[0, 1:]), A[0, 1:])
    np.testing.assert_array_equal(data(x[np.array([1, 0])]), A[[1, 0]])
    x[0] = 7.0
    x.label = "mine"
    assert x.label == "mine"
    np.testing.assert_array_equal(x.data[0], [7, 7, 7])
    del x.label
    with pytest.raises(AttributeError):
        _ = x.label
    assert float(tt.tensor(A)[0, 2]) == -0.25
    assert [float(row[0]) for row in tt.tensor(A)] == [1, 0.5]


def test_results_in_tuples_are_handles(tt: Any) -> None:
    values, indices = tt.tensor(A).max(dim=1)
    np.testing.assert_array_equal(values.data, [2, 4])
    np.testing.assert_array_equal(indices.data, [1, 1])


def test_one_object_has_one_handle(tt: Any) -> None:
    x = tt.tensor(A)
    assert tt.echo(x) is x
    assert tt.echo([x, x])[1] is x
    assert tt.tensor(A) is not x


def test_kinds_are_answered_from_the_mro(student: Student, mode: str) -> None:
    student.write(
        tensor="class Tensor: pass\n"
        "class Sub(Tensor): pass\n"
        "class Liar:\n"
        "    __class__ = Tensor\n"
        "class Meta(type):\n"
        "    __name__ = 'Tensor'\n"
        "    __instancecheck__ = lambda *a: True\n"
        "    def __eq__(self, other): return True\n"
        "    __hash__ = type.__hash__\n"
        "class Fake(metaclass=Meta): pass\n"
        "def make(): return Sub(), Liar(), Fake()\n",
        activations="",
        __init__="",
    )
    tt = student.world(mode, homes={"make": "tensor", "Sub": "tensor", "Fake": "tensor"}).tt
    sub, liar, fake = tt.make()
    assert [kind(sub), kind(liar), kind(fake), kind(3)] == ["Sub", "Liar", "Fake", "int"]
    assert isinstance_(sub, tt.Tensor)
    assert not isinstance_(liar, tt.Tensor)
    assert not isinstance_(fake, tt.Tensor)
    assert not isinstance_(sub, tt.Fake)
    assert not isinstance_(A, tt.Tensor)
    assert isinstance_(True, int)


def test_a_comparison_is_a_handle_and_no_evidence(student: Student, mode: str) -> None:
    student.write(tensor="class Tensor:\n    __eq__ = __lt__ = lambda self, other: True\n", activations="", __init__="")
    x = student.world(mode).tt.Tensor()
    assert isinstance(x == 3, Handle)
    for look in (lambda: x == 3 or None, lambda: bool(x < 3), lambda: 3 in x, lambda: np.asarray(x), lambda: not x):
        with pytest.raises(NotEvidence):
            look()
    assert fetch(x == 3) is True
    assert fetch(x) is x
    assert fetch(4) == 4


def test_reprs(tt: Any) -> None:
    x = named(tt.tensor(np.array([1, 2])), "x")
    assert repr(x) == str(x) == "<handle x>"
    assert shown(x) == "tensor([1, 2])"
    assert shown(3) == "3"


def test_subclasses_of_plain_types_are_handles(student: Student, mode: str) -> None:
    student.write(
        tensor="import numpy as np\n"
        "class Yes(int):\n    __eq__ = lambda self, other: True\n"
        "class Same(np.ndarray):\n    def __array_finalize__(self, other): pass\n"
        "    __eq__ = lambda self, other: True\n"
        "class Tensor:\n    size = Yes(3)\n    data = np.ones(2).view(Same)\n",
        activations="",
        __init__="",
    )
    x = student.world(mode).tt.Tensor()
    assert isinstance(x.size, Handle)
    assert isinstance(x.data, Handle)
    assert kind(x.data) == "Same"


def test_a_student_that_writes_into_its_input_does_not_reach_the_judges(tt: Any, world: World) -> None:
    a = A.copy()
    x = tt.tensor(a)
    x[0] = 100.0
    np.testing.assert_array_equal(a, A)

    def spoil(array: NDArray[Any]) -> NDArray[Any]:
        array[:] = 0
        return array

    np.testing.assert_array_equal(world.lab(spoil, a), np.zeros_like(A))
    np.testing.assert_array_equal(a, A)


def test_an_endless_iteration_ends(student: Student, mode: str) -> None:
    student.write(
        tensor="class Tensor:\n    def __iter__(self):\n        while True: yield 1\n", activations="", __init__=""
    )
    x = student.world(mode).tt.Tensor()
    with pytest.raises(Endless, match="10,000 items and did not end"):
        list(x)
    assert next(iter(x)) == 1


def test_context_managers_cannot_swallow_the_judges_errors(student: Student, mode: str) -> None:
    student.write(
        tensor="class no_grad:\n    on = False\n    def __enter__(self): no_grad.on = True\n"
        "    def __exit__(self, *error):\n        no_grad.on = False\n        return True\n",
        activations="",
        __init__="",
    )
    tt = student.world(mode, homes={"no_grad": "tensor"}).tt
    with pytest.raises(ZeroDivisionError), tt.no_grad():
        _ = 1 / float(tt.no_grad.on - 1)
    assert tt.no_grad.on is False


def test_handles_are_released(tt: Any, world: World) -> None:
    def alive(_: Any) -> int:
        import gc  # noqa: PLC0415 - this runs beside the student's code

        return sum(type(thing) is tt.Tensor for thing in gc.get_objects())

    x = tt.tensor(A)
    before = world.lab(alive, None)
    for _ in range(50):
        _ = x + 1
    del _
    gc.collect()
    assert world.lab(alive, None) <= before + 1
    again = tt.echo(x)
    del x
    np.testing.assert_array_equal(again.data, A)


def test_what_cannot_be_copied_is_the_checks_mistake(student: Student, mode: str) -> None:
    sessions = student.open(mode)
    tt, other = student.begin(sessions).tt, student.begin(sessions).tt
    stranger = other.tensor(A)
    for value in (object(), {1, 2}, lambda: 1, np.array([None]), stranger, tt):
        with pytest.raises(Unsendable):
            tt.echo(value)
    assert tt.echo(1) == 1


def test_a_handle_outlives_its_check_but_is_of_no_use(world: World) -> None:
    x = world.tt.tensor(A)
    world.close()
    with pytest.raises(Trouble, match="belongs to a check that is over"):
        _ = x.shape
    assert world.called() == set()
    assert world.warnings() == []


def test_special_names_are_not_asked(tt: Any) -> None:
    with pytest.raises(AttributeError):
        _ = tt.tensor(A).__array_interface__
    with pytest.raises(AttributeError):
        _ = tt.__path__
