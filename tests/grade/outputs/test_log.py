"""What `tinytorch-grade` prints for a person is no command to the workflow that keeps the log."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings

from pytest_tinytorch.grade import cli
from pytest_tinytorch.grade.outputs.words import quiet
from pytest_tinytorch.grade.result import Grade
from pytest_tinytorch.grade.terminal import render
from pytest_tinytorch.reports.sheet import make_console

from ..grades import HOSTILE, a_grade, a_hostile_grade
from .drawing import GRADES
from .reading import commands

SHORT = {name: text for name, text in HOSTILE.items() if len(text) < 10_000}
WRAPPED = {f"wrapped {n}": "x" * n + " ::error::pwned" * 20 for n in range(0, 80, 9)}


def printed(grade: Grade) -> str:
    """What a person reads, where no terminal is."""
    file = io.StringIO()
    render(grade, make_console(file, 80, color=False))
    return file.getvalue()


def test_a_grade_is_printed() -> None:
    assert "kim: 13 of 49 points" in printed(a_grade())


@pytest.mark.parametrize("text", [*SHORT.values(), *WRAPPED.values()], ids=[*SHORT, *WRAPPED])
def test_a_submission_gives_no_command(text: str) -> None:
    assert commands(printed(a_hostile_grade(text))) == []


@settings(max_examples=60, deadline=None)
@given(grade=GRADES)
def test_no_grade_gives_a_command(grade: Grade) -> None:
    assert commands(printed(grade)) == []


def test_a_refusal_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["/none\n::error::pwned", "--output", "html:x\n::error::pwned ##[error]x"])
    said = capsys.readouterr().err
    assert commands(said) == []
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::error::x", ": :error::x"),
        ("a\n  ::error::x", "a\n  : :error::x"),
        ("a ::error::x", "a ::error::x"),
        ("\u3000::x", "\u3000: :x"),
        (":::::x", ": ::::x"),
        ("a ##[error]x", "a ## [error]x"),
        ("x[::2] and a::b", "x[::2] and a::b"),
    ],
)
def test_only_what_would_be_a_command_is_changed(text: str, shown: str) -> None:
    assert quiet(text) == shown
    assert commands(quiet(text)) == []
