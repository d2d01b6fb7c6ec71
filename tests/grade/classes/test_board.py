"""How a run is shown: a table that fits a terminal, plain lines for a file, and nothing of a name obeyed."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from pytest_tinytorch.grade.classes.board import LineBoard, LiveBoard, board

HOSTILE = "\x1b]0;owned\x07\u202e[red]x[/red]\n" + "y" * 200


def console(*, terminal: bool, encoding: str = "utf-8") -> tuple[Console, io.BytesIO]:
    """A console of 80 columns, and what it wrote."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, write_through=True)
    term = {"TERM": "xterm"} if terminal else {}
    return Console(file=file, width=80, force_terminal=terminal, markup=False, emoji=False, _environ=term), raw


def grade(score: int, trouble: str = "") -> dict[str, object]:
    """As much of a grade as a board looks at."""
    return {"score": score, "max_score": 1658, "trouble": trouble}


def test_a_file_gets_a_line_for_each_grade() -> None:
    shown, raw = console(terminal=False)
    with board(shown) as lines:
        assert type(lines) is LineBoard
        lines.phase("reading", 2)
        lines.begun("ann")
        lines.ended("ann")
        lines.phase("grading", 12)
        lines.begun("ann")
        lines.ended("ann", grade(310))
        lines.ended("bob", grade(0, "there is nothing\nto grade"))
    assert raw.getvalue().decode().splitlines() == [
        "reading: 2",
        "grading: 12",
        " 1/12  ann  310 of 1658  0 s",
        " 2/12  bob  0 of 1658  there is nothing to grade  0 s",
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii"])
def test_a_terminal_gets_a_table_of_eighty_columns(encoding: str) -> None:
    shown, raw = console(terminal=True, encoding=encoding)
    with board(shown) as table:
        assert type(table) is LiveBoard
        table.phase("grading", 300)
        for n in range(12):
            table.begun(f"student {n} " + "x" * 90)
        for n in range(9):
            table.ended(f"student {n} " + "x" * 90, grade(n, "out of time" if n == 8 else ""))
        drawn = shown.render_lines(table._drawn(), pad=False)
    lines = ["".join(segment.text for segment in line) for line in drawn]
    assert lines[0].startswith("grading: 9 of 300")
    assert len(lines) == 1 + 8 + 3
    assert all(len(line) <= 80 for line in lines)
    assert raw.getvalue().decode(encoding)


@pytest.mark.parametrize("terminal", [True, False])
def test_a_name_is_shown_and_not_obeyed(terminal: bool) -> None:
    shown, raw = console(terminal=terminal)
    with board(shown) as told:
        told.phase("grading", 1)
        told.begun(HOSTILE)
        told.ended(HOSTILE, grade(1, HOSTILE))
    written = raw.getvalue().decode()
    assert "\x1b]0" not in written
    assert "\u202e" not in written
    assert "[red]x" in written or terminal
