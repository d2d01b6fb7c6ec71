"""Exhibits as lines of text: block characters where the encoding has them, plain ASCII where not."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from ..exhibits import Bars, Curve, Matrix, Passage, Pictures
from .text import encodes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..exhibits import Exhibit, Line, Picture

COARSE = 12  # a picture with fewer pixels across has two characters for each
GAP = 3


@dataclass(frozen=True, slots=True)
class Brush:
    """What there is to draw with: greys from paper to ink, and columns of rising height."""

    greys: str
    heights: str
    arrow: str

    @classmethod
    def of(cls, encoding: str) -> Brush:
        """Block characters, or ASCII where the encoding lacks them."""
        blocks = cls(greys=" ░▒▓█", heights=" ▁▂▃▄▅▆▇█", arrow="→")
        plain = cls(greys=" .:-=+*#%@", heights=" .:#", arrow="->")
        return blocks if encodes(blocks.greys + blocks.heights + blocks.arrow, encoding) else plain


def drawn(exhibit: Exhibit, width: int, encoding: str) -> list[str]:
    """The exhibit without its title, in at most so many columns."""
    brush = Brush.of(encoding)
    if isinstance(exhibit, Curve):
        return _curve(exhibit, width, brush)
    if isinstance(exhibit, Matrix):
        return _matrix(exhibit, width)
    if isinstance(exhibit, Pictures):
        return _pictures(exhibit, width, brush)
    if isinstance(exhibit, Passage):
        return [line[n : n + width] for line in exhibit.lines for n in range(0, max(len(line), 1), width)]
    return _bars(exhibit, width, brush)


# ---- curves -------------------------------------------------------------------------------------------------


def _curve(curve: Curve, width: int, brush: Brush) -> list[str]:
    """A strip for each line, all on one scale, with its first and last value."""
    names = max(len(line.name) for line in curve.lines)
    ends = [f" {brush.arrow} ".join(_ends(line, curve.unit)) for line in curve.lines]
    room = max(8, width - names - max(map(len, ends)) - 4)
    values = list(chain.from_iterable(line.values for line in curve.lines))
    steps = max(len(line.values) for line in curve.lines)
    height = 4 if len(curve.lines) == 1 else 2
    lines = []
    for line, text in zip(curve.lines, ends, strict=True):
        *upper, last = _strip(stretched(line.values, room), min(values), max(values), height, brush)
        lines += [" " * (names + 2) + row for row in upper if row.strip()]
        lines.append(f"{line.name:<{names}}  {last}  {text}")
    return [*lines, f"{'':<{names}}  {curve.across} 1 to {steps}"]


def _ends(line: Line, unit: str) -> list[str]:
    """The first and the last value."""
    return [f"{number(value)} {unit}".rstrip() for value in (line.values[0], line.values[-1])]


def number(value: float) -> str:
    """Three digits of a number, without an exponent where it is ordinary: `0.0123`, `97.5`."""
    return f"{value:.3g}" if 1e-4 <= abs(value) < 1e4 or value == 0 else f"{value:.1e}"


def stretched(values: Sequence[float], room: int) -> list[float]:
    """As many values as there is room for: some left out, or each repeated a few times."""
    if len(values) > room:
        return [values[round(n * (len(values) - 1) / (room - 1))] for n in range(room)]
    times = min(6, room // len(values))
    return [value for value in values for _ in range(times)]


def _strip(values: Sequence[float], low: float, high: float, height: int, brush: Brush) -> list[str]:
    """Columns of rising height over several rows."""
    full = len(brush.heights) - 1
    span = high - low or 1.0
    filled = [round((value - low) / span * (height * full - 1)) + 1 for value in values]  # the lowest shows, too
    return [
        "".join(brush.heights[min(max(count - row * full, 0), full)] for count in filled)
        for row in reversed(range(height))
    ]


# ---- tables, pictures, bars -----------------------------------------------------------------------------------


def _matrix(matrix: Matrix, width: int) -> list[str]:
    """Counts in columns; where that is too wide, the columns' names are cut, and the rows have them in full."""
    cells = [[str(count) if count else "." for count in row] for row in matrix.counts]
    wide = 2 + max(len(cell) for cell in chain(matrix.names, *cells))
    beside = max(len(f"{matrix.down} {name}") for name in matrix.names)
    wide = min(wide, max((width - beside) // len(cells), 2 + max(len(cell) for cell in chain(*cells))))
    head = f"{'':<{beside}}  {matrix.across}"
    names = " " * beside + "".join(f"{name[: wide - 1]:>{wide}}" for name in matrix.names)
    rows = (
        f"{f'{matrix.down} {name}':<{beside}}" + "".join(f"{cell:>{wide}}" for cell in row)
        for name, row in zip(matrix.names, cells, strict=True)
    )
    return [head, names, *rows]


def _pictures(shown: Pictures, width: int, brush: Brush) -> list[str]:
    """As many side by side as fit, their captions below."""
    blocks = [[*_picture(picture, brush), picture.caption] for picture in shown.pictures]
    wide = max(len(line) for block in blocks for line in block)
    abreast = max(1, (width + GAP) // (wide + GAP))
    rows = [blocks[n : n + abreast] for n in range(0, len(blocks), abreast)]
    return list(chain.from_iterable([*([""] if n else []), *_abreast(row, wide)] for n, row in enumerate(rows)))


def _abreast(blocks: Sequence[Sequence[str]], wide: int) -> list[str]:
    """Blocks of one height side by side; the margin that all share above and below their drawings is left out."""
    rows = [(" " * GAP).join(f"{line:<{wide}}" for line in row).rstrip() for row in zip(*blocks, strict=True)]
    *drawing, captions = rows
    inked = [n for n, row in enumerate(drawing) if row]
    shown = drawing[inked[0] : inked[-1] + 1] if inked else []
    return [*(row or " " for row in shown), *([captions] if captions else [])]


def _picture(picture: Picture, brush: Brush) -> list[str]:
    """Greys; a character is twice as high as it is wide, so a pixel takes two, or two pixels share one."""
    pixels = picture.pixels
    if len(pixels[0]) < COARSE:
        return ["".join(2 * _grey(p, brush) for p in row) for row in pixels]
    below = [*pixels[1:], pixels[-1]]
    pairs = list(zip(pixels, below, strict=True))[::2]
    return ["".join(_grey((p + q) / 2, brush) for p, q in zip(a, b, strict=True)) for a, b in pairs]


def _grey(value: float, brush: Brush) -> str:
    return brush.greys[min(int(value / 256 * len(brush.greys)), len(brush.greys) - 1)]


def _bars(bars: Bars, width: int, brush: Brush) -> list[str]:
    names = max(map(len, bars.names))
    room = max(8, min(width, 70) - names - 11)
    return [
        f"{name:<{names}}  {brush.heights[-1] * round(share * room):<{room}}  {100 * share:>5.1f} %"
        for name, share in zip(bars.names, bars.shares, strict=True)
    ]
