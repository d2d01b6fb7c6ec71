"""Ratios of all kinds as one table: what was measured, beside what, and how the number is to be read.

`python -m benchmarks` fills it; here it is only told, as text or as Markdown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SLOWER, FASTER, SMALLER = "as long", "as fast", "as small"
HEADINGS = ("module", "what", "size", "against", "ours", "theirs", "ratio", "aim", "source")
UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One ratio: of times, bytes or shares. `high` is its upper end where it is a range; `module` the course's."""

    module: str
    what: str
    size: str
    against: str
    ours: str
    theirs: str
    ratio: float
    high: float | None = None
    reading: str = SLOWER
    aim: str = ""
    source: str = ""

    def told(self) -> str:
        """`1.12 × as long`, or `15–30 × as fast`."""
        return f"{between(self.ratio, self.high)} × {self.reading}"

    def cells(self) -> tuple[str, ...]:
        """What stands in each column."""
        start = (self.module, self.what, self.size, self.against, self.ours, self.theirs)
        return (*start, self.told(), self.aim, self.source)


def between(low: float, high: float | None) -> str:
    """A number, or two of them, with three digits that count."""
    ends = [number(low)] + ([] if high is None else [number(high)])
    return "–".join(dict.fromkeys(ends))


def number(value: float) -> str:
    """Two decimals below 10, one below 100, none from there on."""
    return f"{value:,.{2 if value < 9.995 else 1 if value < 99.95 else 0}f}"


def duration(seconds: float) -> str:
    """`1.25 ms`: seconds in the unit that fits."""
    scale, unit = next((each for each in UNITS if seconds >= 0.9995 * each[0]), UNITS[-1])
    return f"{number(seconds / scale)} {unit}"


def text(rows: Sequence[Row]) -> str:
    """The rows in columns."""
    lines = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def markdown(rows: Sequence[Row]) -> str:
    """The rows as a table of Markdown."""
    lines = [HEADINGS, ("---",) * len(HEADINGS), *(row.cells() for row in rows)]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)
