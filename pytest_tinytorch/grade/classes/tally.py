"""What the grades of a class have in common, counted while they pass by one after the other."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from ...outcome import Outcome
from ..result import NOT_RUN, Grade, GradedCheck, Integrity

FAILED = {Outcome.WRONG.value, Outcome.CRASHED.value, Outcome.TIMED_OUT.value}
NOT_BEGUN = {Outcome.UNWRITTEN.value, Outcome.BLOCKED.value, NOT_RUN}


@dataclass(kw_only=True)
class CheckCount:
    """One check over the class: how it ended, and which mistakes were recognised in it."""

    label: str
    exercise: str
    claim: str
    outcomes: Counter[str] = field(default_factory=Counter)
    mistakes: Counter[str] = field(default_factory=Counter)

    def add(self, check: GradedCheck) -> None:
        """Count one student's."""
        self.outcomes[check.outcome] += 1
        if check.finding and check.finding.mistake and not check.passed:
            self.mistakes[check.finding.mistake] += 1

    @property
    def failed(self) -> int:
        """How many students wrote something that fails here."""
        return sum(self.outcomes[outcome] for outcome in FAILED)


@dataclass(kw_only=True)
class PartCount:
    """One checkpoint or milestone over the class."""

    label: str
    about: str
    max_score: int = 0
    scores: list[int] = field(default_factory=list)
    begun: int = 0

    def add(self, score: int, max_score: int, *, begun: bool) -> None:
        """Count one student's."""
        self.scores.append(score)
        self.max_score = max(self.max_score, max_score)
        self.begun += begun

    @property
    def full(self) -> int:
        """How many earned everything."""
        return sum(score == self.max_score for score in self.scores)

    @property
    def share(self) -> float:
        """The mean share of its points that was earned, from 0 to 1."""
        worth = self.max_score * len(self.scores)
        return sum(self.scores) / worth if worth else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One student, as the report lists them; `graded`: something was run."""

    student: str
    score: int
    max_score: int
    late: int
    findings: int
    trouble: str
    graded: bool


@dataclass(kw_only=True)
class Tally:
    """The whole class."""

    rows: list[Row] = field(default_factory=list)
    checkpoints: dict[str, PartCount] = field(default_factory=dict)
    milestones: dict[str, PartCount] = field(default_factory=dict)
    checks: dict[tuple[str, str], CheckCount] = field(default_factory=dict)
    integrity: list[tuple[str, Integrity]] = field(default_factory=list)
    hardening: Counter[str] = field(default_factory=Counter)

    def add(self, grade: Grade) -> None:
        """Count one student's grade."""
        self.rows.append(
            Row(
                student=grade.student,
                score=grade.score,
                max_score=grade.max_score,
                late=sum(bool(part.late) for part in grade.checkpoints),
                findings=len(grade.integrity),
                trouble=grade.trouble,
                graded=any(check.outcome != NOT_RUN for part in grade.checkpoints for check in part.checks)
                or any(milestone.outcome != NOT_RUN for milestone in grade.milestones),
            )
        )
        self.integrity += [(grade.student, found) for found in grade.integrity]
        self.hardening.update([grade.hardening] if grade.hardening else [])
        self._add_parts(grade)

    def _add_parts(self, grade: Grade) -> None:
        for part in grade.checkpoints:
            count = self.checkpoints.setdefault(part.label, PartCount(label=part.label, about=part.capability))
            count.add(part.score, part.max_score, begun=any(check.outcome not in NOT_BEGUN for check in part.checks))
            for check in part.checks:
                known = self.checks.get((part.label, check.name))
                if known is None:
                    known = CheckCount(label=part.label, exercise=check.exercise or "", claim=check.claim)
                    self.checks[part.label, check.name] = known
                known.add(check)
        for reached in grade.milestones:
            count = self.milestones.setdefault(reached.label, PartCount(label=reached.label, about=""))
            count.add(reached.score, reached.max_score, begun=reached.outcome not in NOT_BEGUN)

    def failing(self, most: int) -> list[CheckCount]:
        """The checks that most students fail, most first."""
        found = [check for check in self.checks.values() if check.failed]
        return sorted(found, key=lambda check: (-check.failed, check.label, check.claim))[:most]

    def shares(self) -> list[float]:
        """The share of all points that each student has earned, from 0 to 1, in order."""
        return sorted(row.score / row.max_score if row.max_score else 0.0 for row in self.rows)

    def median(self) -> float:
        """The middle of the shares."""
        shares = self.shares()
        middle = len(shares) // 2
        return shares[middle] if len(shares) % 2 else (shares[middle - 1] + shares[middle]) / 2
