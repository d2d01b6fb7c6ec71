"""A panel as lines of text, at most 22 of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from .panels import COMMANDS, shown_trace
from .sheet import PROSE, WIDEST, indented

if TYPE_CHECKING:
    from ..outcome import Place
    from .panels import Panel
    from .sheet import Sheet

PANEL_LINES = 22
FURTHER = {"Later", "The idea", "Read"}  # pointers that go first where room is short

STYLES = {
    "PASS": "bold green",
    "FAIL": "bold red",
    "CRASH": "bold red",
    "STUCK": "bold red",
    "TODO": "bold magenta",
    "WAIT": "bold",
    "BROKEN": "bold magenta",
    "HINT": "bold magenta",
    "expected": "green",
    "yours": "red",
    "raised": "red",
    "got": "red",
}


@dataclass(frozen=True, slots=True)
class Room:
    """How many lines the parts of a panel may take: the definitions with the call, each block, a sentence."""

    call: int
    rows: int
    words: int


ROOMS = (
    Room(12, 12, 12),
    Room(8, 8, 12),
    Room(6, 6, 12),
    Room(4, 5, 8),
    Room(3, 4, 8),
    Room(2, 4, 6),
    Room(2, 3, 6),
    Room(1, 3, 5),
    Room(1, 2, 5),
    Room(1, 1, 3),
)


def panel_lines(sheet: Sheet, shown: Panel) -> list[Text]:
    """A panel, with its blocks cut until it holds in 22 lines; a narrower console has more of them."""
    parts: list[list[Text]] = []
    for room in ROOMS:
        parts = _parts(sheet, shown, room)
        lines = [line for part in parts if part for line in (Text(), *part)][1:]
        if len(lines) <= PANEL_LINES * PROSE // min(sheet.width, PROSE):
            return lines
    return [line for part in parts for line in part]


def terse_lines(sheet: Sheet, shown: Panel) -> list[Text]:
    """What a reader needs who knows the panels: the claim, where, expected and yours."""
    return [*_head(sheet, shown, 4), *_compared(sheet, shown, 4)]


def _parts(sheet: Sheet, shown: Panel, room: Room) -> list[list[Text]]:
    return [
        _head(sheet, shown, room.words),
        _call(sheet, shown, room.call),
        _compared(sheet, shown, room.rows),
        _trace(sheet, shown, (room.rows + 1) // 2),
        _prose(sheet, shown.prose, room.words),
        _prose(sheet, shown.mistake, room.words, label="Likely mistake: "),
        _pointers(sheet, shown, room.rows),
    ]


def _head(sheet: Sheet, shown: Panel, most: int) -> list[Text]:
    label = sheet.text(f"{shown.label:<5} ", STYLES.get(shown.label, "bold"))
    title = _cut(sheet, sheet.paragraph(label + sheet.text(shown.title, "bold"), 0, sheet.margin), min(4, most - 1))
    if not shown.place:
        return title
    source = _source(sheet, shown.trace[0]) if _is_at_hand(shown) else []
    return [*title, *_place(sheet, shown), *source]


def _is_at_hand(shown: Panel) -> bool:
    """Whether something was raised right at the place that the panel names, so that there is no way to show."""
    return len(shown.trace) == 1 and str(shown.trace[0]).startswith(shown.place)


def _place(sheet: Sheet, shown: Panel) -> list[Text]:
    place = sheet.text(shown.place)
    aside = sheet.text(shown.aside)
    together = place + Text("    ") + aside
    if together.cell_len <= min(sheet.width, PROSE) - sheet.margin:
        return [indented(together, sheet.margin)]
    return [indented(sheet.crop(part, sheet.margin), sheet.margin) for part in (place, aside) if part]


def _source(sheet: Sheet, place: Place) -> list[Text]:
    """The student's own line, a little deeper."""
    deeper = sheet.margin + 4
    return [indented(sheet.crop(sheet.text(place.text.strip(), "bold"), deeper), deeper)] if place.text.strip() else []


def _call(sheet: Sheet, shown: Panel, most: int) -> list[Text]:
    """The definitions and the call; the call goes last, and is the last to be cut."""
    if not shown.call:
        return []
    *given, call = [sheet.paragraph(sheet.text(line), sheet.margin, sheet.margin + 4, WIDEST) for line in shown.call]
    call = _cut(sheet, call, max(2, most))
    left = most - len(call)
    return [*_cut(sheet, [line for entry in given for line in entry], left), *call] if left > 0 else call


def _cut(sheet: Sheet, lines: list[Text], most: int) -> list[Text]:
    """At most so many lines; the last one then says how many are missing."""
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], sheet.more(len(lines) - most + 1, "more line")]


def _compared(sheet: Sheet, shown: Panel, rows: int) -> list[Text]:
    """Expected and yours below each other, and where they differ."""
    lines = []
    for label, block in shown.sides:
        lines += sheet.labelled(sheet.text(label, STYLES.get(label, "")), _block(sheet, block, rows))
    where = sheet.fill(sheet.text(shown.difference), sheet.beside) if shown.difference else []
    return lines + [indented(line, sheet.beside) for line in where[: min(rows, 3)]]


def _block(sheet: Sheet, block: str, rows: int) -> list[Text]:
    """Aligned rows are cut at the right edge; a single line is a sentence or a value, and wraps."""
    lines = [sheet.text(line) for line in block.rstrip().splitlines()]
    if len(lines) == 1:
        lines = sheet.fill(lines[0], sheet.beside)
    else:
        lines = [sheet.crop(line, sheet.beside) for line in lines]
    if len(lines) <= rows:
        return lines
    more = " " + sheet.glyphs.more
    last = lines[rows - 1]
    last.truncate(min(last.cell_len, sheet.width - sheet.beside - len(more)))
    return [*lines[: rows - 1], last + more]


def _trace(sheet: Sheet, shown: Panel, most: int) -> list[Text]:
    """The way through the student's own lines; the outermost are left out first."""
    if _is_at_hand(shown):
        return []
    places, cut = shown_trace(shown.trace, most)
    lines = [sheet.more(cut, "earlier call")] if cut else []
    for place, times in places:
        again = f"  ({times} times)" if times > 1 else ""
        lines.append(indented(sheet.crop(sheet.text(f"{place}{again}"), sheet.margin), sheet.margin))
        lines += _source(sheet, place)
    return lines


def _prose(sheet: Sheet, text: str, rows: int, *, label: str = "") -> list[Text]:
    if not text:
        return []
    return _cut(sheet, sheet.paragraph(sheet.text(label, "bold") + sheet.text(text), sheet.margin), rows)


def _pointers(sheet: Sheet, shown: Panel, rows: int) -> list[Text]:
    """What to try next; where room is short, the further reading goes first."""
    lines = []
    for label, value in shown.pointers:
        if rows <= 2 and label in FURTHER:
            continue
        if label in COMMANDS:
            value_lines = sheet.fill(sheet.text(value, "bold"), sheet.beside)
        else:
            value_lines = sheet.fill(sheet.text(value), sheet.beside)[:rows]
        lines += sheet.labelled(sheet.text(f"{label}:"), value_lines)
    return lines
