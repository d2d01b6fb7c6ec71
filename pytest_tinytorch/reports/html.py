"""The report as one self-contained page: light and dark, on a phone too, without scripts or anything to load."""

from __future__ import annotations

import html
from importlib.resources import files
from typing import TYPE_CHECKING

from ..course import MILESTONES, MODULES
from ..outcome import Outcome, Status
from . import journey
from .figures import figure
from .panels import COMMANDS, every_panel, hint_panel, milestone_panel
from .summary import (
    goals,
    milestone_sentence,
    most_used,
    next_step,
    passed,
    ran_sentence,
    reason,
    replay,
    score,
    status_of,
    tiers,
    unbuilt_goals,
    waiting,
)
from .text import plain, sentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from ..outcome import MilestoneResult, Run
    from .panels import Panel
    from .summary import Goal, Row, Tier

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
MARKS = {"done": "✓", "here": "▸", "": ""}
KINDS = {Status.PROVED: "done", Status.PROVIDED: "given"}  # of modules in the picture of the course
KEY = (
    '<p class="quiet">An arrow leads from a module to those that need it. Green: proved; green dots: provided; '
    "violet: next; faint: not in your track.</p>"
)
UNFOLDED = 12  # rows of a table that stay open
CODE = {"Smaller", "Aim at", *COMMANDS}


def render(run: Run) -> str:
    """The report as text."""
    return page("Course report", _body(run), journey.STYLE)


def page(title: str, body: str, own: str = "") -> str:
    """A page that holds everything it needs; `own` is its style beyond that of all pages."""
    style = files(__package__).joinpath("report.css").read_text(encoding="utf-8") + own
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>{text(title)}</title>
<style>
{style}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def write(run: Run, path: Path) -> None:
    """Write the page."""
    path.write_text(render(run), encoding="utf-8", errors="xmlcharrefreplace")


def _body(run: Run) -> str:
    parts = [
        _header(run),
        _passed(run),
        *(_milestone(result) for result in run.milestones),
        _panels(run),
        _waiting(run),
        '<section>\n<h2 id="course">The course</h2>',
        _journey(run),
        *(_tier(tier) for tier in tiers(run)),
        _goals(run),
        "</section>",
        _footer(run),
    ]
    return "\n".join(part for part in parts if part)


# ---- elements ---------------------------------------------------------------------------------------------


def text(content: str) -> str:
    """Text whose characters mean nothing to HTML."""
    return html.escape(plain(content))


def tag(name: str, content: str, kind: str = "") -> str:
    """An element around text that is escaped here; empty where there is no text."""
    attribute = f' class="{kind}"' if kind else ""
    return f"<{name}{attribute}>{text(content)}</{name}>" if content else ""


def pre(content: str) -> str:
    """A block that keeps its columns and can be scrolled by keyboard."""
    return f'<pre tabindex="0">{text(content)}</pre>' if content else ""


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]], kind: str = "plain") -> str:
    """A table whose cells are HTML already and whose second column names the row."""
    head = "".join(f'<th scope="col">{text(h)}</th>' for h in heads)
    body = "\n".join("<tr>" + "".join(_cell(n, cell) for n, cell in enumerate(row)) + "</tr>" for row in rows)
    marked = "" if heads[0] else " marked"
    return (
        f'<table class="{kind}{marked}">'
        f"\n<caption>{text(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{body}\n</tbody>\n</table>"
    )


def _cell(n: int, content: str) -> str:
    return f'<th scope="row">{content}</th>' if n == 1 else f"<td>{content}</td>"


# ---- the sections -----------------------------------------------------------------------------------------


def _header(run: Run) -> str:
    step = next_step(run)
    return (
        f"<header>\n<h1>Course report</h1>\n{tag('p', sentence(score(run)))}\n"
        f'<p class="next"><strong>Next:</strong> {text(step.text)} {tag("code", step.command)}</p>\n</header>'
    )


def _passed(run: Run) -> str:
    items = []
    for line in passed(run):
        claims = "".join(tag("li", claim) for claim in line.claims)
        head = tag("strong", f"✓ {line.sentence}", "good") if line.proved else text(line.sentence)
        items.append(f"<li>{head}{f'<ul>{claims}</ul>' if claims else ''}</li>")
    return (
        f'<section>\n<h2>Passed in this run</h2>\n<ul class="plain">{"".join(items)}</ul>\n</section>' if items else ""
    )


def _milestone(result: MilestoneResult) -> str:
    reached = result.outcome is Outcome.PASSED
    sign = _sign(holds=reached)
    story = "".join(tag("p", line, "story") for line in result.story)
    claims = [(_sign(holds=c.holds), text(c.what), text(c.required), text(c.reached)) for c in result.claims]
    ran = [
        (tag("code", f"{r.file}:{r.line}"), tag("code", r.function), f"{r.used} of {r.lines}")
        for r in most_used(result)
    ]
    stopped = milestone_panel(result)
    parts = [
        f"<section>\n<h2>{sign} {text(milestone_sentence(result))}</h2>",
        story,
        tag("p", reason(result)),
        table("What was claimed", ("", "claim", "required", "reached"), claims) if claims else "",
        *(figure(exhibit) for exhibit in result.exhibits),
        _ran(ran_sentence(result).rstrip(":"), ran),
        _panel(stopped) if stopped else "",
        "</section>",
    ]
    return "\n".join(part for part in parts if part)


def _ran(sentence: str, rows: list[tuple[str, str, str]]) -> str:
    """The functions that ran; many are folded."""
    shown = table(sentence, ("where", "function", "lines that ran"), rows) if rows else ""
    if len(rows) <= UNFOLDED:
        return shown
    return f"<details>\n<summary>{text(sentence)}</summary>\n{shown}\n</details>"


def _sign(*, holds: bool) -> str:
    return '<span class="good">✓</span>' if holds else '<span class="bad">✗</span>'


def _panels(run: Run) -> str:
    shown = every_panel(run)
    hint = _panel(hint_panel(run, run.hint)) if run.hint else ""
    if not shown:
        return hint
    first, *rest = shown
    more = "\n".join(_folded(one) for one in rest)
    return "\n".join(["<section>", "<h2>Open</h2>", _panel(first), hint, more, "</section>"])


def _folded(shown: Panel) -> str:
    return f"<details>\n<summary>{_title(shown)}</summary>\n{_panel_body(shown)}\n</details>"


def _title(shown: Panel) -> str:
    return f'<span class="label {shown.label.lower()}">{text(shown.label)}</span> {text(shown.title)}'


def _panel(shown: Panel) -> str:
    return f"<article>\n<h3>{_title(shown)}</h3>\n{_panel_body(shown)}\n</article>"


def _panel_body(shown: Panel) -> str:
    sides = "".join(f'<dt class="{label}">{text(label)}</dt><dd>{pre(block)}</dd>' for label, block in shown.sides)
    trace = "\n".join(f"{place}\n    {place.text.strip()}".rstrip() for place in shown.trace)
    aside = f" · {text(shown.aside)}" if shown.aside else ""
    parts = [
        f"<p>{tag('code', shown.place)}{aside}</p>" if shown.place else "",
        pre("\n".join(shown.call)),
        f"<dl>{sides}</dl>" if sides else "",
        tag("p", shown.difference),
        pre(trace),
        tag("p", shown.prose),
        f"<p><strong>Likely mistake:</strong> {text(shown.mistake)}</p>" if shown.mistake else "",
        _pointers(shown),
    ]
    return "\n".join(part for part in parts if part)


def _pointers(shown: Panel) -> str:
    items = [
        f"<dt>{text(label)}</dt><dd>{tag('code', value) if label in CODE else text(value)}</dd>"
        for label, value in shown.pointers
    ]
    return f'<dl class="pointers">{"".join(items)}</dl>' if items else ""


def _waiting(run: Run) -> str:
    items = [
        f'<li><span class="label {line.label.lower()}">{line.label}</span> {text(line.text)}</li>'
        for line in waiting(run)
    ]
    return f'<section>\n<h2>Also open</h2>\n<ul class="plain">{"".join(items)}</ul>\n</section>' if items else ""


def _journey(run: Run) -> str:
    """The course as a picture, and how far this student has come in it."""
    here, members = run.next_module(), {*run.track.modules, *run.track.provided}
    modules = {module.number: KINDS.get(status_of(run, module), "") for module in members}
    modules |= {here.number: "here"} if here else {}
    milestones = {goal.milestone.number: goal.mark for goal in goals(run)}
    outside = {m.number: "elsewhere" for m in MODULES}, {m.number: "elsewhere" for m in MILESTONES}
    return f"<figure>\n{journey.figure(outside[0] | modules, outside[1] | milestones)}\n{KEY}\n</figure>"


def _tier(tier: Tier) -> str:
    heads = ("", "module", "I can …", "status", "effort")
    rows = [_row(row) for row in tier.rows]
    notes = [("Provided, solved", tier.provided), ("Not built yet", tier.unbuilt)]
    parts = [
        table(tier.name, heads, rows, "map") if rows else tag("h3", tier.name),
        *(tag("p", f"{note}: {span}.", "quiet") for note, span in notes if span),
    ]
    return "\n".join(parts)


def _row(row: Row) -> tuple[str, ...]:
    stars = f'<span role="img" aria-label="{row.module.stars} of 5 stars">{"★" * row.module.stars}</span>'
    status = row.detail or " · ".join(part for part in (row.state.status.value, row.note) if part)
    return (
        _mark(row.mark),
        text(row.module.label),
        text(row.module.capability.removeprefix("I can ")),
        text(status),
        f"{stars} {text(row.effort)}" if row.effort else "",
    )


def _mark(mark: str) -> str:
    return f'<span class="{mark}">{MARKS[mark]}</span>' if mark else ""


def _goals(run: Run) -> str:
    rows = [_goal(goal) for goal in goals(run)]
    missing = unbuilt_goals(run)
    parts = [
        table("Milestones", ("", "milestone", ""), rows) if rows else tag("h3", "Milestones") if missing else "",
        tag("p", f"Not built yet: {missing}.", "quiet") if missing else "",
    ]
    return "\n".join(part for part in parts if part)


def _goal(goal: Goal) -> tuple[str, ...]:
    command = f" {tag('code', goal.command)}" if goal.command else ""
    return _mark(goal.mark), text(goal.milestone.label), text(goal.text) + command


def _footer(run: Run) -> str:
    again = replay(run)
    facts = [
        f"package {tag('code', run.package)}" if run.package else "",
        f"{text(run.mode)} mode",
        f"seed {run.seed}",
        f"the same random numbers: {tag('code', again)}" if again else "",
    ]
    isolated = tag("p", f"Isolated: {run.hardening}") if run.hardening else ""
    return f"<footer>\n<p>{' · '.join(fact for fact in facts if fact)}</p>\n{isolated}\n</footer>"
