"""Exhibits as HTML: curves and pictures as inline SVG, mistakes and bars as tables. Nothing to load, no script."""

from __future__ import annotations

import html
import math
from collections import defaultdict
from itertools import groupby
from typing import TYPE_CHECKING

from ..exhibits import Bars, Curve, Matrix, Passage
from .drawing import number
from .text import plain

if TYPE_CHECKING:
    from ..exhibits import Exhibit, Line, Picture, Pictures

WIDE, HIGH = 640, 200  # of a curve's field
LEFT, TOP, BELOW = 64, 12, 34
BLACK = "#000000"
DASHES = ("none", "7 4", "2 4", "9 3 2 3")


def figure(exhibit: Exhibit) -> str:
    """The exhibit with its title."""
    if isinstance(exhibit, Curve):
        return _figure(exhibit.title, _curve(exhibit) + _legend(exhibit))
    if isinstance(exhibit, Matrix):
        return _matrix(exhibit)
    if isinstance(exhibit, Bars):
        return _bars(exhibit)
    if isinstance(exhibit, Passage):
        return _figure(exhibit.title, f'<pre class="passage">{_text(chr(10).join(exhibit.lines))}</pre>')
    return _figure(exhibit.title, _pictures(exhibit))


def _figure(title: str, content: str) -> str:
    return f"<figure>\n<figcaption>{_text(title)}</figcaption>\n{content}\n</figure>"


def _text(content: str) -> str:
    return html.escape(plain(content))


# ---- curves -------------------------------------------------------------------------------------------------


def _curve(curve: Curve) -> str:
    values = [value for line in curve.lines for value in line.values]
    low, high = min(values), max(values)
    steps = max(len(line.values) for line in curve.lines)
    lines = (_line(n, line, low, high, steps) for n, line in enumerate(curve.lines))
    said = "; ".join(f"{line.name} from {number(line.values[0])} to {number(line.values[-1])}" for line in curve.lines)
    return (
        f'<svg class="curve" role="img" viewBox="0 0 {LEFT + WIDE + 8} {TOP + HIGH + BELOW}" '
        f'aria-label="{_text(f"{curve.title}: {said} {curve.unit}".rstrip())}">\n'
        f"{''.join(_rule(value, low, high, curve.unit) for value in sorted({low, (low + high) / 2, high}))}\n"
        f"{''.join(lines)}\n"
        f'<text x="{LEFT}" y="{TOP + HIGH + 22}">{_text(curve.across)} 1</text>'
        f'<text x="{LEFT + WIDE}" y="{TOP + HIGH + 22}" text-anchor="end">{steps}</text>\n</svg>'
    )


def _height(value: float, low: float, high: float) -> float:
    return TOP + HIGH * (high - value) / ((high - low) or 1.0)


def _rule(value: float, low: float, high: float, unit: str) -> str:
    """A thin line across the field, with its value in front."""
    y = _height(value, low, high)
    decimals = 2 - math.floor(math.log10((high - low) or abs(high) or 1.0))  # three digits of what there is to see
    label = f"{number(round(value, decimals))} {unit}".rstrip()
    return (
        f'<line class="rule" x1="{LEFT}" y1="{y:.1f}" x2="{LEFT + WIDE}" y2="{y:.1f}"/>'
        f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_text(label)}</text>'
    )


def _line(n: int, line: Line, low: float, high: float, steps: int) -> str:
    points = " ".join(
        f"{LEFT + WIDE * at / max(steps - 1, 1):.1f},{_height(value, low, high):.1f}"
        for at, value in enumerate(line.values)
    )
    dash = DASHES[n % len(DASHES)]
    if len(line.values) == 1:
        x, y = points.split(",")
        return f'<circle class="line{n % 4}" cx="{x}" cy="{y}" r="3"/>'
    return f'<polyline class="line{n % 4}" stroke-dasharray="{dash}" points="{points}"/>'


def _legend(curve: Curve) -> str:
    """The names of the lines, each with its last value behind a sample of its stroke."""
    items = (
        f'<li><svg class="sample" aria-hidden="true" viewBox="0 0 34 8"><line class="line{n % 4}" '
        f'stroke-dasharray="{DASHES[n % len(DASHES)]}" x1="0" y1="4" x2="34" y2="4"/></svg> '
        f"{_text(line.name)}: {_text(f'{number(line.values[-1])} {curve.unit}'.rstrip())}</li>"
        for n, line in enumerate(curve.lines)
    )
    return f'\n<ul class="legend">{"".join(items)}</ul>'


# ---- pictures -----------------------------------------------------------------------------------------------


def _pictures(shown: Pictures) -> str:
    return f'<div class="pictures">\n{"".join(_picture(picture) for picture in shown.pictures)}</div>'


def _picture(picture: Picture) -> str:
    """A picture as squares, white ink on black, as networks see it; one path for each grey or colour."""
    pixels = _pixels(picture)
    size = f"0 0 {len(pixels[0])} {len(pixels)}"
    squares = _squares(pixels)
    squares.pop(BLACK, None)
    paths = "".join(f'<path fill="{paint}" d="{where}"/>' for paint, where in sorted(squares.items()))
    return (
        f'<div><svg role="img" aria-label="{_text(picture.caption) or "picture"}" viewBox="{size}" '
        f'shape-rendering="crispEdges"><rect width="100%" height="100%"/>{paths}</svg>'
        f"<span>{_text(picture.caption)}</span></div>\n"
    )


def _pixels(picture: Picture) -> list[list[str]]:
    """The paint of every pixel, in sixteen steps from dark to bright."""
    channels = 3 if picture.coloured else 1
    rows = []
    for row in picture.rows:
        steps = [f"{(value + 8) // 17 * 17:02x}" for value in bytes.fromhex(row)]
        pixels = ("".join(steps[n : n + channels]) for n in range(0, len(steps), channels))
        rows.append([f"#{pixel * (3 // channels)}" for pixel in pixels])
    return rows


def _squares(pixels: list[list[str]]) -> dict[str, str]:
    """Squares for the pixels of each paint; neighbours in a row share one."""
    squares: dict[str, str] = defaultdict(str)
    for y, row in enumerate(pixels):
        x = 0
        for paint, neighbours in groupby(row):
            wide = len(list(neighbours))
            squares[paint] += f"M{x} {y}h{wide}v1h{-wide}z"
            x += wide
    return squares


# ---- tables -------------------------------------------------------------------------------------------------


def _matrix(matrix: Matrix) -> str:
    """Counts, each on a ground that is the stronger the more there are in its row."""
    heads = "".join(f'<th scope="col">{_text(name)}</th>' for name in matrix.names)
    rows = "\n".join(
        f'<tr><th scope="row">{_text(name)}</th>{"".join(_count(n, m, row) for m in range(len(row)))}</tr>'
        for n, (name, row) in enumerate(zip(matrix.names, matrix.counts, strict=True))
    )
    corner = f"{_text(matrix.down)} ↓ {_text(matrix.across)} →"
    return (
        f'<div class="wide" tabindex="0"><table class="matrix">\n<caption>{_text(matrix.title)}</caption>\n'
        f'<thead><tr><th scope="col">{corner}</th>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table></div>'
    )


def _count(row: int, column: int, counts: tuple[int, ...]) -> str:
    count = counts[column]
    kind = "right" if row == column else "wrong"
    strength = round(100 * count / max(sum(counts), 1)) if row == column else min(100, round(20 + 4 * count))
    return f'<td class="{kind}" style="--much: {strength}%">{count}</td>' if count else "<td></td>"


def _bars(bars: Bars) -> str:
    rows = "\n".join(
        f'<tr><th scope="row">{_text(name)}</th><td><span class="bar" style="--much: {100 * share:.1f}%"></span></td>'
        f"<td>{100 * share:.1f} %</td></tr>"
        for name, share in zip(bars.names, bars.shares, strict=True)
    )
    return f'<table class="bars">\n<caption>{_text(bars.title)}</caption>\n<tbody>\n{rows}\n</tbody>\n</table>'
