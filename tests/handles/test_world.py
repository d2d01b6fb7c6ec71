"""What a world notes of the student's code, and that both modes note the same."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np
import pytest

from pytest_tinytorch.handles import Trouble, World, expression, fetch

from .conftest import Student

WARNS = """
import warnings
import numpy as np

def overflow():
    return np.exp(np.float32([1000.0]))

def mean():
    return np.mean([])

def deprecated():
    warnings.warn("old \\x1b[31m name", DeprecationWarning)

def strict():
    warnings.simplefilter("error")
    return overflow()

def many():
    for _ in range(1000): overflow()

def quiet():
    with np.errstate(all="ignore"): return overflow()
"""
NAMES = ("overflow", "mean", "deprecated", "strict", "many", "quiet")


@pytest.fixture
def warns(student: Student, mode: str) -> World:
    """A world of functions that warn."""
    student.write(tensor=WARNS, activations="", __init__="")
    return student.world(mode, homes=dict.fromkeys(NAMES, "tensor"))


def test_warnings_are_noted_with_the_students_line(warns: World) -> None:
    assert warns.tt.overflow() == np.inf
    assert warns.tt.overflow() == np.inf
    first, second = warns.warnings()
    assert first == second
    assert (first.category, first.file, first.line) == ("RuntimeWarning", "tinytorch/tensor.py", 6)
    assert "overflow" in first.text
    warns.tt.mean()
    assert warns.warnings()[2].line == 9
    warns.tt.deprecated()
    assert [w.category for w in warns.warnings()[2:]][-1] == "DeprecationWarning"


def test_warnings_change_no_verdict(warns: World) -> None:
    with pytest.raises(RuntimeWarning):
        warns.tt.strict()
    assert warns.tt.overflow() == np.inf
    assert warns.tt.quiet() == np.inf


def test_warnings_are_counted_up_to_a_number(warns: World) -> None:
    warns.tt.many()
    assert len(warns.warnings()) == 200


def test_the_judges_filters_do_not_matter_and_stay(warns: World) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        before = list(warnings.filters)
        assert warns.tt.overflow() == np.inf
        assert warnings.filters == before
    assert len(warns.warnings()) == 1


def test_calls_are_traced_when_asked_for(student: Student, mode: str) -> None:
    sessions = student.open(mode)
    world = student.begin(sessions, trace=True)
    x = world.tt.tensor(np.ones(2))
    world.tt.softmax(x)
    called = world.called()
    assert {("tinytorch/activations.py", 5), ("tinytorch/tensor.py", 5)} <= called
    assert {file for file, _ in called} <= {f"tinytorch/{name}.py" for name in ("__init__", "tensor", "activations")}
    other = student.begin(sessions, trace=True)
    other.tt.echo(1)
    assert ("tinytorch/activations.py", 5) not in other.called()
    assert student.begin(sessions, trace=False).called() == set()
    assert sys.getprofile() is None


def test_calls_on_threads_are_traced(student: Student, mode: str) -> None:
    student.write(
        tensor="import threading\ndef inner(): pass\ndef go():\n"
        "    t = threading.Thread(target=inner)\n    t.start()\n    t.join()\n",
        activations="",
        __init__="",
    )
    world = student.world(mode, trace=True, homes={"go": "tensor"})
    world.tt.go()
    assert ("tinytorch/tensor.py", 2) in world.called()


def test_called_after_an_error_is_known(student: Student, mode: str) -> None:
    world = student.world(mode, trace=True)
    with pytest.raises(IndexError):
        world.tt.softmax(world.tt.tensor(np.ones(1)), dim=4)
    assert ("tinytorch/activations.py", 5) in world.called()


def test_a_world_that_was_never_asked_starts_nothing(student: Student, mode: str) -> None:
    world = student.world(mode)
    assert world.called() == set()
    assert world.warnings() == []
    assert world.output() == ""
    world.close()
    with pytest.raises(Trouble):
        _ = world.tt.Tensor


def tour(tt: Any, world: World) -> list[Any]:
    """Much of what a check does, and what came of it."""
    seen: list[Any] = []

    def note(act: Any) -> None:
        try:
            value = act()
            seen.append((type(value).__name__, expression(value), str(fetch(getattr(value, "data", value)))))
        except Trouble as trouble:
            seen.append((type(trouble).__name__, str(trouble)))
        except Exception as error:  # noqa: BLE001 - whatever it is must be the same in both modes
            seen.append((type(error), getattr(error, "remote", None)))

    x = tt.tensor(np.array([[1, 2], [3, 4]], np.float32))
    for act in (
        lambda: tt.softmax(x, dim=1), lambda: tt.softmax(x, dim=5), lambda: tt.softmax(x, axis=5), lambda: x @ x,
        lambda: x @ np.ones(5), lambda: x == 3, lambda: bool(x), lambda: x[7], lambda: x["a"], lambda: x.nothing,
        lambda: tt.nothing, lambda: tt.echo(x) is x, lambda: list(x), lambda: len(x), lambda: float(x),
        lambda: tt.echo(2**20_000), lambda: x.max(dim=0)[1], lambda: "a" + x, lambda: x(3),
    ):  # fmt: skip
        note(act)
    seen += [world.warnings(), world.called()]
    return seen


def test_both_modes_see_the_same(student: Student) -> None:
    worlds = [student.world(mode, trace=True) for mode in ("loop", "isolated", "fresh")]
    loop, isolated, fresh = (tour(world.tt, world) for world in worlds)
    assert loop == isolated == fresh
