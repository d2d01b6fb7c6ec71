"""The report as GitHub-flavoured Markdown: for a pull request, a job summary, an issue."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from ..outcome import Outcome
from .drawing import drawn
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
    tiers,
    unbuilt_goals,
    waiting,
)
from .text import plain, sentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from ..exhibits import Exhibit
    from ..outcome import MilestoneResult, Run
    from .panels import Panel
    from .summary import Tier

MARKS = {"done": "✓", "here": "▸", "": ""}
UNFOLDED = 12  # rows of a table that stay open
CODE = {"Smaller", "Aim at", *COMMANDS}


def render(run: Run) -> str:
    """The report as text."""
    parts = [
        "# Course report",
        _summary(run),
        *_passed(run),
        *(_milestone(result) for result in run.milestones),
        *_panels(run),
        _waiting(run),
        "## The course",
        *(_tier(tier) for tier in tiers(run)),
        _goals(run),
        _footer(run),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def write(run: Run, path: Path) -> None:
    """Write the report."""
    path.write_text(render(run), encoding="utf-8", errors="backslashreplace")


# ---- text in Markdown -------------------------------------------------------------------------------------


def inline(text: str) -> str:
    """Text on one line whose characters mean nothing to Markdown or HTML."""
    words = " ".join(plain(text).split())
    return re.sub(r"([\\`*_{}\[\]<>#|~@$])", r"\\\1", words).replace("\\@", "&#64;").replace("\\<", "&lt;")


def code(text: str) -> str:
    """Code within a line, between more backticks than it holds."""
    words = " ".join(plain(text).split())
    fence = "`" * (_longest_run(words) + 1)
    pad = " " if words.startswith("`") or words.endswith("`") else ""
    return f"{fence}{pad}{words}{pad}{fence}" if words else ""


def fenced(text: str, language: str = "text") -> str:
    """A block of code, between more backticks than it holds."""
    safe = plain(text)
    fence = "`" * max(3, _longest_run(safe) + 1)
    return f"{fence}{language}\n{safe}\n{fence}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown already; a bar within code needs its backslash there too."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell_code(text: str) -> str:
    return code(text).replace("|", "\\|")


# ---- the sections -----------------------------------------------------------------------------------------


def _summary(run: Run) -> str:
    step = next_step(run)
    return f"{inline(sentence(score(run)))}\n\n**Next:** {inline(step.text)} {code(step.command)}".rstrip()


def _passed(run: Run) -> list[str]:
    lines = []
    for line in passed(run):
        text = f"✓ **{inline(line.sentence)}**" if line.proved else inline(line.sentence)
        lines.append("\n".join([text, *(["", *(f"- {inline(c)}" for c in line.claims)] if line.claims else [])]))
    return lines


def _milestone(result: MilestoneResult) -> str:
    sign = "✓" if result.outcome is Outcome.PASSED else "✗"
    claims = [("✓" if c.holds else "✗", *map(inline, (c.what, c.required, c.reached))) for c in result.claims]
    ran = [
        (_cell_code(f"{r.file}:{r.line}"), _cell_code(r.function), f"{r.used} of {r.lines}") for r in most_used(result)
    ]
    stopped = milestone_panel(result)
    parts = [
        f"## {sign} {inline(milestone_sentence(result))}",
        fenced("\n".join(result.story)) if result.story else "",
        inline(reason(result)),
        table(("", "claim", "required", "reached"), claims) if claims else "",
        *(_exhibit(exhibit) for exhibit in result.exhibits),
        _ran(ran_sentence(result), ran),
        _panel(stopped) if stopped else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _ran(sentence: str, rows: list[tuple[str, str, str]]) -> str:
    """The functions that ran; many are folded."""
    shown = table(("where", "function", "lines that ran"), rows) if rows else ""
    if len(rows) <= UNFOLDED:
        return "\n\n".join(part for part in (inline(sentence), shown) if part)
    return f"<details><summary>{html.escape(sentence)}</summary>\n\n{shown}\n\n</details>"


def _exhibit(exhibit: Exhibit) -> str:
    return f"**{inline(exhibit.title)}**\n\n" + fenced("\n".join(drawn(exhibit, 76, "utf-8")))


def _panels(run: Run) -> list[str]:
    """The first open result in full, the hint, then each further failure folded."""
    first = [_panel(shown) for shown in every_panel(run)[:1]]
    hint = [_panel(hint_panel(run, run.hint))] if run.hint else []
    return [*first, *hint, *(_folded(shown) for shown in every_panel(run)[1:])]


def _folded(shown: Panel) -> str:
    summary = f"{shown.label} · {html.escape(' '.join(plain(shown.title).split()))}"
    return f"<details><summary>{summary}</summary>\n\n{_panel_body(shown)}\n\n</details>"


def _panel(shown: Panel) -> str:
    return f"## {shown.label} · {inline(shown.title)}\n\n{_panel_body(shown)}"


def _panel_body(shown: Panel) -> str:
    trace = "\n".join(f"{place}\n    {plain(place.text).strip()}".rstrip() for place in shown.trace)
    parts = [
        " · ".join(part for part in (code(shown.place), inline(shown.aside)) if part),
        fenced("\n".join(shown.call), "python") if shown.call else "",
        fenced(_compared(shown)) if shown.sides else "",
        fenced(trace) if trace else "",
        inline(shown.prose),
        f"**Likely mistake:** {inline(shown.mistake)}" if shown.mistake else "",
        "\n".join(f"- {label}: {code(value) if label in CODE else inline(value)}" for label, value in shown.pointers),
    ]
    return "\n\n".join(part for part in parts if part)


def _compared(shown: Panel) -> str:
    lines = []
    for label, block in shown.sides:
        for n, line in enumerate(plain(block).rstrip().splitlines()):
            lines.append(f"{'' if n else label:<11}{line}")
    return "\n".join([*lines, *([f"{'':<11}{shown.difference}"] if shown.difference else [])])


def _waiting(run: Run) -> str:
    lines = [f"- **{line.label}** {inline(line.text)}" for line in waiting(run)]
    return "\n".join(["## Also open", "", *lines]) if lines else ""


def _tier(tier: Tier) -> str:
    rows = [
        (
            MARKS[row.mark],
            row.module.label,
            inline(row.module.capability),
            row.state.status.value,
            f"{'★' * row.module.stars} {row.effort}" if row.effort else "",
            inline(row.detail or row.note),
        )
        for row in tier.rows
    ]
    parts = [
        f"### {inline(tier.name)}",
        table(("", "module", "capability", "status", "effort", ""), rows) if rows else "",
        f"Provided, solved: {tier.provided}." if tier.provided else "",
        f"Not built yet: {tier.unbuilt}." if tier.unbuilt else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _goals(run: Run) -> str:
    rows = [
        (MARKS[goal.mark], inline(goal.milestone.label), f"{inline(goal.text)} {code(goal.command)}".rstrip())
        for goal in goals(run)
    ]
    missing = unbuilt_goals(run)
    parts = [
        table(("", "milestone", ""), rows) if rows else "",
        f"Not built yet: {missing}." if missing else "",
    ]
    return "\n\n".join(["### Milestones", *filter(None, parts)]) if any(parts) else ""


def _footer(run: Run) -> str:
    facts = [f"package {code(run.package)}" if run.package else "", f"{run.mode} mode", f"seed {run.seed}"]
    again = replay(run)
    facts += [f"the same random numbers: {code(again)}"] if again else []
    return "; ".join(fact for fact in facts if fact) + (
        f"\n\nIsolated: {inline(run.hardening)}" if run.hardening else ""
    )
