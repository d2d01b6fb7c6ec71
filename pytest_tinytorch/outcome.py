"""What came of each check, as plain data.

A check ends in one of seven ways, a milestone in one of eight. Reports, progress and grades all read the same
`Result`; nothing here knows pytest, a terminal or a file format.
"""

from __future__ import annotations

import enum
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from . import exhibits

if TYPE_CHECKING:
    from .course import Milestone, Module, Track
    from .exhibits import Exhibit


class Outcome(str, enum.Enum):
    """How a check ended. The value is what reports and files call it."""

    PASSED = "passed"
    UNWRITTEN = "not written"
    WRONG = "wrong"
    BLOCKED = "blocked"
    CRASHED = "crashed"
    TIMED_OUT = "timed out"
    BROKEN = "checker broke"
    NO_DATA = "data missing"

    @property
    def is_failure(self) -> bool:
        """Whether the student's own code is at fault here (not: unwritten, blocked, no data, or our own fault)."""
        return self in {Outcome.WRONG, Outcome.CRASHED, Outcome.TIMED_OUT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A line of the student's code: `tinytorch/activations.py:88  softmax`."""

    file: str
    line: int
    function: str = ""
    text: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}  {self.function}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a failed check found, in the order in which a report tells it.

    `call` is what was called, short enough to paste (`given` are the definitions of its names, one a line);
    `expected` and `got` are blocks of aligned text; `difference` says where they differ; `mistake` is the
    likely mistake, only where the wrong value was recognised; `smaller` is a smaller experiment with its answer.
    `trace` is the way through the student's own lines, outermost first, where something was raised.
    """

    call: str = ""
    given: tuple[str, ...] = ()
    expected: str = ""
    got: str = ""
    difference: str = ""
    mistake: str = ""
    smaller: str = ""
    trace: tuple[Place, ...] = ()

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Finding:
        """The inverse of `dataclasses.asdict`, after a journey through JSON."""
        places = tuple(Place(**place) for place in data["trace"])
        return cls(**data | {"given": tuple(data["given"]), "trace": places})


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One check of one run.

    `check` is pytest's node id, `number` the checkpoint, `exercise` the function that the check is about
    (`softmax`; None for checks of the environment), `claim` the sentence that it proves, `cause` what a blocked
    or unwritten check waits for, as `activations.softmax` or a sentence.
    """

    check: str
    number: int
    module: str
    exercise: str | None
    claim: str
    points: int
    outcome: Outcome
    seconds: float = 0.0
    seed: int | None = None
    where: Place | None = None
    finding: Finding | None = None
    cause: str = ""
    output: str = ""

    @property
    def name(self) -> str:
        """The check's own name, for `-k`."""
        return self.check.rpartition("::")[2].removeprefix("test_")

    def as_dict(self) -> dict[str, Any]:
        """Plain types only, so that it travels between processes and into files."""
        return asdict(self) | {"outcome": self.outcome.value}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Result:
        """The inverse of `as_dict`."""
        where, finding = data["where"], data["finding"]
        return cls(
            **data
            | {
                "outcome": Outcome(data["outcome"]),
                "where": where and Place(**where),
                "finding": finding and Finding.from_dict(finding),
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One line of a milestone's table: what was required, what was reached."""

    what: str
    required: str
    reached: str
    holds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A function of the student's that a milestone ran: `used` of its `lines` lines."""

    file: str
    line: int
    function: str
    used: int
    lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneResult:
    """One milestone of one run. `outcome` is PASSED when every claim holds.

    `exhibits` are for show: the judge made them of the student's answers, and they decide nothing.
    """

    number: int
    label: str
    outcome: Outcome
    claims: tuple[Claim, ...] = ()
    story: tuple[str, ...] = ()
    ran: tuple[Ran, ...] = ()
    seconds: float = 0.0
    seed: int | None = None
    full: bool = False
    cause: str = ""
    finding: Finding | None = None
    exhibits: tuple[Exhibit, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain types only."""
        shown = [exhibits.as_dict(exhibit) for exhibit in self.exhibits]
        return asdict(self) | {"outcome": self.outcome.value, "exhibits": shown}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> MilestoneResult:
        """The inverse of `as_dict`."""
        finding = data["finding"]
        return cls(
            **data
            | {
                "outcome": Outcome(data["outcome"]),
                "claims": tuple(Claim(**claim) for claim in data["claims"]),
                "story": tuple(data["story"]),
                "ran": tuple(Ran(**ran) for ran in data["ran"]),
                "finding": finding and Finding.from_dict(finding),
                "exhibits": tuple(exhibits.from_dict(exhibit) for exhibit in data["exhibits"]),
            }
        )


class Status(str, enum.Enum):
    """What is known of a checkpoint, this run and what was remembered taken together."""

    PROVED = "proved"
    STALE = "edited since"
    BEGUN = "begun"
    OPEN = "open"
    PROVIDED = "provided"
    UNBUILT = "not built yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The status of one checkpoint, with how many of its checks passed and their points where it was run."""

    status: Status
    passed: int = 0
    total: int = 0
    points: int = 0
    when: str = ""


@dataclass(kw_only=True)
class Run:
    """Everything that one pytest run found out, as a report needs it.

    `states` holds every checkpoint's state by number, `reached` the milestones reached so far by number (the value
    is the day). `mode` is "loop" or "isolated", `hardening` the sentence that says what isolation limits here.
    """

    track: Track
    results: list[Result] = field(default_factory=list)
    milestones: list[MilestoneResult] = field(default_factory=list)
    states: dict[int, State] = field(default_factory=dict)
    reached: dict[int, str] = field(default_factory=dict)
    seed: int = 0
    mode: str = "loop"
    hardening: str = ""
    package: str = ""
    hint: Hint | None = None

    @property
    def first(self) -> Result | None:
        """The first result that needs the student's hands; what is wrong comes before what is not begun."""
        order = (Outcome.CRASHED, Outcome.WRONG, Outcome.TIMED_OUT, Outcome.UNWRITTEN, Outcome.BROKEN)
        open_results = [r for r in self.results if r.outcome in order]
        return min(open_results, key=lambda r: (r.number, r.outcome is Outcome.UNWRITTEN), default=None)

    def next_module(self) -> Module | None:
        """The first module of the track that is built and not proved; None when the track is done."""
        done = {Status.PROVED, Status.PROVIDED}
        for module in self.track.modules:
            if module.built and self.states.get(module.number, State(status=Status.OPEN)).status not in done:
                return module
        return None

    def is_unlocked(self, milestone: Milestone) -> bool:
        """Whether every module that the milestone runs on is proved or provided."""
        done = {Status.PROVED, Status.PROVIDED}
        return all(
            module.number in self.states and self.states[module.number].status in done for module in milestone.needs
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """One rung of a hint ladder: `level` of 3."""

    exercise: str
    level: int
    text: str
