"""How attention grows with the length of the text and convolution with the batch: time and memory, measured and drawn.

    python benchmarks/scaling.py                       # tables
    python benchmarks/scaling.py --svg scaling.svg     # and the curves as a picture
    python benchmarks/scaling.py --json                # the same as JSON
    python benchmarks/scaling.py --package tinytorch   # another package than the solutions
    python benchmarks/scaling.py --quick               # tiny sizes: does it run at all?

Forward and backward on one thread, the fastest of a few calls in CPU time; memory is the most that Python and NumPy
held at once beyond what was there. PyTorch's time stands beside it where it is installed; its memory is not Python's.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import math
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from types import ModuleType
from typing import Any

from forward import REPOSITORY, clock, load

# isort: split
import numpy as np  # after forward, which sets the number of threads

WIDTH, HEIGHT, MARGIN = 420, 300, 56  # of a plot


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One size: seconds on either side (nan where PyTorch is absent) and the bytes that ours needs."""

    size: int
    ours: float
    pytorch: float
    memory: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """How something grows; the powers are the slopes of time and memory between the last two sizes, log over log."""

    name: str
    across: str
    points: list[Point]

    def power(self, what: str) -> float:
        """The exponent p of size^p."""
        a, b = self.points[-2:]
        return math.log(getattr(b, what) / getattr(a, what)) / math.log(b.size / a.size)


def attention(tt: ModuleType, torch: ModuleType | None, sizes: Sequence[int]) -> Scaling:
    """Scaled dot-product attention over n tokens of 64 numbers, two sequences of four heads."""

    def one(n: int) -> Point:
        a = np.random.default_rng(0).standard_normal((3, 2, 4, n, 64), dtype=np.float32)
        q, k, v = (tt.tensor(part, requires_grad=True) for part in a)

        def ours() -> None:
            tt.scaled_dot_product_attention(q, k, v).sum().backward()

        if torch is None:
            return point(n, ours)
        r, s, t = (torch.tensor(part, requires_grad=True) for part in a)
        fused = torch.nn.functional.scaled_dot_product_attention
        return point(n, ours, lambda: fused(r, s, t).sum().backward())

    return Scaling(name="attention", across="tokens", points=[one(n) for n in sizes])


def convolution(tt: ModuleType, torch: ModuleType | None, sizes: Sequence[int]) -> Scaling:
    """Conv2d from 32 to 64 channels, 3 x 3, on images of 16 x 16."""
    layer = tt.Conv2d(32, 64, 3, padding=1)
    theirs = torch.nn.Conv2d(32, 64, 3, padding=1) if torch else None

    def one(n: int) -> Point:
        a = np.random.default_rng(0).standard_normal((n, 32, 16, 16), dtype=np.float32)
        x = tt.tensor(a, requires_grad=True)

        def ours() -> None:
            layer(x).sum().backward()

        if torch is None or theirs is None:
            return point(n, ours)
        u = torch.tensor(a, requires_grad=True)
        return point(n, ours, lambda: theirs(u).sum().backward())

    return Scaling(name="convolution", across="images in the batch", points=[one(n) for n in sizes])


def point(size: int, ours: Callable[[], Any], theirs: Callable[[], Any] | None = None) -> Point:
    """Measure one size."""
    return Point(size=size, ours=fastest(ours), pytorch=fastest(theirs) if theirs else math.nan, memory=most_held(ours))


def fastest(call: Callable[[], Any], seconds: float = 0.3) -> float:
    """The least CPU time of some calls."""
    call()
    began, found = clock(), list[float]()
    while len(found) < 3 or clock() - began < seconds:
        start = clock()
        call()
        found.append(clock() - start)
    return min(found)


def most_held(call: Callable[[], Any]) -> int:
    """The peak of what Python and NumPy allocated during a call."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# ---- how it is told ----


def table(scaling: Scaling) -> str:
    """The sizes in columns, and how the last doubling went."""
    lines = [f"{scaling.name}: {scaling.across:<20} {'ours, ms':>10} {'PyTorch, ms':>12} {'ours, MB':>9}"]
    width = len(scaling.name) + 22
    for p in scaling.points:
        theirs = "-" if math.isnan(p.pytorch) else f"{1e3 * p.pytorch:.2f}"
        lines.append(f"{p.size:>{width},} {1e3 * p.ours:>10.2f} {theirs:>12} {p.memory / 1e6:>9.1f}")
    lines.append(f"time grows as size^{scaling.power('ours'):.2f}, memory as size^{scaling.power('memory'):.2f}")
    return "\n".join(lines)


def svg(scalings: Sequence[Scaling]) -> str:
    """The times as curves side by side, both axes logarithmic, in colours that show on light and on dark."""
    plots = "".join(
        f'<g transform="translate({n * (WIDTH + MARGIN)} 0)">{plot(each)}</g>' for n, each in enumerate(scalings)
    )
    box = f"0 0 {len(scalings) * (WIDTH + MARGIN)} {HEIGHT + 2 * MARGIN}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" font-family="sans-serif" font-size="12" '
        f'fill="#777">{plots}</svg>\n'
    )


def plot(scaling: Scaling) -> str:
    """One pair of axes with a line for each side."""
    points = scaling.points
    sides = {"tinytorch": ("#d9822b", [p.ours for p in points]), "PyTorch": ("#2b7bd9", [p.pytorch for p in points])}
    sides = {name: side for name, side in sides.items() if not math.isnan(side[1][0])}
    seconds = [s for _, values in sides.values() for s in values]
    low, high = math.floor(math.log10(min(seconds))), math.ceil(math.log10(max(seconds)))
    first, last = math.log2(points[0].size), math.log2(points[-1].size)

    def across(size: float) -> float:
        return MARGIN + (WIDTH - MARGIN) * (math.log2(size) - first) / (last - first)

    def up(value: float) -> float:
        return MARGIN + HEIGHT * (high - math.log10(value)) / (high - low)

    parts = [f'<text x="{MARGIN}" y="24" font-size="14">{escape(scaling.name)}: forward and backward</text>']
    for power in range(low, high + 1):
        y = up(10**power)
        parts.append(f'<path d="M{MARGIN} {y:.0f}H{WIDTH}" stroke="#777" stroke-opacity="0.3"/>')
        parts.append(f'<text x="{MARGIN - 6}" y="{y + 4:.0f}" text-anchor="end">{1e3 * 10**power:g} ms</text>')
    foot = MARGIN + HEIGHT + 18
    parts += [f'<text x="{across(p.size):.0f}" y="{foot}" text-anchor="middle">{p.size}</text>' for p in points]
    middle = (MARGIN + WIDTH) / 2
    parts.append(f'<text x="{middle}" y="{MARGIN + HEIGHT + 38}" text-anchor="middle">{escape(scaling.across)}</text>')
    for n, (name, (colour, values)) in enumerate(sides.items()):
        line = " ".join(f"{across(p.size):.1f},{up(value):.1f}" for p, value in zip(points, values, strict=True))
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{MARGIN + 10}" y="{MARGIN + 18 + 16 * n}" fill="{colour}">{escape(name)}</text>')
    return "".join(parts)


def main(arguments: list[str] | None = None) -> int:
    """The command line; the result is the exit status."""
    parser = argparse.ArgumentParser(description="How attention and convolution grow with their input.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw the curves")
    parser.add_argument("--quick", action="store_true", help="tiny sizes")
    parser.add_argument("--package", type=Path, default=REPOSITORY / "solutions" / "tinytorch", metavar="FOLDER")
    chosen = parser.parse_args(arguments)
    tt, torch = load(chosen.package.resolve()), None
    if importlib.util.find_spec("torch") is not None:
        torch = importlib.import_module("torch")
        torch.set_num_threads(1)
    lengths, batches = ((4, 8), (1, 2)) if chosen.quick else ((64, 128, 256, 512, 1024, 2048), (1, 4, 16, 64, 128))
    found = [attention(tt, torch, lengths), convolution(tt, torch, batches)]
    if chosen.svg:
        chosen.svg.write_text(svg(found), encoding="utf-8")
    print(json.dumps([asdict(each) for each in found], indent=1) if chosen.json else "\n\n".join(map(table, found)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
