"""The leaderboard as a file to keep or to show: a page with tables and a plot, or the terminal's as a picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from ..reports.html import page, tag, text
from ..reports.html import table as html_table
from ..reports.svg import picture
from .board import Board, percent, times
from .terminal import NOTE, Axis, render, table

if TYPE_CHECKING:
    from .board import Ranking
    from .entries import Entry

TITLE = "Torch Olympics"
WIDE, HIGH = 600, 260  # of the plot's field
LEFT, TOP, BELOW = 72, 22, 34


def write_html(board: Board, path: Path) -> None:
    """Write the page."""
    path.write_text(page(TITLE, _body(board)), encoding="utf-8", errors="xmlcharrefreplace")


def write_svg(board: Board, path: Path) -> None:
    """Write the picture."""
    drawn = picture(lambda console: render(board, console=console), TITLE)
    path.write_text(drawn, encoding="utf-8", errors="backslashreplace")


FORMATS: Mapping[str, Callable[[Board, Path], None]] = MappingProxyType({".html": write_html, ".svg": write_svg})


def _body(board: Board) -> str:
    refused = "".join(tag("li", told) for told in board.refused)
    parts = [
        f"<header>\n<h1>{TITLE}</h1>\n{tag('p', NOTE)}\n</header>",
        *(_ranking(ranking) for ranking in board.rankings),
        _plot(board) if len(board.entries) > 1 else "",
        f"<section>\n<h2>Refused</h2>\n<ul>{refused}</ul>\n</section>" if refused else "",
    ]
    return "\n".join(part for part in parts if part)


def _ranking(ranking: Ranking) -> str:
    (_, _, *heads), rows = table(ranking)
    cells = [tuple(text(cell) for cell in row) for row in rows]
    caption = f"{ranking.event.capitalize()}: ranked by {ranking.rule}"
    return f"<section>\n{html_table(caption, ('', 'name', *heads), cells)}\n</section>"


def _plot(board: Board) -> str:
    """Everybody as a dot; who is on the front has a letter."""
    across, up = Axis.of([e.smaller for e in board.entries]), Axis.of([e.speedup for e in board.entries])
    dots = "".join(_dot(entry, across, up, "quiet") for entry in board.entries if entry not in board.front)
    letters = "".join(_dot(entry, across, up, letter) for letter, entry in reversed(board.lettered))
    rows = [
        (text(letter), text(entry.name), entry.event, times(entry.speedup), times(entry.smaller),
         percent(entry.accuracy_after))
        for letter, entry in board.lettered
    ]  # fmt: skip
    caption = "The front: nobody is at least as good in faster, smaller and right"
    named = html_table(caption, ("", "name", "event", "faster", "smaller", "right"), rows)
    label = text(f"{len(board.entries)} entries, of which {len(board.front)} are beaten by nobody")
    return (
        "<figure>\n<figcaption>Faster against smaller, both logarithmic</figcaption>\n"
        f'<svg class="curve" role="img" viewBox="0 0 {LEFT + WIDE + 24} {TOP + HIGH + BELOW}" aria-label="{label}">\n'
        f"{_axes(across, up)}{dots}{letters}\n</svg>\n</figure>\n{named}"
    )


def _axes(across: Axis, up: Axis) -> str:
    x, y, end = LEFT - 10, TOP + HIGH + 10, LEFT + WIDE
    return (
        f'<line class="rule" x1="{x}" y1="{TOP}" x2="{x}" y2="{y}"/>'
        f'<line class="rule" x1="{x}" y1="{y}" x2="{end}" y2="{y}"/>'
        f'<text x="{x - 6}" y="{TOP + 5}" text-anchor="end">{times(up.high)}</text>'
        f'<text x="{x - 6}" y="{TOP + HIGH + 5}" text-anchor="end">{times(up.low)}</text>'
        f'<text x="{x}" y="{TOP - 9}">faster ↑</text>'
        f'<text x="{LEFT}" y="{y + 18}">{times(across.low)}</text>'
        f'<text x="{end}" y="{y + 18}" text-anchor="end">{times(across.high)} smaller →</text>'
    )


def _dot(entry: Entry, across: Axis, up: Axis, letter: str) -> str:
    """A place in the plot, with its name for whoever points at it."""
    x, y = LEFT + WIDE * across.share(entry.smaller), TOP + HIGH * (1 - up.share(entry.speedup))
    quiet = letter == "quiet"
    sign = "" if quiet else f'<text x="{x + 7:.1f}" y="{y - 5:.1f}">{letter}</text>'
    told = text(f"{entry.name}, {entry.event}")
    kind = "line3" if quiet else "line1"
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="3"><title>{told}</title></circle>{sign}'
