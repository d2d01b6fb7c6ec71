"""The report of a class as one self-contained page, for the instructor: light and dark, nothing to load, no script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from urllib.parse import quote

from ...reports import html
from ...reports.html import page, tag, text
from ...reports.text import count
from ..similarity import Pair
from .store import FEEDBACK, Run
from .tally import CheckCount, PartCount, Tally

BINS = 10  # of ten percent each; whoever earned everything has a column of their own
WIDE, HIGH, TOP, LEFT, GAP = 660, 150, 22, 10, 8
MOST_CHECKS, MOST_MISTAKES, MOST_FINDINGS, MOST_PAIRS = 25, 3, 200, 30
UNFOLDED = 12


def render(tally: Tally, run: Run, feedback: Mapping[str, str], pairs: Sequence[Pair] = ()) -> str:
    """The page as text."""
    own = files(__package__).joinpath("class.css").read_text(encoding="utf-8")
    return page(f"Class report: {run.assignment}", _body(tally, run, feedback, pairs), own)


def _body(tally: Tally, run: Run, feedback: Mapping[str, str], pairs: Sequence[Pair]) -> str:
    parts = [
        _header(tally, run),
        _histogram(tally),
        _troubles(tally),
        _parts("Checkpoints", tally.checkpoints.values(), len(tally.rows)),
        _parts("Milestones", tally.milestones.values(), len(tally.rows)),
        _failing(tally),
        _integrity(tally),
        _pairs(pairs),
        _students(tally, feedback),
        _footer(tally, run),
    ]
    return "\n".join(part for part in parts if part)


# ---- the sections -----------------------------------------------------------------------------------------


def _header(tally: Tally, run: Run) -> str:
    shares = tally.shares()
    worth = max((row.max_score for row in tally.rows), default=0)
    facts = [
        (str(len(tally.rows)), "submission" if len(tally.rows) == 1 else "submissions"),
        (f"{100 * tally.median():.0f} %", f"median, of {count(worth, 'point')}"),
        (f"{100 * shares[0]:.0f}–{100 * shares[-1]:.0f} %", "lowest and highest"),
        (str(sum(share == 1 for share in shares)), "with every point"),
        (str(sum(bool(row.trouble) for row in tally.rows)), "not graded whole"),
    ]
    items = "".join(f"<li>{tag('strong', number)} {text(about)}</li>" for number, about in facts)
    return f'<header>\n<h1>Class report: {text(run.assignment)}</h1>\n<ul class="facts">{items}</ul>\n</header>'


def _histogram(tally: Tally) -> str:
    """How many earned which part of the points."""
    names = [f"{100 * n // BINS}–{100 * (n + 1) // BINS}" for n in range(BINS)] + ["all"]
    counts = [0] * (BINS + 1)
    for share in tally.shares():
        counts[min(int(share * BINS), BINS)] += 1
    said = "; ".join(f"{name}: {number}" for name, number in zip(names, counts, strict=True) if number)
    columns = "".join(_column(n, name, counts[n], max(counts)) for n, name in enumerate(names))
    base = TOP + HIGH
    return (
        f'<section>\n<h2>Scores</h2>\n<svg class="histogram" role="img" aria-label="Students by percent of the points: '
        f'{text(said)}" viewBox="0 0 {LEFT + WIDE + LEFT} {base + 42}">\n{columns}'
        f'<line x1="{LEFT}" y1="{base}" x2="{LEFT + WIDE}" y2="{base}"/>'
        f'<text x="{LEFT + WIDE / 2:.0f}" y="{base + 38}" text-anchor="middle">percent of the points; students</text>'
        "\n</svg>\n</section>"
    )


def _column(n: int, name: str, number: int, most: int) -> str:
    wide = WIDE / (BINS + 1)
    x, middle, base = LEFT + n * wide, LEFT + (n + 0.5) * wide, TOP + HIGH
    high = max(HIGH * number / most, 2) if number else 0
    above = f'<text class="number" x="{middle:.1f}" y="{base - high - 6:.1f}" text-anchor="middle">{number}</text>'
    bar = f'<rect x="{x + GAP / 2:.1f}" y="{base - high:.1f}" width="{wide - GAP:.1f}" height="{high:.1f}" rx="2"/>'
    below = f'<text x="{middle:.1f}" y="{base + 18}" text-anchor="middle">{text(name)}</text>'
    return f"{bar + above if number else ''}{below}\n"


def _troubles(tally: Tally) -> str:
    rows = [("", text(row.student), text(row.trouble)) for row in tally.rows if row.trouble]
    if not rows:
        return ""
    table = html.table("Submissions that could not be graded, or not whole", ("", "student", "why"), rows)
    return _section("Not graded whole", _folded(count(len(rows), "submission"), table, len(rows)))


def _parts(title: str, parts: Iterable[PartCount], students: int) -> str:
    """Each checkpoint or milestone with how many have it."""
    rows = [
        (
            "",
            text(part.label),
            text(part.about.removeprefix("I can ")),
            f"{part.begun}",
            f"{part.full}",
            f'<span class="gauge"><span class="bar" style="--much: {100 * part.share:.1f}%"></span></span>',
            f"{100 * part.share:.0f} %",
        )
        for part in parts
    ]
    if not rows:
        return ""
    heads = ("", title[:-1].lower(), "I can …" if title == "Checkpoints" else "", "begun", "all points", "", "points")
    return _section(title, html.table(f"Of {count(students, 'student')}", heads, rows, "numbers"))


def _failing(tally: Tally) -> str:
    """The checks that most students fail, with the mistakes that were recognised."""
    rows = [_check(check) for check in tally.failing(MOST_CHECKS)]
    if not rows:
        return ""
    note = tag("p", "What is not written yet, or waits for something else, is not counted here.", "quiet")
    table = html.table("Wrong, raised or stuck", ("", "exercise", "what is not so", "students"), rows, "numbers")
    return _section("What fails most", note + table)


def _check(check: CheckCount) -> tuple[str, ...]:
    mistakes = check.mistakes.most_common()
    mistakes.sort(key=lambda one: (-one[1], one[0]))
    items = "".join(f"<li>{text(said)} ({number})</li>" for said, number in mistakes[:MOST_MISTAKES])
    listed = f'<ul class="mistakes">{items}</ul>' if items else ""
    return "", text(f"{check.label} {check.exercise}".strip()), f"{text(check.claim)}{listed}", f"{check.failed}"


def _integrity(tally: Tally) -> str:
    rows = [
        ("", text(student), text(found.kind), text(found.says), tag("code", _place(found.file, found.line)))
        for student, found in tally.integrity[:MOST_FINDINGS]
    ]
    if not rows:
        return ""
    left = len(tally.integrity) - len(rows)
    more = tag("p", f"And {left} more: see results.jsonl.", "quiet") if left else ""
    note = tag("p", "For a person to look at: none of this has changed a point.", "quiet")
    table = html.table("Findings", ("", "student", "kind", "what was found", "where"), rows)
    return _section("To look at", note + _folded(count(len(rows), "finding"), table, len(rows)) + more)


def _place(file: str, line: int) -> str:
    return f"{file}:{line}" if line else file


def _pairs(pairs: Sequence[Pair]) -> str:
    rows = [
        ("", text(pair.first), text(pair.second), f"{100 * pair.score:.0f} %", text(pair.says))
        for pair in pairs[:MOST_PAIRS]
    ]
    if not rows:
        return ""
    note = tag("p", "Alike beyond what the course hands out: read both before you think of anything else.", "quiet")
    heads = ("", "student", "and", "alike", "where")
    return _section("Most similar", note + html.table("Pairs", heads, rows, "numbers"))


def _students(tally: Tally, feedback: Mapping[str, str]) -> str:
    rows = [
        (
            "",
            f'<a href="{FEEDBACK}/{quote(feedback[row.student])}">{text(row.student)}</a>',
            f"{row.score} of {row.max_score}",
            count(row.late, "part") + " late" if row.late else "",
            count(row.findings, "finding") if row.findings else "",
            "not graded whole" if row.trouble else "",
        )
        for row in tally.rows
    ]
    table = html.table("With their feedback", ("", "student", "points", "", "", ""), rows, "numbers")
    return _section("Students", _folded(count(len(rows), "student"), table, len(rows)))


def _section(title: str, content: str) -> str:
    return f"<section>\n<h2>{text(title)}</h2>\n{content}\n</section>"


def _folded(title: str, content: str, rows: int) -> str:
    """Many rows are folded."""
    if rows <= UNFOLDED:
        return content
    return f"<details>\n<summary>{text(title)}</summary>\n{content}\n</details>"


def _footer(tally: Tally, run: Run) -> str:
    facts = [f"pytest-tinytorch {run.version}", f"seed {run.seed}", f"until {run.at}" if run.at else ""]
    said = tag("p", " · ".join(fact for fact in facts if fact))
    isolated = "".join(tag("p", f"Isolated: {sentence}") for sentence in sorted(tally.hardening))
    return f"<footer>\n{said}{isolated}\n</footer>"
