"""Text of a submission in files that other programs read: plain, short, and a command to none of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...outcome import Outcome
from ...reports.text import plain

if TYPE_CHECKING:
    from ...outcome import Finding
    from ..result import GradedCheck, GradedCheckpoint

LONGEST = 5000  # characters of one text
WHOLE = "the module as a whole"  # what a check is about that is about no exercise


def line(text: str, limit: int = 200) -> str:
    """The text on one line of at most `limit` characters, each of them visible."""
    words = " ".join(plain(text[: 4 * limit + 4]).split())
    return words if len(words) <= limit and len(text) <= 4 * limit + 4 else words[: max(limit - 1, 0)] + "…"


def block(text: str, limit: int = 2000) -> str:
    """The text's beginning, of at most `limit` characters, each of them visible; it says how much is missing."""
    shown = plain(text[:limit])[:limit].rstrip()
    left = len(text.rstrip()) - limit
    return f"{shown}\n… {left:,} more characters" if left > 0 else shown


def quiet(text: str) -> str:
    """The text as a workflow's log may show it: `::` that begins a line and `##[` anywhere would be commands."""
    return re.sub(r"(?m)^(\s*):(?=:)", r"\1: ", text).replace("##[", "## [")


def told(check: GradedCheck) -> str:
    """What came of a check that did not pass: its claim, where it stopped, the call, and the two sides aligned."""
    found = check.finding
    lines = [f"{check.outcome}: {cut(check.claim)}", cut(str(check.where or "")), cause(check)]
    if found:
        lines += [*called(found), compared(found), cut(found.mistake)]
    return "\n".join(text for text in lines if text)


def cut(text: str) -> str:
    """What is read of a text at most, whatever its length: a submission may say megabytes."""
    return f"{text[:LONGEST]}…" if len(text) > LONGEST else text


def called(found: Finding) -> list[str]:
    """The call, after the definitions of its names."""
    return [cut(text) for text in (*found.given, found.call) if text]


def cause(check: GradedCheck) -> str:
    """What a check waits for, or why it did not run."""
    return cut(f"waits for {check.cause}" if check.outcome == Outcome.BLOCKED and check.cause else check.cause)


def compared(found: Finding) -> str:
    """Expected and got, each a block beside its name."""
    sides = (("expected", found.expected), ("got", found.got), ("", found.difference))
    return "\n".join(f"{name:<10}{cut(text)}".replace("\n", f"\n{'':10}") for name, text in sides if text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercise:
    """The checks of one exercise: what a student thinks of as one piece of work."""

    name: str
    checks: tuple[GradedCheck, ...]

    @property
    def score(self) -> int:
        """What its checks have earned."""
        return sum(check.score for check in self.checks)

    @property
    def max_score(self) -> int:
        """What they are worth."""
        return sum(check.points for check in self.checks)

    @property
    def passed(self) -> bool:
        """Whether all of them passed."""
        return all(check.passed for check in self.checks)


def exercises(part: GradedCheckpoint) -> list[Exercise]:
    """A checkpoint's checks by exercise, in the order in which the exercises first come up."""
    by_name: dict[str, list[GradedCheck]] = {}
    for check in part.checks:
        by_name.setdefault(check.exercise or WHOLE, []).append(check)
    return [Exercise(name=name, checks=tuple(checks)) for name, checks in by_name.items()]
