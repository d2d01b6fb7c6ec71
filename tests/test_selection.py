"""What the user types, and the checkpoints and milestones that it means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pytest_tinytorch import course
from pytest_tinytorch.catalog import Catalog
from pytest_tinytorch.selection import (
    Asked,
    SelectionError,
    modules_named,
    select_checkpoints,
    select_milestones,
)

COMPLETE = course.TRACKS["complete"]
BUILT = [module.number for module in course.CHECKPOINTS if module.built]


def asked(track: course.Track = COMPLETE, proved: set[int] = frozenset(), reached: set[int] = frozenset()) -> Asked:  # type: ignore[assignment]  # a frozenset is read only
    catalog = Catalog(checkpoints=course.CHECKPOINTS, milestones=course.MILESTONES, track=track)
    return Asked(catalog, is_proved=lambda m: m.number in proved, is_reached=lambda m: m.number in reached)


def numbers(spec: str, **how: set[int]) -> list[int]:
    modules, _ = select_checkpoints([spec], asked(**how))  # type: ignore[arg-type]  # only sets are passed
    return [module.number for module in modules]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("1", [1]),
        ("01", [1]),
        ("0", [0]),
        ("1-3", [1, 2, 3]),
        ("0 - 4", [0, 1, 2, 3, 4]),
        ("1,3", [1, 3]),
        ("3, 1,1", [1, 3]),
        ("activations", [2]),
        ("Activations", [2]),
        ("tensor,losses", [1, 4]),
        ("foundation", [1, 2, 3, 4, 5, 6, 7]),
        ("I", [1, 2, 3, 4]),
        ("act1", [1, 2, 3, 4]),
        ("act-1", [1, 2, 3, 4]),
        ("all", BUILT),
        ("next", [1]),
    ],
)
def test_names_checkpoints(spec: str, expected: list[int]) -> None:
    assert numbers(spec) == expected


def test_next_is_the_first_that_is_not_proved() -> None:
    assert numbers("next", proved={1, 2}) == [3]


def test_next_is_the_last_when_all_are_proved() -> None:
    assert numbers("next", proved=set(BUILT)) == BUILT[-1:]


@pytest.fixture
def early() -> Iterator[None]:
    """A version of the course that ends with module 13 and has not got the last milestone yet."""
    missing: list[tuple[Any, str, Any]] = [(module, "checks", module.checks) for module in course.CHECKPOINTS[14:]]
    missing += [(milestone, "script", milestone.script) for milestone in course.MILESTONES[5:]]
    for thing, name, _ in missing:
        object.__setattr__(thing, name, None)
    yield
    for thing, name, value in missing:
        object.__setattr__(thing, name, value)


@pytest.mark.usefixtures("early")
def test_a_range_leaves_out_what_is_not_built_and_says_so() -> None:
    modules, notes = select_checkpoints(["12-15"], asked())
    assert [m.number for m in modules] == [12, 13]
    assert notes == ["left out: 14 profiling, 15 quantization are not built yet"]


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("actviations", "there is no such checkpoint; the nearest is activations"),
        ("99", "checkpoints are numbered 0 to 20"),
        ("4-2", "checkpoints are numbered 0 to 20"),
        ("1-99", "checkpoints are numbered 0 to 20"),
        (",", "--checkpoint needs a value"),
        ("zzz", "there are all, next, environment"),
    ],
)
def test_refuses_what_names_nothing(spec: str, sentence: str) -> None:
    with pytest.raises(SelectionError, match=sentence.replace("(", r"\(")):
        numbers(spec)


@pytest.mark.parametrize(
    ("spec", "years"),
    [
        ("1", [1957]),
        ("1957", [1957]),
        ("perceptron", [1957]),
        ("Perceptron", [1957]),
        ("next", [1957]),
        ("mlp", [1986]),
        ("all", [milestone.year for milestone in course.MILESTONES if milestone.built]),
    ],
)
def test_names_milestones(spec: str, years: list[int]) -> None:
    assert [m.year for m in select_milestones([spec], asked())[0]] == years


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("percepton", "the nearest is perceptron"),
        ("1958", "there is no such milestone; the nearest is"),
    ],
)
def test_refuses_milestones_that_are_not_there(spec: str, sentence: str) -> None:
    with pytest.raises(SelectionError, match=sentence):
        select_milestones([spec], asked())


@pytest.mark.usefixtures("early")
@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("14", "--checkpoint 14: 14 profiling is not built yet; this version has 00 environment, 01 tensor"),
        ("memoization", "17 memoization is not built yet"),
    ],
)
def test_refuses_checkpoints_that_are_not_built(spec: str, sentence: str) -> None:
    with pytest.raises(SelectionError, match=sentence):
        numbers(spec)


@pytest.mark.usefixtures("early")
def test_refuses_milestones_that_are_not_built() -> None:
    with pytest.raises(SelectionError, match="2024 Torch Olympics is not built yet; this version has 1957 Perceptron"):
        select_milestones(["2024"], asked())


def test_modules_by_number_or_name() -> None:
    assert modules_named(["losses", "1"]) == (course.TENSOR, course.LOSSES)
    with pytest.raises(SelectionError, match="'loses' is no module; the nearest is losses"):
        modules_named(["loses"])
