"""The course as a picture in SVG: the earlier above the later, an arrow from each module to those that need it.

A module stands as deep as its prerequisites reach, in the lane of its act. Everything follows from `course.py`. A page
that has the colours (`--ink`, `--line`, `--good` …) takes the figure as it is; a file of its own brings them along.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, NamedTuple

from ..course import ACT_1, ACT_2, ACT_3, ACT_4, ACT_5, ACT_6, ACTS, MILESTONES, MODULES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..course import Milestone, Module

LANES = {ACT_3: 0, ACT_1: 1, ACT_2: 1, ACT_6: 1, ACT_4: 2, ACT_5: 3}
BOX, TALL = 186, 28  # of a module
LOW = 19  # of a milestone, which hangs below its module
ACROSS, DOWN = 246, 70  # from lane to lane, from row to row
LEFT, TOP, AROUND = 14, 28, 34

COLOURS = """\
:root { --ink: #1d2125; --quiet: #59636e; --paper: #ffffff; --tint: #f4f6f8; --line: #8b96a1; --good: #1a7f37;
  --todo: #8250df; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e3e8ed; --quiet: #9aa5b1; --paper: #14181c; --tint: #1e242a; --line: #6a7682; --good: #4cc266;
    --todo: #bd9bff; }
}
"""
STYLE = """\
.journey { display: block; width: 100%; height: auto; }
.journey text { fill: var(--ink); font: 600 13px system-ui, sans-serif; }
.journey .act { fill: var(--quiet); font-weight: 400; }
.journey .stars { fill: var(--quiet); font-size: 10px; font-weight: 400; text-anchor: end; }
.journey .year { fill: var(--quiet); font-size: 11.5px; text-anchor: middle; }
.journey rect { fill: var(--tint); stroke: var(--line); stroke-width: 1.2; }
.journey path { fill: none; stroke: var(--line); stroke-width: 1.4; }
.journey .arrow { fill: var(--line); stroke: none; }
.journey .milestone rect { fill: var(--paper); stroke-dasharray: 4 3; }
.journey .done rect { stroke: var(--good); stroke-width: 2.4; stroke-dasharray: none; }
.journey .done .stars, .journey .done .year { fill: var(--good); }
.journey .given rect { stroke: var(--good); stroke-dasharray: 2 3; }
.journey .here rect { stroke: var(--todo); stroke-width: 2.4; stroke-dasharray: none; }
.journey .elsewhere { opacity: 0.55; }
"""


class Spot(NamedTuple):
    """The upper left corner of a module's box, and how far down it and its milestone reach."""

    x: int
    y: int
    low: int

    @property
    def middle(self) -> int:
        """Half way across."""
        return self.x + BOX // 2


def figure(modules: Mapping[int, str] | None = None, milestones: Mapping[int, str] | None = None) -> str:
    """The picture, for a page.

    `modules` and `milestones` are classes by number: `done`, `here`, `given` (provided), `elsewhere` (in no track).
    """
    spots = places()
    wide = max(spot.x for spot in spots.values()) + BOX + AROUND + LEFT
    high = max(spot.low for spot in spots.values()) + 8
    said = f"The course: {len(MODULES)} modules in {len(ACTS)} acts with what each needs, {len(MILESTONES)} milestones"
    size = f'viewBox="0 0 {wide} {high}"'
    parts = (
        f'<svg class="journey" xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{said}">',
        *_arrows(spots),
        *_acts(spots),
        *(_milestone(m, spots[m.after.number], (milestones or {}).get(m.number, "")) for m in MILESTONES),
        *(_module(module, spots[module.number], (modules or {}).get(module.number, "")) for module in MODULES),
        "</svg>",
    )
    return "\n".join(parts)


def picture() -> str:
    """The picture as a file of its own, light or dark as whoever looks at it."""
    head, end, rest = figure().partition(">")
    return f"{head}{end}\n<style>\n{COLOURS}{STYLE}</style>{rest}\n"


def places() -> dict[int, Spot]:
    """Where each module stands: a row below the lowest of its prerequisites, in its act's lane."""
    rows: dict[int, int] = {}
    spots = {}
    reached = {milestone.after.number for milestone in MILESTONES}
    for module in MODULES:
        row = rows[module.number] = 1 + max((rows[below.number] for below in module.needs), default=-1)
        y = TOP + row * DOWN
        low = y + TALL + (LOW if module.number in reached else 0)
        spots[module.number] = Spot(LEFT + LANES[module.act] * ACROSS, y, low)
    return spots


def _acts(spots: Mapping[int, Spot]) -> Iterator[str]:
    """The name of an act above the first of its modules."""
    told = set()
    for module in MODULES:
        if module.act not in told:
            told.add(module.act)
            spot, first = spots[module.number], LANES[module.act] <= LANES[ACT_1]  # arrows come from the other side
            x, anchor = (spot.x, "start") if first else (spot.x + BOX, "end")
            label = html.escape(module.act)
            yield f'<text class="act" text-anchor="{anchor}" x="{x}" y="{spot.y - 8}">{label}</text>'


def _arrows(spots: Mapping[int, Spot]) -> Iterator[str]:
    for module in MODULES:
        for below in module.nearest:
            way, tip = _way(spots[below.number], spots[module.number])
            yield f'<path d="{way}"/><path class="arrow" d="{tip}"/>'


def _way(start: Spot, end: Spot) -> tuple[str, str]:
    """A line and its tip.

    Down the lane it goes around what stands in between; to the next lane from side to side; further, above the box.
    """
    if start.x == end.x:
        if end.y - start.y <= DOWN:
            return f"M{start.middle} {start.low}L{end.middle} {end.y - 6}", _down(end)
        side, out = start.x + BOX, start.x + BOX + AROUND
        y, to_y = start.y + TALL // 2, end.y + TALL // 2
        line = f"M{side} {y}Q{out} {y} {out} {y + 36}L{out} {to_y - 36}Q{out} {to_y} {side + 6} {to_y}"
        return line, _sideways(side, to_y, -1)
    right = end.x > start.x
    x, y = start.x + BOX if right else start.x, start.y + TALL // 2
    step = 1 if right else -1
    if abs(end.x - start.x) == ACROSS:
        to_x, to_y = (end.x if right else end.x + BOX), end.y + TALL // 2
        bend = step * (ACROSS - BOX) * 2 // 3
        line = f"M{x} {y}C{x + bend} {y} {to_x - bend} {to_y} {to_x - 6 * step} {to_y}"
        return line, _sideways(to_x, to_y, step)
    gap, to_x = end.y - 12, end.middle
    turn = x + step * (ACROSS - BOX)
    line = f"M{x} {y}C{turn} {y} {x} {gap} {turn} {gap}L{to_x - step * 24} {gap}Q{to_x} {gap} {to_x} {end.y - 6}"
    return line, _down(end)


def _down(end: Spot) -> str:
    """The tip of a line that comes from above."""
    return f"M{end.middle} {end.y}l-4 -8h8z"


def _sideways(x: int, y: int, step: int) -> str:
    """The tip of a line that comes from the left (step 1) or from the right (-1)."""
    return f"M{x} {y}l{-8 * step} -4v8z"


def _module(module: Module, spot: Spot, kind: str) -> str:
    return (
        f'<g class="{kind}"><title>{html.escape(module.capability)}</title>'
        f'<rect x="{spot.x}" y="{spot.y}" width="{BOX}" height="{TALL}" rx="7"/>'
        f'<text x="{spot.x + 10}" y="{spot.y + 19}">{html.escape(module.label)}</text>'
        f'<text class="stars" x="{spot.x + BOX - 8}" y="{spot.y + 18}">{"★" * module.stars}</text></g>'
    )


def _milestone(milestone: Milestone, spot: Spot, kind: str) -> str:
    y = spot.y + TALL - 8  # its upper edge lies under the module's box
    return (
        f'<g class="{f"milestone {kind}".rstrip()}"><title>{html.escape(milestone.claim)}</title>'
        f'<rect x="{spot.x + 12}" y="{y}" width="{BOX - 24}" height="{LOW + 8}" rx="7"/>'
        f'<text class="year" x="{spot.middle}" y="{spot.low - 6}">{html.escape(milestone.label)}</text></g>'
    )
