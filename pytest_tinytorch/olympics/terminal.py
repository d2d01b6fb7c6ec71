"""The leaderboard on a terminal: a table for each event, and everybody in one plot of faster against smaller."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.text import Text

from ..reports.sheet import NARROW, Sheet, indented
from ..reports.text import count, encodes, sentence
from .board import milliseconds, percent, times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from .board import Board, Place, Ranking

WIDEST_NAME = 20  # cells of a name in a table
HIGH, WIDE = 12, 52  # of the plot's field
NOTE = (
    "An entry is a claim. Its gains follow from its numbers, and its numbers are what a file says: "
    "the proof is a graded run of the milestone."
)
LETTERED = "Letters: nobody is at least as good in faster, smaller and right."
HEADS = {"latency": "faster", "memory": "smaller", "accuracy": "right", "extreme": "product"}


def render(board: Board, *, console: Console) -> None:
    """Print the board."""
    sheet = Sheet(console)
    sheet.section(sheet.paragraph(sheet.text("Torch Olympics", "bold") + sheet.text(f"   {_found(board)}"), 0, 3))
    for ranking in board.rankings:
        sheet.section(_ranking(sheet, ranking))
    sheet.section(_plot(sheet, board))
    sheet.section(_refused(sheet, board))
    if board.entries:
        sheet.section(sheet.paragraph(sheet.text(NOTE, "dim"), 0))
    sheet.print()


def _found(board: Board) -> str:
    counted = count(len(board.entries), "entry").replace("entrys", "entries")
    return f"{counted} in {board.folder}"


def _ranking(sheet: Sheet, ranking: Ranking) -> list[Text]:
    heads, rows = table(ranking)
    head = sheet.text(ranking.event.capitalize(), "bold") + sheet.text(f"   ranked by {ranking.rule}", "dim")
    names = [_cut(sheet, row[1]) for row in rows]
    return [
        *sheet.paragraph(head, 0, 3),
        *sheet.table(heads, [(row[0], name, *row[2:]) for row, name in zip(rows, names, strict=True)]),
    ]


def table(ranking: Ranking) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Heads and rows: rank, name, what counts, and then everything else that was measured."""
    others = [head for head in ("faster", "smaller", "right") if head != HEADS[ranking.event]]
    heads = ("", "", HEADS[ranking.event], *others, "one answer")
    return heads, [_row(place, others) for place in ranking.places]


def _row(place: Place, others: Sequence[str]) -> tuple[str, ...]:
    entry = place.entry
    cells = {
        "faster": times(entry.speedup),
        "smaller": times(entry.smaller),
        "right": percent(entry.accuracy_after),
    }
    seconds = milliseconds(entry.seconds_after.median)
    return (str(place.rank), entry.name, place.figure, *(cells[head] for head in others), seconds)


def _cut(sheet: Sheet, name: str) -> str:
    return sheet.crop(sheet.text(name), max(sheet.width - WIDEST_NAME, 0)).plain


def _refused(sheet: Sheet, board: Board) -> list[Text]:
    if not board.refused:
        return []
    lines = [sheet.text(sentence(f"{_files(len(board.refused))} refused"), "bold")]
    for told in board.refused:
        lines += sheet.paragraph(sheet.text(f"{sheet.glyphs.failed} {told}"), 2, 4)
    return lines


def _files(number: int) -> str:
    return f"{count(number, 'file')} {'was' if number == 1 else 'were'}"


# ---- the plot -------------------------------------------------------------------------------------------------


def _plot(sheet: Sheet, board: Board) -> list[Text]:
    """Everybody as a dot, faster upwards, smaller to the right; who is on the front is a letter."""
    if len(board.entries) < 2:
        return []
    wide = min(WIDE, sheet.width - 2 * 6 - (6 if sheet.width >= NARROW else 0))
    lines = [sheet.text("Faster against smaller", "bold")]
    field = drawn(board, wide, "·" if encodes("·", sheet.console.encoding) else ".")
    lines += [indented(sheet.crop(sheet.text(line), sheet.margin), sheet.margin) for line in field]
    lines += sheet.paragraph(
        sheet.text("Letters: nobody is at least as good in faster, smaller and right."), sheet.margin
    )
    for letter, entry in board.lettered:
        gains = f"{times(entry.speedup)} faster, {times(entry.smaller)} smaller, {percent(entry.accuracy_after)}"
        told = sheet.text(f"{letter}  {_cut(sheet, entry.name)}, {entry.event}: {gains}")
        lines += sheet.paragraph(told, sheet.margin, sheet.margin + 3)
    return lines


def drawn(board: Board, wide: int, dot: str) -> list[str]:
    """The field with its axes; both are logarithmic."""
    across, up = Axis.of([e.smaller for e in board.entries]), Axis.of([e.speedup for e in board.entries])
    cells = [[" "] * wide for _ in range(HIGH)]
    for letter, entry in [*((dot, e) for e in board.entries), *reversed(board.lettered)]:
        cells[HIGH - 1 - up.place(entry.speedup, HIGH)][across.place(entry.smaller, wide)] = letter
    top, bottom = times(up.high), times(up.low)
    beside = max(len(top), len(bottom))
    labels = [top, *[""] * (HIGH - 2), bottom]
    left, right = times(across.low), f"{times(across.high)} smaller"
    return [
        f"{'faster':>{beside}}",
        *(f"{label:>{beside}} |{''.join(row)}".rstrip() for label, row in zip(labels, cells, strict=True)),
        f"{'':>{beside}} +{'-' * wide}",
        f"{'':>{beside}}  {left}{right:>{max(wide - len(left), len(right) + 1)}}",
    ]


class Axis:
    """A logarithmic axis from the least to the largest of some numbers above 0."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high

    @classmethod
    def of(cls, numbers: Sequence[float]) -> Axis:
        """The axis on which all of them have a place."""
        return cls(min(numbers), max(numbers))

    def share(self, number: float) -> float:
        """How far along the axis a number is, from 0 to 1; in the middle where the axis has one place.

        >>> Axis(1, 100).share(10), Axis(2, 2).share(2)
        (0.5, 0.5)
        """
        length = math.log(self.high / self.low)
        return math.log(number / self.low) / length if length > 1e-9 else 0.5

    def place(self, number: float, places: int) -> int:
        """Which of so many places is a number's."""
        return min(round(self.share(number) * (places - 1)), places - 1)
