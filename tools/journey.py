"""Draw the course: `docs/journey.md`, diagrams and tables from `course.py`, and `docs/journey.svg`, the whole in one.

python -m tools.journey            write
python -m tools.journey --check    say whether what is committed is what would be written
"""

from __future__ import annotations

import argparse
import sys
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from pytest_tinytorch.course import (
    ACTS,
    ENVIRONMENT,
    LEVELS,
    MILESTONES,
    MODULES,
    TIERS,
    TRACKS,
    Milestone,
    Module,
    Track,
)
from pytest_tinytorch.reports.journey import picture
from tools import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

FILE = ROOT / "docs" / "journey.md"
PICTURE = ROOT / "docs" / "journey.svg"

INTRODUCTION = f"""\
# The journey

Twenty modules, one checkpoint before them and one for each, six milestones. Every picture and table here is written
by `python -m tools.journey` from `{Module.__module__.replace(".", "/")}.py`; change the course there.

![Twenty modules, an arrow from each to those that need it, and six milestones below them](journey.svg)
"""


def page() -> str:
    """The whole page."""
    return "\n".join(
        (
            INTRODUCTION,
            section("The way", "Module after module; a milestone opens where its arrow starts.", mermaid(flow())),
            section("What rests on what", "An arrow leads from a module to those that need it.", mermaid(needs())),
            section(
                "Six chapters of history",
                "Each runs again, on the student's own code, once the modules above it are proved.",
                mermaid(timeline()),
                milestones_table(),
            ),
            section("Tracks", "Ways through the course; ● counts, ○ comes solved.", tracks_table()),
            section("Modules", "Hours are for somebody who has used PyTorch.", modules_table()),
            section(
                "Acts, tiers and levels",
                "Acts say why this order, tiers help to find one's way, levels say how far one has come.",
                acts_table(),
                levels_list(),
            ),
        )
    )


def section(title: str, sentence: str, *parts: str) -> str:
    """One section of the page."""
    return "\n".join((f"## {title}\n", f"{sentence}\n", *parts))


def mermaid(lines: Iterable[str]) -> str:
    """A diagram as Markdown."""
    return "\n".join(("```mermaid", *lines, "```", ""))


def flow() -> Iterator[str]:
    """The course from the first checkpoint to the last, act by act, with the milestones where they open."""
    yield "flowchart TB"
    yield f"    {_id(ENVIRONMENT)}[{_text(ENVIRONMENT)}]"
    for number, (act, modules) in enumerate(groupby(MODULES, lambda module: module.act), start=1):
        yield f'    subgraph act{number}["{act}: {ACTS[act]}"]'
        yield "        direction LR"
        chain = [f"{_id(module)}[{_text(module)}]" for module in modules]
        yield f"        {' --> '.join(chain)}"
        yield "    end"
    for before, after in pairwise((ENVIRONMENT, *MODULES)):
        if before.number == 0 or before.act != after.act:
            yield f"    {_id(before)} --> {_id(after)}"
    for milestone in MILESTONES:
        yield f'    {_id(milestone.after)} -.-> {_id(milestone)}{{{{"{milestone.label}"}}}}'


def needs() -> Iterator[str]:
    """Prerequisites, without those that follow from others."""
    yield "flowchart LR"
    for module in MODULES:
        yield f"    {_id(module)}[{_text(module)}]"
    for module in MODULES:
        for below in module.nearest:
            yield f"    {_id(below)} --> {_id(module)}"


def timeline() -> Iterator[str]:
    """The milestones by year."""
    yield "timeline"
    for milestone in MILESTONES:
        yield f"    {milestone.year} : {milestone.name} : after {milestone.after.label}"


def milestones_table() -> str:
    """What each milestone must reach."""
    head = ("year", "milestone", "opens after", "history", "must reach on shipped data", "on the real benchmark")
    return table(head, (_milestone_row(milestone) for milestone in MILESTONES))


def _milestone_row(milestone: Milestone) -> tuple[str, ...]:
    return (
        str(milestone.year),
        milestone.name,
        milestone.after.label,
        milestone.history,
        milestone.claim,
        milestone.full_claim or "–",
    )


def tracks_table() -> str:
    """Which module counts in which track."""
    head = ("track", "effort", *(f"{module.number:02}" for module in MODULES), "milestones")
    return table(head, (_track_row(track) for track in TRACKS.values()))


def _track_row(track: Track) -> tuple[str, ...]:
    marks = ("●" if module in track.modules else "○" if module in track.provided else "" for module in MODULES)
    return (track.name, track.effort, *marks, " ".join(str(milestone.year) for milestone in track.milestones))


def modules_table(modules: Iterable[Module] = MODULES) -> str:
    """The syllabus: what is built, and what is measured."""
    head = ("module", "★", "hours", "needs", "the student builds", "and measures")
    return table(head, (_module_row(module) for module in modules))


def _module_row(module: Module) -> tuple[str, ...]:
    low, high = module.hours
    return (
        module.label,
        str(module.stars),
        f"{low:g}–{high:g}",
        _range(module.needs) or "–",
        module.builds,
        module.insight,
    )


def acts_table() -> str:
    """The acts with their modules and tiers."""
    rows = []
    for act, modules in groupby(MODULES, lambda module: module.act):
        held = list(modules)
        tiers = [tier for tier in TIERS if any(module.tier == tier for module in held)]
        rows.append((act, ACTS[act], _range(held), ", ".join(tiers)))
    return table(("act", "about", "modules", "tier"), rows)


def levels_list() -> str:
    """What one can do at each level."""
    return "".join(
        f"{level}. {text} ({_range([module for module in MODULES if module.level == level])})\n"
        for level, text in LEVELS.items()
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = (head, ["---"] * len(head), *rows)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def _range(modules: Sequence[Module]) -> str:
    """`01 02 05`, and `01–19` for three or more in a row."""
    runs: list[list[int]] = []
    for module in modules:
        if runs and module.number == runs[-1][-1] + 1:
            runs[-1].append(module.number)
        else:
            runs.append([module.number])
    return " ".join(
        f"{run[0]:02}–{run[-1]:02}" if len(run) > 2 else " ".join(f"{number:02}" for number in run) for run in runs
    )


def _id(thing: Module | Milestone) -> str:
    return f"m{thing.number:02}" if isinstance(thing, Module) else f"y{thing.year}"


def _text(module: Module) -> str:
    return f'"{module.label}"'


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; the result is the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.journey", description="Draw the course.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when something would change")
    options = parser.parse_args(arguments)
    stale = 0
    for file, wanted in ((FILE, page()), (PICTURE, picture())):
        present = file.read_text("utf-8") if file.exists() else None
        if wanted == present:
            continue
        name = file.relative_to(ROOT).as_posix()
        if options.check:
            print(f"{name} is not what course.py gives\nrun: python -m tools.journey", file=sys.stderr)
            stale = 1
        else:
            file.write_text(wanted, encoding="utf-8", newline="\n")
            print(f"wrote {name}")
    return stale


if __name__ == "__main__":
    raise SystemExit(main())
