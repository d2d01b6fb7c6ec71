"""The picture of the course: every module and milestone once, nothing upon anything else, and how far one has come."""

from __future__ import annotations

import re
from itertools import combinations
from xml.etree import ElementTree

import pytest

from pytest_tinytorch.course import ACTS, MILESTONES, MODULES, TRACKS
from pytest_tinytorch.outcome import Run, State, Status
from pytest_tinytorch.reports import html
from pytest_tinytorch.reports.journey import BOX, figure, picture, places

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return [text.text or "" for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314  # our own picture


def test_everything_is_drawn_once() -> None:
    drawn = texts(figure())
    for label in (*(module.label for module in MODULES), *(milestone.label for milestone in MILESTONES), *ACTS):
        assert drawn.count(label) == 1, label


def test_an_arrow_for_each_nearest_need() -> None:
    assert figure().count('class="arrow"') == sum(len(module.nearest) for module in MODULES)


def test_nothing_lies_upon_anything_else() -> None:
    for one, other in combinations(places().values(), 2):
        apart = abs(one.x - other.x) >= BOX or one.low < other.y or other.low < one.y
        assert apart, (one, other)


def test_needs_stand_above() -> None:
    spots = places()
    for module in MODULES:
        assert all(spots[below.number].low < spots[module.number].y for below in module.needs)


def test_the_file_brings_its_colours() -> None:
    svg = picture()
    used, given = (set(re.findall(pattern, svg)) for pattern in (r"var\((--\w+)\)", r"(--\w+):"))
    assert used <= given
    ElementTree.fromstring(svg)  # noqa: S314  # our own picture


def classes(page: str) -> dict[str, str]:
    svg = page[page.index("<svg class") : page.index("</svg>") + len("</svg>")]
    found = {}
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):  # noqa: S314  # our own picture
        label = next(text.text for text in group.iter(f"{SVG}text"))
        found[label or ""] = group.get("class", "")
    return found


@pytest.fixture
def found() -> dict[str, str]:
    run = Run(track=TRACKS["optimization"], states={14: State(status=Status.PROVED)}, reached={6: "2026-01-01"})
    return classes(html.render(run))


def test_the_page_shows_how_far_one_has_come(found: dict[str, str]) -> None:
    assert found["14 profiling"] == "done"
    assert found["15 quantization"] == "here"
    assert found["16 compression"] == ""
    assert found["01 tensor"] == "given"
    assert found["2024 Torch Olympics"] == "milestone done"


def test_the_page_shows_what_is_not_in_the_track(found: dict[str, str]) -> None:
    assert found["1957 Perceptron"] == "milestone elsewhere"
    fast = classes(html.render(Run(track=TRACKS["fast"])))
    assert fast["10 tokenization"] == "elsewhere"
    assert fast["01 tensor"] == "here"
