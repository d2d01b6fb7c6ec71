"""Exhibits as text and as HTML: what is drawn is what the numbers say."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_tinytorch.exhibits import Bars, Curve, Line, Matrix, Passage, Picture, Pictures
from pytest_tinytorch.reports import html, markdown
from pytest_tinytorch.reports.drawing import drawn, number, stretched
from pytest_tinytorch.reports.figures import figure

from . import runs

if TYPE_CHECKING:
    from pytest_tinytorch.exhibits import Exhibit

NAMES = st.text(max_size=12)
VALUES = st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=200).map(tuple)
SHOWN = st.one_of(
    st.builds(
        Curve,
        title=NAMES,
        across=NAMES,
        lines=st.lists(st.builds(Line, name=NAMES, values=VALUES), min_size=1, max_size=5).map(tuple),
        unit=st.sampled_from(["", "%"]),
    ),
    st.builds(
        Bars,
        title=NAMES,
        names=st.just(("a", "bcd", "")),
        shares=st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)),
    ),
    st.builds(
        Pictures,
        title=NAMES,
        pictures=st.lists(
            st.builds(Picture, rows=st.just(("00ff10", "a0b0c0", "ffffff")), caption=NAMES, coloured=st.booleans()),
            min_size=1,
            max_size=9,
        ).map(tuple),
    ),
    st.builds(Passage, title=NAMES, lines=st.lists(st.text(max_size=60), min_size=1, max_size=5).map(tuple)),
)


def curve(*values: float, unit: str = "") -> Curve:
    return Curve(title="t", across="step", lines=(Line(name="a", values=values),), unit=unit)


# ---- text -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("encoding", "low", "high", "arrow"), [("utf-8", "▁", "█", "→"), ("cp1252", ".", "#", "->")])
def test_a_curve_rises_with_its_numbers(encoding: str, low: str, high: str, arrow: str) -> None:
    top = " " * 9 + high * 6
    assert drawn(curve(0, 1), 40, encoding) == [
        *[top] * 3,
        f"a  {low * 6}{high * 6}  0 {arrow} 1",
        "   step 1 to 2",
    ]


def test_a_picture_keeps_its_greys_and_shape() -> None:
    shown = Pictures(title="t", pictures=(Picture(rows=("00ff", "8040"), caption="c"),))
    assert drawn(shown, 40, "utf-8") == ["  ██", "▒▒░░", "c"]
    assert drawn(shown, 40, "ascii") == ["  @@", "++::", "c"]


def test_a_coloured_picture_is_grey_in_the_terminal() -> None:
    shown = Pictures(title="t", pictures=(Picture(rows=("000000ffffff", "ff00000000ff"), coloured=True),))
    assert drawn(shown, 40, "ascii") == ["  @@", "::.."]


def test_large_pictures_share_a_character_between_two_rows() -> None:
    shown = Pictures(title="t", pictures=(Picture(rows=("ff" * 14, "00" * 14, "ff" * 14, "ff" * 14)),))
    assert drawn(shown, 40, "utf-8") == ["▒" * 14, "█" * 14]


def test_pictures_stand_side_by_side_as_far_as_they_fit() -> None:
    few = Pictures(title="t", pictures=(Picture(rows=("ff",), caption="one"),) * 3)
    assert drawn(few, 9, "utf-8") == ["██    ██", "one   one", "", "██", "one"]


def test_a_table_of_mistakes_says_nothing_of_what_did_not_happen() -> None:
    shown = Matrix(title="t", down="was", across="taken for", names=("0", "1"), counts=((9, 0), (12, 7)))
    assert drawn(shown, 80, "ascii") == [
        "       taken for",
        "        0   1",
        "was 0   9   .",
        "was 1  12   7",
    ]


def test_a_table_of_mistakes_that_is_too_wide_has_shorter_names_above() -> None:
    names = ("automobile", "bird")
    shown = Matrix(title="t", down="was", across="taken for", names=names, counts=((900, 100), (12, 988)))
    assert drawn(shown, 28, "ascii") == [
        "                taken for",
        "               automo   bird",
        "was automobile    900    100",
        "was bird           12    988",
    ]


def test_bars_are_as_long_as_their_shares() -> None:
    lines = drawn(Bars(title="t", names=("0", "1"), shares=(0.25, 0.75)), 32, "cp1252")
    assert [line.count("#") for line in lines] == [5, 15]
    assert lines[1].endswith(" 75.0 %")


def test_long_lines_of_a_passage_go_on_in_the_next() -> None:
    assert drawn(Passage(title="t", lines=("", "abcdefgh", "ij")), 5, "ascii") == ["", "abcde", "fgh", "ij"]


def test_numbers_are_short() -> None:
    assert [number(n) for n in (0, 0.01234, 97.456, 1e12, 1e-7)] == ["0", "0.0123", "97.5", "1.0e+12", "1.0e-07"]


def test_a_long_line_is_thinned_and_a_short_one_stretched() -> None:
    assert stretched((1, 2), 40) == [1] * 6 + [2] * 6
    assert stretched(tuple(range(100)), 4) == [0, 33, 66, 99]


@settings(max_examples=150, deadline=None)
@given(shown=SHOWN, width=st.integers(20, 100), encoding=st.sampled_from(["utf-8", "cp1252"]))
def test_anything_can_be_drawn(shown: Exhibit, width: int, encoding: str) -> None:
    assert all(isinstance(line, str) for line in drawn(shown, width, encoding))
    ET.fromstring(f"<div>{figure(shown)}</div>")  # noqa: S314 -- our own output


# ---- HTML -----------------------------------------------------------------------------------------------------


def test_a_curve_s_points_are_its_numbers() -> None:
    source = figure(curve(1.0, 3.0, 2.0, unit="%"))
    points = re.findall(r'points="([^"]*)"', source)[0].split()
    heights = [float(point.split(",")[1]) for point in points]
    assert heights == [212.0, 12.0, 112.0]  # the highest number is at the top
    assert "t: a from 1 to 2 %" in source
    assert ">3 %</text>" in source


def test_a_picture_s_squares_are_its_ink() -> None:
    source = figure(Pictures(title="t", pictures=(Picture(rows=("00ffff", "ff0080"), caption="c"),)))
    assert '<path fill="#ffffff" d="M1 0h2v1h-2zM0 1h1v1h-1z"/>' in source
    assert '<path fill="#888888" d="M2 1h1v1h-1z"/>' in source
    assert 'viewBox="0 0 3 2"' in source


def test_a_coloured_picture_s_squares_are_its_colours() -> None:
    source = figure(Pictures(title="t", pictures=(Picture(rows=("ff0000ff0000", "000000007fff"), coloured=True),)))
    assert '<path fill="#0077ff" d="M1 1h1v1h-1z"/><path fill="#ff0000" d="M0 0h2v1h-2z"/>' in source
    assert 'viewBox="0 0 2 2"' in source


def test_a_table_of_mistakes_tells_right_from_wrong() -> None:
    source = figure(Matrix(title="t", down="was", across="taken for", names=("0", "1"), counts=((9, 0), (1, 7))))
    assert source.count('class="right"') == 2
    assert source.count('class="wrong"') == 1


def test_names_of_a_student_s_are_text() -> None:
    evil = "<script>alert(1)</script>"
    shown = (
        Curve(title=evil, across=evil, lines=(Line(name=evil, values=(1.0, 2.0)),), unit=evil),
        Matrix(title=evil, down=evil, across=evil, names=(evil,), counts=((1,),)),
        Pictures(title=evil, pictures=(Picture(rows=("00",), caption=evil),)),
        Bars(title=evil, names=(evil,), shares=(1.0,)),
        Passage(title=evil, lines=(evil,)),
    )
    for exhibit in shown:
        assert "<script" not in figure(exhibit)


# ---- many functions -------------------------------------------------------------------------------------------


def test_many_functions_that_ran_are_folded() -> None:
    many = replace(runs.EXHIBITED, ran=runs.REACHED.ran * 5)
    few = replace(runs.EXHIBITED, ran=runs.REACHED.ran)
    for render in (html.render, markdown.render):
        assert "<details" in render(runs.run(milestones=[many]))
        assert "<details" not in render(runs.run(milestones=[few], states={}))
