"""Lines of text that fit a console: its width, its encoding, its signs."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.text import Text

from .text import Glyphs, count, plain, spell

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PROSE = 80  # sentences end here at the latest, however wide the console is
WIDEST = 100  # and rows of numbers here
NARROW = 60  # below this, margins shrink
LABEL = 11  # "expected   ", "This one:  "


def make_console(file: TextIO, width: int, *, color: bool) -> Console:
    """A console on an open text file that does what it is told: no guesses from the environment."""
    return Console(
        file=file,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )


class Sheet:
    """The lines of one report, laid out for one console and then printed at once."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.width = max(20, min(console.width, WIDEST))
        self.margin = 6 if self.width >= NARROW else 2
        self.beside = self.margin + LABEL
        self.glyphs = Glyphs.of(console.encoding)
        self._lines: list[Text] = []

    def text(self, content: str, style: str = "") -> Text:
        """Text that is safe to print here, in one style."""
        return Text().append(spell(plain(content), self.console.encoding), style)  # a span: what follows keeps its own

    def sign(self, mark: str) -> str:
        """The sign of a mark in the map: done, here, or a blank."""
        return {"done": self.glyphs.done, "here": self.glyphs.here}.get(mark, " ")

    def section(self, lines: Iterable[Text]) -> None:
        """Add some lines, set off by a blank one from what is above."""
        found = list(lines)
        if found:
            self._lines += [Text(), *found] if self._lines else found

    def print(self) -> None:
        """Put everything on the console, without a blank at the end of any line."""
        for line in self._lines:
            line.rstrip()
            self.console.print(line, soft_wrap=True)

    def fill(self, text: Text, indent: int, widest: int = PROSE) -> list[Text]:
        """The text wrapped at words, so that each line fits when it is indented by so much."""
        room = max(8, min(self.width, widest) - indent)
        lines = text.split("\n", allow_blank=True)
        return [part for line in lines for part in line.wrap(self.console, room)]

    def paragraph(self, text: Text, indent: int, hanging: int | None = None, widest: int = PROSE) -> list[Text]:
        """The text wrapped and indented; all lines but the first by `hanging` where that is given."""
        lines = [indented(line, indent) for line in self.fill(text, indent, widest)]
        if hanging is None or len(lines) == 1:
            return lines
        rest = text[len(lines[0]) - indent :]
        rest = rest[len(rest.plain) - len(rest.plain.lstrip()) :]
        return [lines[0], *(indented(line, hanging) for line in self.fill(rest, hanging, widest))]

    def crop(self, text: Text, indent: int) -> Text:
        """One line, cut so that it fits when it is indented by so much."""
        room, more = self.width - indent, self.glyphs.more
        if text.cell_len > room:
            text.truncate(room - len(more))
            text.rstrip()
            text.append(more)
        return text

    def more(self, number: int, noun: str) -> Text:
        """`… 3 more lines`, where something is left out."""
        return indented(self.text(f"{self.glyphs.more} {count(number, noun)}", "dim"), self.margin)

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[Text]:
        """Columns as wide as their longest cell; where they do not fit, the cells of a row go below each other."""
        if not rows:
            return []
        cells = [[self.text(cell) for cell in row] for row in rows]
        wide = [max(cell.cell_len for cell in column) for column in zip(*cells, strict=True)]
        wide = [max(width, len(head)) for width, head in zip(wide, heads, strict=True)]
        if self.margin + sum(wide) + 2 * len(wide) > self.width:
            return [line for row in rows for line in self._stacked(heads, row)]
        header = [[self.text(head, "dim") for head in heads]] if any(heads) else []
        return [indented(_columns(row, wide), self.margin) for row in [*header, *cells]]

    def _stacked(self, heads: Sequence[str], row: Sequence[str]) -> list[Text]:
        sign, what, *values = row
        lines = self.paragraph(self.text(f"{sign} {what}"), self.margin, self.margin + 2)
        for head, value in zip(heads[2:], values, strict=True):
            lines += self.paragraph(self.text(f"{head} {value}"), self.margin + 4)
        return lines

    def labelled(self, label: Text, lines: list[Text]) -> list[Text]:
        """A label in its column, and a block of lines beside it."""
        label = label + " " * (LABEL - label.cell_len)
        return [indented((Text(" " * LABEL) if n else label) + line, self.margin) for n, line in enumerate(lines)]


def indented(line: Text, by: int) -> Text:
    """The line with blanks in front."""
    return Text(" " * by) + line


def _columns(cells: list[Text], wide: list[int]) -> Text:
    line = Text()
    for cell, width in zip(cells, wide, strict=True):
        line = line + cell + " " * (width - cell.cell_len + 2)
    return line
