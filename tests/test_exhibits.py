"""Exhibits are plain and bounded, whatever a student's code sent."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_tinytorch import exhibits
from pytest_tinytorch.exhibits import Bars, Curve, Line, Matrix, Passage, Picture, Pictures

RIGHT = np.array([0, 1, 2, 1])
EVERY = (
    Curve(title="c", across="epoch", lines=(Line(name="a", values=(1.0, 2.0)),), unit="%"),
    Matrix(title="m", down="was", across="taken for", names=("0", "1"), counts=((3, 0), (1, 2))),
    Pictures(title="p", pictures=(Picture(rows=("00ff", "8010"), caption="7"),)),
    Pictures(title="q", pictures=(Picture(rows=("00ff80", "80107f"), coloured=True),)),
    Bars(title="b", names=("0", "1"), shares=(0.25, 0.75)),
    Passage(title="t", lines=("who are you?", "", "  a small model")),
)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
ANYTHING = st.one_of(
    st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner)),
    st.sampled_from([np.zeros(0), np.zeros((3, 0, 2)), np.array(5), np.full((2, 4), np.nan), np.array([1 + 2j])]),
    st.sampled_from(
        [np.full((2, 3, 1, 2), np.inf), np.zeros((2, 1, 3, 3)), np.zeros((1, 2, 3, 3)), np.full((4,), np.nan)]
    ),
    st.lists(st.floats(), max_size=6).map(np.array),
    st.lists(st.integers(-3, 12), min_size=4, max_size=4).map(np.array),
)


@pytest.mark.parametrize("exhibit", EVERY, ids=lambda each: each.title)
def test_they_come_back_from_json(exhibit: exhibits.Exhibit) -> None:
    assert exhibits.from_dict(json.loads(json.dumps(exhibits.as_dict(exhibit)))) == exhibit


@settings(max_examples=150, deadline=None)
@given(said=ANYTHING)
def test_whatever_was_sent_makes_an_exhibit_that_can_be_drawn_or_none(said: Any) -> None:
    for shown in (
        *exhibits.curve("t", "step", {"a": said, "b": [1, 2]}),
        *exhibits.confusion("t", said, RIGHT, ["0", "1", "2"]),
        *exhibits.examples("t", np.zeros((4, 2, 2)), said, RIGHT, 1),
        *exhibits.examples("t", np.zeros((4, 3, 2, 2)), said, RIGHT, 1, names=["a", "b", "c"]),
        *exhibits.filters("t", said),
        *exhibits.bars("t", ["0", "1"], said),
        *exhibits.reading(np.zeros((2, 2)), said, ["0", "1"], 1),
    ):
        text = json.dumps(exhibits.as_dict(shown), allow_nan=False)
        assert exhibits.from_dict(json.loads(text)) == shown


def test_a_curve_ends_where_its_numbers_do_and_is_thinned() -> None:
    (found,) = exhibits.curve("t", "step", {"a": [3.0, 2.0, math.nan, 1.0], "b": list(range(5000)), "c": ["no"]})
    a, b = found.lines
    assert a.values == (3.0, 2.0)
    assert len(b.values) == exhibits.MOST_STEPS
    assert (b.values[0], b.values[-1]) == (0, 4999)


def test_infinite_numbers_are_large_ones() -> None:
    (found,) = exhibits.curve("t", "step", {"a": [math.inf, -math.inf]})
    assert found.lines[0].values == (exhibits.LARGEST, -exhibits.LARGEST)


def test_confusion_counts_what_was_taken_for_what() -> None:
    (found,) = exhibits.confusion("t", np.array([0, 1, 1, 7]), RIGHT, ["0", "1", "2"])
    assert found.counts == ((1, 0, 0), (0, 1, 0), (0, 1, 0))  # the 7 is no class


def test_half_of_the_examples_are_mistakes() -> None:
    said = np.array([0, 1, 2, 0, 1, 2, 0, 1])
    answers = np.array([0, 1, 2, 0, 1, 1, 1, 1])
    (found,) = exhibits.examples("t", np.arange(8 * 4).reshape(8, 2, 2), said, answers, 31)
    captions = [picture.caption for picture in found.pictures]
    assert captions == ["0, read as 0", "1, read as 1", "1, read as 2", "1, read as 0"]


def test_pictures_are_grey_and_no_larger_than_they_need_to_be() -> None:
    (found,) = exhibits.pictures("t", np.full((1, 900, 900), 8.0), ["x"], ink=16)
    pixels = found.pictures[0].pixels
    assert (len(pixels), len(pixels[0])) == (exhibits.MOST_PIXELS, exhibits.MOST_PIXELS)
    assert {value for row in pixels for value in row} == {128}


def test_coloured_pictures_keep_their_colours() -> None:
    photo = np.array([[[255, 0]], [[0, 128]], [[0, 255]]], np.uint8)  # red, green and blue of one row of two pixels
    (found,) = exhibits.pictures("t", photo[None], ["x"], ink=255)
    assert found.pictures == (Picture(rows=("ff00000080ff",), caption="x", coloured=True),)
    assert found.pictures[0].pixels == [[76, 104]]


@pytest.mark.parametrize("shape", [(2, 2, 4, 4), (2, 4, 4, 4), (4, 4), (1, 1, 3, 4, 4), (0, 3, 4, 4)])
def test_other_shapes_are_no_pictures(shape: tuple[int, ...]) -> None:
    assert exhibits.pictures("t", np.zeros(shape), ["x"] * 4, ink=1) == []


def test_filters_are_stretched_each_by_itself() -> None:
    weights = np.array([[[[-1.0, 0.0], [1.0, 3.0]]], [[[0.5, 0.5], [0.5, 0.5]]]], np.float32)
    (found,) = exhibits.filters("t", weights)
    assert [picture.pixels for picture in found.pictures] == [[[0, 64], [128, 255]], [[0, 0], [0, 0]]]
    (few,) = exhibits.filters("t", np.random.default_rng(0).normal(size=(40, 3, 3, 3)))
    assert (len(few.pictures), few.pictures[0].coloured) == (16, True)


def test_examples_of_things_with_names() -> None:
    said = np.array([0, 1, 9, 1])
    (found,) = exhibits.examples("t", np.zeros((4, 3, 2, 2)), said, RIGHT, 1, names=["cat", "dog", "frog"])
    assert [picture.caption for picture in found.pictures] == ["cat", "dog", "dog", "frog, not 9"]


@pytest.mark.parametrize("shares", [[0.5], [0.5, 0.5, 0.0], [2.0, -1.0], [math.nan, 0.5], "ab", None])
def test_what_is_no_share_for_each_name_makes_no_bars(shares: object) -> None:
    assert exhibits.bars("t", ["0", "1"], shares) == []


def test_without_a_picture_there_is_no_reading() -> None:
    assert exhibits.reading(None, [0.5, 0.5], ["0", "1"], 1) == []
    seen, read = exhibits.reading(np.ones((2, 2)), np.array([0.25, 0.75], np.float32), ["0", "1"], 1)
    assert isinstance(seen, Pictures)
    assert read.title == "It reads your digit as 1, with 75.0 %"


def test_a_passage_is_as_long_as_can_be_read() -> None:
    assert exhibits.passage("t", "\n\n") == exhibits.passage("t", "") == []
    (found,) = exhibits.passage("t", "\na \n" + "b" * 10_000 + "\n" * 500 + "c")
    assert found.lines[:2] == ("a", "b" * exhibits.MOST_SIGNS)
    assert len(found.lines) == exhibits.MOST_LINES
