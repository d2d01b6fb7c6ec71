"""The report on a terminal, the face that a student sees hundreds of times.

Everything is laid out line by line here, so that it holds at 80 columns and at 40, in any encoding, with colour and
without. Colours are the sixteen named ones of the terminal, and nothing depends on them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from ..exhibits import Bars
from ..outcome import Outcome
from .drawing import drawn
from .panel_text import STYLES, panel_lines, terse_lines
from .panels import hint_panel, milestone_panel, panel
from .sheet import NARROW, PROSE, Sheet, indented, make_console
from .summary import (
    goals,
    milestone_sentence,
    most_used,
    next_step,
    others,
    passed,
    ran_sentence,
    reason,
    replay,
    score,
    tiers,
    unbuilt_goals,
)
from .text import count

if TYPE_CHECKING:
    from rich.console import Console

    from ..exhibits import Exhibit
    from ..outcome import MilestoneResult, Run
    from .summary import Goal, Open, Row, Tier

__all__ = ["make_console", "render", "render_milestone"]

OTHER_LINES = 25
OUTPUT_LINES = 8
RAN_LINES = 8
PROVIDED, UNBUILT = "provided, solved", "not built yet"


def render(run: Run, *, console: Console, terse: bool, verbose: bool = False) -> None:
    """Print the report of a run.

    `terse` is for a reader who knows it well: the first failure in short, and what is next. `verbose` lists every
    claim that was proved.
    """
    sheet = Sheet(console)
    if terse:
        _terse(sheet, run)
    else:
        _full(sheet, run, verbose=verbose)
    sheet.print()


def render_milestone(result: MilestoneResult, *, console: Console) -> None:
    """Print one milestone by itself, for a script that is run without pytest."""
    sheet = Sheet(console)
    _milestone(sheet, result)
    sheet.print()


def _full(sheet: Sheet, run: Run, *, verbose: bool) -> None:
    _passed(sheet, run, verbose=verbose)
    for milestone in run.milestones:
        _milestone(sheet, milestone)
    _first(sheet, run)
    _others(sheet, run)
    _map(sheet, run)
    _footer(sheet, run)


def _terse(sheet: Sheet, run: Run) -> None:
    for milestone in run.milestones:
        read = [exhibit.title for exhibit in milestone.exhibits if isinstance(exhibit, Bars)]
        sheet.section([*_verdict(sheet, milestone), *_why(sheet, milestone), *_claims(sheet, milestone)])
        sheet.section([indented(sheet.text(title), sheet.margin) for title in read])
    if run.first:
        sheet.section(terse_lines(sheet, panel(run, run.first)))
    if run.hint:
        sheet.section(panel_lines(sheet, hint_panel(run, run.hint)))
    rest = sum(line.checks for line in others(run))
    if rest:
        sheet.section([sheet.text(f"and {count(rest, 'more open check')}")])
    _footer(sheet, run)


# ---- the sections -----------------------------------------------------------------------------------------


def _passed(sheet: Sheet, run: Run, *, verbose: bool) -> None:
    lines = []
    for line in passed(run, every_claim=verbose):
        sign = sheet.text(f"{sheet.glyphs.done} " if line.proved else "  ", "bold green")
        lines += sheet.paragraph(sign + sheet.text(line.sentence, "bold" if line.proved else ""), 0, 2)
        for claim in line.claims:
            lines += sheet.paragraph(sheet.text(claim), 4, 6)
    sheet.section(lines)


def _first(sheet: Sheet, run: Run) -> None:
    if run.first:
        sheet.section(panel_lines(sheet, panel(run, run.first)))
        sheet.section(_printed(sheet, run.first.output))
    if run.hint:
        sheet.section(panel_lines(sheet, hint_panel(run, run.hint)))


def _printed(sheet: Sheet, output: str) -> list[Text]:
    """The last lines that the student's code printed, where a worker caught them."""
    lines = output.rstrip().splitlines()
    if not lines:
        return []
    left_out = len(lines) - OUTPUT_LINES
    head = [indented(sheet.text("Your code printed:", "bold"), sheet.margin)]
    head += [sheet.more(left_out, "earlier line")] if left_out > 0 else []
    last = [sheet.crop(sheet.text(line), sheet.margin) for line in lines[-OUTPUT_LINES:]]
    return head + [indented(line, sheet.margin) for line in last]


def _others(sheet: Sheet, run: Run) -> None:
    entries = others(run)
    lines = [sheet.text("Also open", "bold")] if entries else []
    for n, entry in enumerate(entries):
        drawn = _open(sheet, entry)
        left = sum(e.checks for e in entries[n:])
        if len(lines) + len(drawn) > OTHER_LINES - (n + 1 < len(entries)):
            lines.append(sheet.text(f"{sheet.glyphs.more} and {count(left, 'more open check')}"))
            break
        lines += drawn
    sheet.section(lines)


def _open(sheet: Sheet, entry: Open) -> list[Text]:
    """One line: status and claim, and the place at its end where there is room."""
    label = sheet.text(f"{entry.label:<6}", STYLES.get(entry.label, "bold"))
    text = label + Text(" ") + sheet.text(entry.text)
    if entry.label in {"TODO", "WAIT"}:
        return sheet.paragraph(text, 0, 7)
    for where in (entry.place, entry.place.rpartition("/")[2]):
        place = sheet.text(where, "dim")
        gap = min(sheet.width, PROSE) - text.cell_len - place.cell_len
        if where and gap >= 2:
            return [text + Text(" " * gap) + place]
    return [sheet.crop(text, 0)]


def _footer(sheet: Sheet, run: Run) -> None:
    lines = []
    again = replay(run)
    if again:
        line = sheet.text("Again: ", "bold") + sheet.text(again) + "  (same numbers)"
        lines += sheet.paragraph(line, 0, 7)
    step = next_step(run)
    lines += _step(sheet, "Next:", step.text, step.command)
    sheet.section(lines)


def _step(sheet: Sheet, label: str, text: str, command: str) -> list[Text]:
    line = sheet.text(f"{label:<7}", "bold") + sheet.text(text)
    if command:
        line = line + Text(" ") + sheet.text(command, "bold")
    return sheet.paragraph(line, 0, 7)


# ---- milestones -------------------------------------------------------------------------------------------


def _milestone(sheet: Sheet, result: MilestoneResult) -> None:
    sheet.section(_verdict(sheet, result))
    sheet.section([part for line in result.story for part in sheet.paragraph(sheet.text(line), sheet.margin)])
    sheet.section(_why(sheet, result))
    sheet.section(_claims(sheet, result))
    for exhibit in result.exhibits:
        sheet.section(_exhibit(sheet, exhibit))
    sheet.section(_ran(sheet, result))
    stopped = milestone_panel(result)
    if stopped:
        sheet.section(panel_lines(sheet, stopped))


def _verdict(sheet: Sheet, result: MilestoneResult) -> list[Text]:
    """The milestone's name and how it ended."""
    reached = result.outcome is Outcome.PASSED
    sign = sheet.text(sheet.glyphs.done if reached else sheet.glyphs.failed, "bold green" if reached else "bold red")
    line = sign + " " + sheet.text(milestone_sentence(result), "bold")
    return sheet.paragraph(line, 0, 2)


def _claims(sheet: Sheet, result: MilestoneResult) -> list[Text]:
    """The claim table: what was required, what was reached, and whether it holds."""
    signs = {True: sheet.glyphs.done, False: sheet.glyphs.failed}
    rows = [(signs[c.holds], c.what, c.required, c.reached) for c in result.claims]
    return sheet.table(("", "", "required", "reached"), rows)


def _why(sheet: Sheet, result: MilestoneResult) -> list[Text]:
    """Why it did not run, where that is no fault of the student's code."""
    said = reason(result)
    return sheet.paragraph(sheet.text(said), sheet.margin) if said else []


def _exhibit(sheet: Sheet, exhibit: Exhibit) -> list[Text]:
    lines = drawn(exhibit, sheet.width - sheet.margin, sheet.console.encoding)
    return [
        *sheet.paragraph(sheet.text(exhibit.title, "bold"), sheet.margin),
        *(indented(sheet.crop(sheet.text(line), sheet.margin), sheet.margin) for line in lines),
    ]


def _ran(sheet: Sheet, result: MilestoneResult) -> list[Text]:
    """Which of the student's functions a milestone ran, the busiest first."""
    functions = most_used(result)
    if not functions:
        return []
    rows = [(f"{r.file}:{r.line}", r.function, f"{r.used} of {count(r.lines, 'line')}") for r in functions[:RAN_LINES]]
    left = len(functions) - RAN_LINES
    return [
        *sheet.paragraph(sheet.text(ran_sentence(result)), sheet.margin),
        *sheet.table(("", "", ""), rows),
        *([sheet.more(left, "more function")] if left > 0 else []),
    ]


# ---- the map ----------------------------------------------------------------------------------------------


def _map(sheet: Sheet, run: Run) -> None:
    drawn = tiers(run)
    wide = max((len(row.module.label) for tier in drawn for row in tier.rows), default=0)
    far = max((len(_ability(row)) for tier in drawn for row in tier.rows), default=0)
    lines = sheet.paragraph(sheet.text("Your course", "bold") + sheet.text(f"   {score(run)}"), 0, 3)
    for tier in drawn:
        lines += _tier(sheet, tier, wide, far)
    sheet.section(lines)
    sheet.section(_goals(sheet, run))
    if run.hardening:
        sheet.section(sheet.paragraph(sheet.text(f"Isolated: {run.hardening}", "dim"), 0))


def _ability(row: Row) -> str:
    return row.module.capability.removeprefix("I can ")


def _tier(sheet: Sheet, tier: Tier, wide: int, far: int) -> list[Text]:
    """A tier's heading and rows; one without rows takes a single line."""
    notes = [f"{span}: {note}" for span, note in ((tier.provided, PROVIDED), (tier.unbuilt, UNBUILT)) if span]
    head, margin = sheet.text(tier.name, "bold"), _hanging(sheet, wide)
    if not tier.rows and margin > len(tier.name) + 1:
        blank = " " * (margin - len(tier.name))
        return [line for note in notes for line in sheet.paragraph(head + blank + sheet.text(note, "dim"), 0, margin)]
    if margin > len(tier.name) + 1:
        head = head + " " * (margin - len(tier.name)) + sheet.text("I can …", "dim")
    lines = [head, *(line for row in tier.rows for line in _row(sheet, row, wide, far))]
    for note in notes:
        lines += sheet.paragraph(sheet.text(f"  {sheet.glyphs.none} {note}", "dim"), 0, 4)
    return lines


def _hanging(sheet: Sheet, wide: int) -> int:
    """Where the text behind a column of labels begins; below the label where the console is narrow."""
    return 4 + wide + 3 if sheet.width >= NARROW else 6


def _row(sheet: Sheet, row: Row, wide: int, far: int) -> list[Text]:
    """Mark, label, capability, then points or stars and hours; below it what is going on there."""
    style = {"done": "green", "here": "bold"}.get(row.mark, "")
    line = sheet.text(f"  {sheet.sign(row.mark)} {row.module.label:<{wide}}", style)
    stars = f"{sheet.glyphs.star * row.module.stars:<5}  {row.effort}" if row.effort else row.note
    room = sheet.width - line.cell_len - len("     ") - len(stars)  # a long effort begins a little earlier
    if len(_ability(row)) <= room:
        ability = f"   {_ability(row):<{min(far, room)}}"
        line = line + sheet.text(ability, "bold" if row.mark == "here" else "")
    line = line + sheet.text(f"  {stars}")
    lines = [sheet.crop(line, 0)]
    if row.detail:
        lines += sheet.paragraph(sheet.text(row.detail), _hanging(sheet, wide))
    return lines


def _goals(sheet: Sheet, run: Run) -> list[Text]:
    lines = [sheet.text("Milestones", "bold")]
    drawn = goals(run)
    wide = max((len(goal.milestone.label) for goal in drawn), default=0)
    for goal in drawn:
        lines += _goal(sheet, goal, wide)
    missing = unbuilt_goals(run)
    if missing:
        lines += sheet.paragraph(sheet.text(f"  {sheet.glyphs.none} {missing}: {UNBUILT}", "dim"), 0, 4)
    return lines if len(lines) > 1 else []


def _goal(sheet: Sheet, goal: Goal, wide: int) -> list[Text]:
    style = {"done": "green", "here": "bold"}.get(goal.mark, "")
    line = sheet.text(f"  {sheet.sign(goal.mark)} {goal.milestone.label:<{wide}}", style) + sheet.text(
        f"   {goal.text}"
    )
    if goal.command:
        line = line + sheet.text(": ") + sheet.text(goal.command, "bold")
    return sheet.paragraph(line, 0, _hanging(sheet, wide))
