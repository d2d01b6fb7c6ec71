"""The terminal's report, compared whole with the texts in `expected/`, and its promises on any console."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from pytest_tinytorch.course import TRACKS
from pytest_tinytorch.outcome import Claim, Finding, Outcome, Place, Result, Run, Status
from pytest_tinytorch.reports.panel_text import panel_lines
from pytest_tinytorch.reports.panels import panel
from pytest_tinytorch.reports.sheet import Sheet
from pytest_tinytorch.reports.terminal import make_console, render, render_milestone

from . import runs
from .runs import RUNS

BUILT = [module for module in TRACKS["complete"].modules if module.built]
EXPECTED = Path(__file__).with_name("expected")
CODES = re.compile(r"\x1b\[([0-9;]*)m")


def printed(run: Run, *, width: int = 80, color: bool = False, terse: bool = False, verbose: bool = False) -> str:
    out = io.StringIO()
    render(run, console=make_console(out, width, color=color), terse=terse, verbose=verbose)
    return out.getvalue()


def encoded(run: Run, encoding: str, *, width: int = 80) -> str:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding=encoding)
    render(run, console=make_console(out, width, color=False), terse=False)
    out.flush()
    return raw.getvalue().decode(encoding).replace("\r\n", "\n")


# ---- whole texts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RUNS)
def test_whole_report_at_80_columns(name: str) -> None:
    assert printed(RUNS[name]) == (EXPECTED / f"{name}.txt").read_text("utf-8")


def test_every_capability_is_there_at_80_columns() -> None:
    text = printed(runs.run(states={}, track=TRACKS["complete"]))
    for module in BUILT:
        assert module.capability.removeprefix("I can ") in text


@pytest.mark.parametrize("name", ["mix", "exhibits"])
def test_terse_report_keeps_claim_place_and_values(name: str) -> None:
    assert printed(RUNS[name], terse=True) == (EXPECTED / f"{name}, terse.txt").read_text("utf-8")


def test_expected_texts_belong_to_a_run() -> None:
    assert {p.stem for p in EXPECTED.glob("*.txt")} == {*RUNS, "mix, terse", "exhibits, terse"}


# ---- any console ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("terse", [False, True])
@pytest.mark.parametrize("width", [40, 60, 79, 80, 100, 200])
def test_every_line_fits_and_ends_without_blanks(name: str, width: int, terse: bool) -> None:
    lines = printed(RUNS[name], width=width, terse=terse).split("\n")
    assert max(map(cell_len, lines)) <= min(width, 100)
    assert [line for line in lines if line != line.rstrip()] == []
    assert not any(first == second == "" for first, second in pairwise(lines[:-1]))


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "latin-1", "utf-8"])
def test_every_report_goes_through_any_encoding(name: str, encoding: str) -> None:
    text = encoded(RUNS[name], encoding)
    assert max(map(len, text.split("\n"))) <= 80
    assert "\\u" not in text  # every sign of ours has a spelling


def test_signs_have_plain_forms() -> None:
    assert "  ✓ 01 tensor" in printed(RUNS["mix"])
    assert "  ▸ 02 activations" in printed(RUNS["mix"])
    assert "  + 01 tensor" in encoded(RUNS["mix"], "cp1252")
    assert "  > 02 activations" in encoded(RUNS["mix"], "cp1252")
    assert "***    2–3 h" in encoded(RUNS["mix"], "cp1252")
    assert "***    2-3 h" in encoded(RUNS["mix"], "ascii")


@pytest.mark.parametrize("name", RUNS)
def test_colours_are_the_named_ones_and_never_a_background(name: str) -> None:
    text = printed(RUNS[name], color=True)
    codes = {int(code) for match in CODES.findall(text) for code in match.split(";") if code}
    assert codes <= {0, 1, 2, *range(31, 37)}
    assert CODES.sub("", text) == printed(RUNS[name])


def test_no_escape_without_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    assert "\x1b" not in printed(RUNS["mix"])


def test_no_color_is_honoured_by_any_console(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    out = io.StringIO()
    render(RUNS["mix"], console=Console(file=out, width=80, force_terminal=True), terse=False)
    assert {c for m in CODES.findall(out.getvalue()) for c in m.split(";")} <= {"0", "1", "2"}
    assert CODES.sub("", out.getvalue()) == printed(RUNS["mix"])


# ---- the student's text -----------------------------------------------------------------------------------


def test_students_text_is_no_markup() -> None:
    nasty = "[bold]x[/bold] [/] :smile: [link=http://a]b[/link]"
    found = replace(runs.WRONG, finding=Finding(call=nasty, got=nasty, mistake=nasty), output=nasty)
    text = printed(runs.run(found), width=100)
    assert text.count(nasty) == 4


def test_control_characters_are_spelt_out() -> None:
    nasty = "a\x1b[2Jb\x07c\u202ed\u200be\x9bf\ud800g\th"
    found = replace(
        runs.CRASHED,
        claim=nasty,
        output=nasty,
        finding=Finding(
            call=nasty,
            given=(nasty,),
            expected=nasty,
            got=nasty,
            difference=nasty,
            mistake=nasty,
            smaller=nasty,
            trace=(Place(file=nasty, line=1, function=nasty, text=nasty),) * 2,
        ),
    )
    for color in (False, True):
        text = CODES.sub("", printed(runs.run(found, runs.WRONG), color=color))
        assert {c for c in text if not c.isprintable()} == {"\n"}
        assert r"a\x1b[2Jb\x07c\u202ed\u200be\x9bf\ud800g    h" in text


def test_a_value_that_is_too_wide_is_cut_not_wrapped() -> None:
    wide = "  ".join(["0.1234"] * 20)
    found = replace(runs.WRONG, finding=Finding(call="f()", expected=f"{wide}\n{wide}", got=f"{wide}\n{wide}"))
    lines = [line for line in printed(runs.run(found)).split("\n") if "0.1234" in line]
    assert len(lines) == 4
    assert all(len(line) == 80 and line.endswith("…") for line in lines)


def test_a_recursion_is_one_line() -> None:
    place = Place(file="tinytorch/tensor.py", line=7, function="f", text="return f()")
    found = Finding(call="f()", got="RecursionError: maximum recursion depth exceeded", trace=(place,) * 990)
    text = printed(runs.run(replace(runs.CRASHED, finding=found)))
    assert "tinytorch/tensor.py:7  f  (990 times)" in text


def test_outermost_calls_are_left_out() -> None:
    trace = tuple(Place(file="a.py", line=n, function=f"f{n}", text=f"f{n + 1}()") for n in range(20))
    text = printed(runs.run(replace(runs.CRASHED, finding=Finding(call="f0()", got="E", trace=trace))))
    assert "a.py:19  f19" in text
    assert "a.py:0  f0" not in text
    assert "earlier calls" in text


TEXTS = st.text(max_size=300)
PLACES = st.builds(Place, file=st.text(max_size=40), line=st.integers(0, 9999), function=TEXTS, text=TEXTS)
FINDINGS = st.builds(
    Finding,
    call=TEXTS,
    given=st.lists(TEXTS, max_size=6).map(tuple),
    expected=TEXTS,
    got=TEXTS,
    difference=TEXTS,
    mistake=TEXTS,
    smaller=TEXTS,
    trace=st.lists(PLACES, max_size=6).map(tuple),
)
LONG = "some words " * 200
LONGEST = Finding(
    call=LONG,
    given=(LONG, LONG),
    expected=f"{LONG}\n" * 9,
    got=LONG,
    difference=LONG,
    mistake=LONG,
    smaller=LONG,
    trace=tuple(Place(file="a.py", line=n, function="f", text=LONG) for n in range(9)),
)
OPEN = [runs.WRONG, runs.CRASHED, runs.STUCK, runs.BROKEN, runs.UNWRITTEN]


@settings(max_examples=150, deadline=None)
@example(finding=LONGEST, result=runs.WRONG, claim=LONG)
@example(finding=LONGEST, result=runs.CRASHED, claim="a claim")
@given(finding=FINDINGS, result=st.sampled_from(OPEN), claim=st.text(max_size=120))
def test_a_panel_never_exceeds_22_lines_of_80_columns(finding: Finding, result: Result, claim: str) -> None:
    run = runs.run(replace(result, finding=finding, claim=claim))
    sheet = Sheet(make_console(io.StringIO(), 80, color=False))
    lines = panel_lines(sheet, panel(run, run.results[0]))
    assert len(lines) <= 22
    assert max(line.cell_len for line in lines) <= 80


# ---- bounds and grouping ----------------------------------------------------------------------------------


def others(text: str) -> list[str]:
    return text.partition("Also open\n")[2].partition("\n\n")[0].split("\n")


def test_other_open_results_take_at_most_25_lines() -> None:
    many = [
        runs.result(Outcome.BLOCKED, f"claim {n}", number=n % 20, module=f"m{n % 20}", cause=f"tensor.f{n}")
        for n in range(300)
    ]
    lines = others(printed(runs.run(runs.WRONG, *many)))
    assert len(lines) <= 24
    assert lines[-1] == "… and 277 more open checks"


def test_many_failures_are_folded_by_exercise() -> None:
    many = [runs.result(Outcome.WRONG, f"claim {n}", exercise=f"f{n % 3}") for n in range(30)]
    lines = others(printed(runs.run(runs.WRONG, *many)))
    assert [line[:23] for line in lines] == [f"FAIL   02 f{n}: 10 checks" for n in range(3)]


def test_stubs_of_one_module_share_a_line() -> None:
    stubs = [
        runs.result(Outcome.UNWRITTEN, f"claim {n}", exercise=f"f{n}", cause=f"activations.f{n}") for n in range(30)
    ]
    lines = others(printed(runs.run(*stubs)))
    assert lines[0].startswith("TODO   02 activations: f1, f2, f3,")
    assert lines[-1].endswith("and f29 (29 checks)")


def test_claims_are_listed_when_they_are_few_or_asked_for() -> None:
    proved = runs.PROVED | {2: replace(runs.BEGUN, status=Status.PROVED)}
    few, many = (
        runs.run(*(runs.result(Outcome.PASSED, f"claim {n}") for n in range(count)), states=proved)
        for count in (12, 13)
    )
    assert "    claim 11\n" in printed(few)
    assert "    claim 11\n" not in printed(many)
    assert "✓ I can add nonlinearity.  (02 activations, 13 checks pass)" in printed(many)
    assert "    claim 11\n" in printed(many, verbose=True)


def test_milestone_alone() -> None:
    out = io.StringIO()
    missed = replace(runs.MISSED, claims=(Claim(what="a" * 90, required="1", reached="0", holds=False),))
    render_milestone(missed, console=make_console(out, 80, color=False))
    assert out.getvalue().startswith("✗ 1957 Perceptron: not reached, 1 of 1 claim missed\n")
    assert max(map(len, out.getvalue().split("\n"))) <= 80
