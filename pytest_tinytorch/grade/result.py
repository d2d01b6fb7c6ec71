"""The grade of one submission, as plain data. Every output is made of this and of nothing else.

A check earns its points or none. The checks that are expected decide what there is to earn: one that did not run is in
the list, has earned nothing, and says why. Sums are worked out from the checks and never stored.

What depends on the clock stands apart (`Timing`), so that the same submission, seed and version give the same grade
byte for byte, wherever and however often it is graded.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from ..outcome import Claim, Finding, Outcome, Place

SCHEMA_VERSION = 1  # raised when a field changes its meaning or goes; a new field does not raise it
NOT_RUN = "not run"  # the outcome of a check that is expected and of which nothing was heard


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedCheck:
    """One check. `outcome` is an `Outcome`'s value or NOT_RUN; `cause` says what it waits for, or why it did not run.

    `points` is what it is worth here: its own points times the weight of its checkpoint.
    """

    name: str
    claim: str
    exercise: str | None
    points: int
    outcome: str
    cause: str = ""
    where: Place | None = None
    finding: Finding | None = None
    output: str = ""

    @property
    def passed(self) -> bool:
        """Whether it proved its claim."""
        return self.outcome == Outcome.PASSED.value

    @property
    def score(self) -> int:
        """The points that it has earned."""
        return self.points if self.passed else 0

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> GradedCheck:
        """The inverse of `dataclasses.asdict`, after a journey through JSON."""
        where, finding = data["where"], data["finding"]
        return cls(**data | {"where": where and Place(**where), "finding": finding and Finding.from_dict(finding)})


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedCheckpoint:
    """One checkpoint with all its checks. `due` and `late` are sentences or empty: a note, never a deduction."""

    number: int
    module: str
    capability: str
    weight: int
    checks: tuple[GradedCheck, ...]
    due: str = ""
    late: str = ""

    @property
    def label(self) -> str:
        """How outputs name it: `05 autograd`."""
        return f"{self.number:02} {self.module}"

    @property
    def score(self) -> int:
        """What it has earned."""
        return sum(check.score for check in self.checks)

    @property
    def max_score(self) -> int:
        """What there is to earn."""
        return sum(check.points for check in self.checks)

    @property
    def passed(self) -> int:
        """How many of its checks passed."""
        return sum(check.passed for check in self.checks)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> GradedCheckpoint:
        """The inverse of `dataclasses.asdict`."""
        return cls(**data | {"checks": tuple(GradedCheck.from_dict(check) for check in data["checks"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class GradedMilestone:
    """One milestone: all its points where every claim holds, otherwise none."""

    year: int
    name: str
    points: int
    outcome: str
    claims: tuple[Claim, ...] = ()
    cause: str = ""

    @property
    def label(self) -> str:
        """How outputs name it: `1986 MLP`."""
        return f"{self.year} {self.name}"

    @property
    def passed(self) -> bool:
        """Whether it was reached."""
        return self.outcome == Outcome.PASSED.value

    @property
    def score(self) -> int:
        """The points that it has earned."""
        return self.points if self.passed else 0

    @property
    def max_score(self) -> int:
        """What there is to earn."""
        return self.points

    def message(self) -> str:
        """What is missing, as a few plain lines; nothing for a milestone that was reached."""
        if self.passed:
            return ""
        open_claims = [f"{c.what}: {c.required}, reached {c.reached}" for c in self.claims if not c.holds]
        return "\n".join(line for line in (self.outcome, self.cause, *open_claims) if line)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> GradedMilestone:
        """The inverse of `dataclasses.asdict`."""
        return cls(**data | {"claims": tuple(Claim(**claim) for claim in data["claims"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Integrity:
    """Something that a person should look at, beside the score: it changes no points.

    `kind` is one of `forbidden import`, `delegation`, `tampered stub`, `tampered configuration` or
    `attack`; `says` is one sentence.
    """

    kind: str
    says: str
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds: of the whole, and of each check by `module::name`. Not part of what two runs must agree on."""

    seconds: float = 0.0
    checks: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """What one submission is worth.

    `student` is a name for gradebooks, `source` where it came from as it was given, `digest` the SHA-256 of what was
    graded, `commit` and `committed` of a repository. `seed` repeats the inputs. `trouble` is a sentence where the
    submission could not be graded whole (nothing to grade, out of time): what did not run has earned nothing.
    """

    student: str
    source: str
    digest: str
    version: str
    track: str
    seed: int
    checkpoints: tuple[GradedCheckpoint, ...]
    milestones: tuple[GradedMilestone, ...] = ()
    integrity: tuple[Integrity, ...] = ()
    notes: tuple[str, ...] = ()
    commit: str = ""
    committed: str = ""
    hardening: str = ""
    trouble: str = ""
    timing: Timing = Timing()

    @property
    def score(self) -> int:
        """What was earned."""
        return sum(part.score for part in self.parts())

    @property
    def max_score(self) -> int:
        """What there was to earn."""
        return sum(part.max_score for part in self.parts())

    def parts(self) -> Iterator[GradedCheckpoint | GradedMilestone]:
        """Checkpoints, then milestones."""
        yield from self.checkpoints
        yield from self.milestones

    def as_dict(self, *, timing: bool = True) -> dict[str, Any]:
        """Plain types, with the sums: what the JSON output holds. Without `timing` it is the same in every run."""
        whole = asdict(self)
        for part, data in zip(self.checkpoints, whole["checkpoints"], strict=True):
            data |= {"score": part.score, "max_score": part.max_score}
        for reached, data in zip(self.milestones, whole["milestones"], strict=True):
            data |= {"score": reached.score}
        if not timing:
            del whole["timing"]
        head = {"schema_version": SCHEMA_VERSION, "score": self.score, "max_score": self.max_score}
        plain: dict[str, Any] = json.loads(json.dumps(head | whole))  # lists for tuples
        return plain

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Grade:
        """The inverse of `as_dict`. Sums that do not follow from the checks are a ValueError."""
        claimed = {name: data[name] for name in ("score", "max_score")}
        names = {name for name in cls.__dataclass_fields__ if name in data}
        fields = {name: data[name] for name in names}
        fields["checkpoints"] = tuple(GradedCheckpoint.from_dict(_less(part)) for part in data["checkpoints"])
        fields["milestones"] = tuple(GradedMilestone.from_dict(_less(part)) for part in data["milestones"])
        fields["integrity"] = tuple(Integrity(**found) for found in data["integrity"])
        fields["notes"] = tuple(data["notes"])
        fields["timing"] = Timing(**data.get("timing", {}))
        grade = cls(**fields)
        if claimed != {"score": grade.score, "max_score": grade.max_score}:
            raise ValueError(f"the score {claimed['score']} of {claimed['max_score']} does not follow from the checks")
        return grade


def _less(part: dict[str, Any]) -> dict[str, Any]:
    """A part without its sums."""
    return {name: value for name, value in part.items() if name not in ("score", "max_score")}
