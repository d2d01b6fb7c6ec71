"""What is an entry and what is none, by the reader and by its published schema."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_tinytorch.olympics import EntryError, parse, schema
from pytest_tinytorch.olympics.entries import entry_of
from tests.conftest import REPOSITORY

from .conftest import changed, entry, record, seconds

jsonschema: Any = pytest.importorskip("jsonschema", reason="the schema is looked at with jsonschema")


@pytest.fixture(scope="module")
def capstone() -> Any:
    """The solution's own entries, of module 20."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(REPOSITORY / "solutions"))
        return importlib.import_module("tinytorch.capstone").OlympicsEntry


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("event", ["latency", "memory", "accuracy", "extreme"])
def test_a_fair_entry_is_read_by_the_reader_the_schema_and_the_course(event: str, capstone: Any) -> None:
    fair = record(event=event)
    jsonschema.validate(fair, schema())
    assert capstone.validate(fair) == [8.0, 4.0]
    found = parse(json.dumps(fair).encode())
    assert found.record() == fair
    assert parse(found.text().encode()) == found


def test_what_the_course_writes_is_read(capstone: Any, tmp_path: Path) -> None:
    measurement = importlib.import_module("tinytorch.benchmarking").Measurement
    capstone(
        name="ada",
        event="latency",
        seconds_before=measurement([2.0, 2.1, 1.9, 2.0, 2.2, 2.0]),
        seconds_after=measurement([0.5] * 6),
        bytes_before=400,
        bytes_after=100,
        accuracy_before=0.9,
        accuracy_after=0.89,
        seed=7,
    ).save(tmp_path / "ada.json")
    assert parse((tmp_path / "ada.json").read_bytes()).speedup == 4.0


WRONG: dict[str, tuple[str, Any, str]] = {
    "another version": ("schema", 2, "schema: 2 is not the version"),
    "true for 1": ("schema", True, "schema: true is not"),
    "no name": ("name", ..., "name: is missing"),
    "a blank name": ("name", "  ", 'name: "  " is no text'),
    "a name that is a number": ("name", 7, "name: 7 is no text"),
    "a name too long": ("name", "a" * 81, "name: "),
    "a name that colours the terminal": ("name", "\x1b[31mada", "name: "),
    "a name that turns the text round": ("name", "ada\u202e", "name: "),
    "no such event": ("event", "luck", 'event: "luck" is none of latency, memory, accuracy, extreme'),
    "a list of events": ("event", ["latency"], "event: "),
    "a seed below 0": ("seed", -1, "seed: -1 is not from 0"),
    "half a seed": ("seed", 0.5, "seed: 0.5 is no whole number"),
    "versions that are none": ("versions", [], "versions: [] is no object with python, numpy"),
    "a version too much": ("versions.torch", "2.8", 'versions."torch": no entry has such a field'),
    "a version that is none": ("versions.numpy", None, "versions.numpy: null is no text"),
    "a field too much": ("gold", 1, '"gold": no entry has such a field'),
    "no metrics": ("metrics", ..., "metrics: is missing"),
    "metrics that are a number": ("metrics", 3, "metrics: 3 is no object"),
    "a metric too few": ("metrics.bytes_after", ..., "metrics.bytes_after: is missing"),
    "no bytes": ("metrics.bytes_after", 0, "metrics.bytes_after: 0 is not from 1"),
    "half a byte": ("metrics.bytes_after", 250_000.5, "metrics.bytes_after: 250000.5 is no whole number"),
    "bytes beyond all memories": ("metrics.bytes_before", 10**16, "metrics.bytes_before: "),
    "more than all right": ("metrics.accuracy_before", 1.5, "metrics.accuracy_before: 1.5 is not from 0 to 1"),
    "true for accuracy": ("metrics.accuracy_after", True, "metrics.accuracy_after: true is no number"),
    "a text for accuracy": ("metrics.accuracy_after", "0.95", 'metrics.accuracy_after: "0.95" is no number'),
    "points lost": ("metrics.accuracy_after", 0.9, "metrics.accuracy_after: fell from 0.95 to 0.9"),
    "an invented speed-up": ("metrics.speedup", 80.0, "metrics.speedup: 80 does not follow from 0.4 s before"),
    "an invented size": ("metrics.smaller", 40.0, "metrics.smaller: 40 does not follow from 1000000 bytes before"),
    "a time that is a number": ("metrics.seconds_after", 0.05, "metrics.seconds_after: 0.05 is no object"),
    "a median outside": ("metrics.seconds_after.low", 0.06, "metrics.seconds_after.median: 0.05 does not lie"),
    "one repetition": ("metrics.seconds_after.repeats", 1, "metrics.seconds_after.repeats: 1 is not from 3"),
    "a time below 0": ("metrics.seconds_after.low", -1.0, "metrics.seconds_after.low: -1.0 is not from 0"),
    "no time at all": ("metrics.seconds_after", seconds(0.0), "metrics.seconds_after.median: 0 s is less"),
    "a time beyond all patience": ("metrics.seconds_before", seconds(1e300), "metrics.seconds_before.low: "),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_with_its_field(name: str) -> None:
    where, value, says = WRONG[name]
    with pytest.raises(EntryError) as found:
        parse(json.dumps(changed(where, value)).encode())
    assert str(found.value).startswith(says)
    assert "\n" not in str(found.value)
    assert len(str(found.value)) < 250


BEYOND_A_SCHEMA = {"points lost", "an invented speed-up", "an invented size", "a median outside", "a version too much"}


@pytest.mark.parametrize("name", [name for name in WRONG if "name that" not in name and name not in BEYOND_A_SCHEMA])
def test_the_schema_refuses_the_same(name: str) -> None:
    where, value, _ = WRONG[name]
    if isinstance(value, bool) and where == "schema":
        value = 2  # to a schema true is no 1 either, in every library but some
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(changed(where, value), schema())


TEXTS: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "the text is no JSON"),
    "no JSON": (b"{ada", "the text is no JSON"),
    "another encoding": ('{"name": "Zoë"}'.encode("latin-1"), "the text is not UTF-8, from byte 12 on"),
    "bytes": (bytes(range(256)), "the text is not UTF-8"),
    "a list": (b"[]", "[] is no object with schema, name"),
    "a number": (b"7", "7 is no object"),
    "no number": (json.dumps(changed("metrics.speedup", float("nan"))).encode(), "NaN: is no number that JSON has"),
    "infinity": (json.dumps(changed("metrics.speedup", float("inf"))).encode(), "Infinity: is no number"),
    "a float beyond all": (json.dumps(record()).replace("8.0", "1e999").encode(), "metrics.speedup: Infinity is not"),
    "a huge whole number": (b'{"seed": ' + b"9" * 5000 + b"}", "a whole number of 5000 digits"),
    "deep nesting": (b"[" * 30_000, "the text is no entry: it is nested too deeply"),
    "a name twice": (b'{"name": "ada", "name": "grace"}', '"name": stands twice'),
}


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_no_text_of_an_entry_is_said(name: str) -> None:
    content, says = TEXTS[name]
    with pytest.raises(EntryError) as found:
        parse(content)
    assert str(found.value).startswith(says)


def test_a_mark_of_the_encoding_in_front_is_read() -> None:
    assert parse(b"\xef\xbb\xbf" + json.dumps(record()).encode()) == entry()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
PLACES = sorted({where for where, _, _ in WRONG.values()})


@given(where=st.sampled_from(PLACES), value=JSON)
def test_whatever_stands_in_a_field_is_read_or_refused(where: str, value: Any) -> None:
    try:
        found = entry_of(changed(where, value))
    except EntryError:
        return
    jsonschema.validate(found.record(), schema())
    assert 0 < found.figure < 1e40
