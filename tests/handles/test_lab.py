"""Probes: what they may use, and what is refused before it is sent."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pytest_tinytorch.handles import Trouble, World, expression

HERE = 3


def test_a_probe_runs_beside_the_students_code(world: World) -> None:
    def double(x: Any, times: int = 2) -> Any:
        class Loud(tt.Tensor):  # type: ignore[name-defined,misc]  # noqa: F821 - tt is there when it runs
            def shape(self) -> str:
                return "loud"

        pairs = [(i, math.floor(i)) for i in range(2)]  # type: ignore[name-defined]  # noqa: F821 - and so is math
        return x * times, np.add(1, 2), type(x) is tt.Tensor, Loud([1]).shape(), pairs  # type: ignore[name-defined]  # noqa: F821

    x = world.tt.tensor(np.array([1.0, 2.0]))
    product, three, same, loud, pairs = world.lab(double, x, times=3)
    np.testing.assert_array_equal(product.data, [3, 6])
    assert expression(product) == "double(tensor([1., 2.]), times=3)[0]"
    assert (three, same, loud, pairs) == (np.int64(3), True, "loud", [(0, 0), (1, 1)])


def test_probes_that_could_give_away_a_verdict_are_refused(world: World) -> None:
    secret = 42

    def closure() -> int:
        return secret

    def from_the_module() -> int:
        return HERE

    def asserting(x: Any) -> None:
        assert x

    def nested() -> Any:
        def inner() -> Any:
            return HERE

        return inner()

    for probe in (closure, from_the_module, asserting, nested, lambda: 1, len, Trouble):
        with pytest.raises(Trouble, match="probe"):
            world.lab(probe)


def test_an_error_in_the_students_code_is_the_students(world: World) -> None:
    def wrong(x: Any) -> Any:
        return tt.softmax(x, dim=5)  # type: ignore[name-defined]  # noqa: F821 - tt is there when it runs

    with pytest.raises(IndexError) as caught:
        world.lab(wrong, world.tt.tensor(np.array([1.0])))
    frames = caught.value.remote.frames  # type: ignore[attr-defined]  # as every student's exception
    assert [frame.file for frame in frames] == ["tinytorch/activations.py"]
