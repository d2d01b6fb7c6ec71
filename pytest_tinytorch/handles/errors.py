"""What can end a check besides a wrong value, and what is known about an error on the student's side.

Every class here that can be raised derives from BaseException and from no builtin error, so that neither `except
Exception` nor a check that expects a TypeError can take it for the student's answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One line of the student's code on the way to an error: `tinytorch/losses.py`, 12, `forward`, its text."""

    file: str
    line: int
    function: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """A warning that the student's code gave: category `RuntimeWarning`, its text, the student's file and line."""

    category: str
    text: str
    file: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """What is known about an exception of the student's code.

    `bases` are the builtin exceptions that it derives from, nearest first; `frames` the student's frames,
    outermost first; `expression` what was evaluated, `definitions` the names in it; `importing` the module
    that was being imported, where it was one.
    """

    kind: str
    bases: tuple[str, ...]
    message: str
    frames: tuple[Frame, ...] = ()
    expression: str = ""
    definitions: dict[str, str] = field(default_factory=dict)
    importing: str | None = None


class Trouble(BaseException):
    """A check that cannot be decided: no right answer, and no wrong value either."""

    def __str__(self) -> str:
        return self.sentence()

    def sentence(self) -> str:
        """What happened, in one sentence."""
        return str(self.args[0]) if self.args else type(self).__name__


class ProtocolError(Trouble):
    """The student's process answered with something that is no message."""


class NotEvidence(Trouble):
    """A check looked at a handle where only a fetched plain value can decide."""


class Unsendable(Trouble):
    """A check tried to send the student's code what cannot be copied."""


class Interrupted(Trouble):
    """The student's code did not come back from an operation; where it was, as far as that is known."""

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        self.expression = ""
        self.definitions: dict[str, str] = {}
        self.frames: tuple[Frame, ...] = ()
        self.importing: str | None = None

    def where(self) -> str:
        """`while importing tinytorch.losses`, `in sigmoid(x)`, or nothing."""
        if self.importing:
            return f" while importing {self.importing}"
        return f" in {self.expression}" if self.expression else ""


class TimedOut(Interrupted):
    """The student's code used up its time."""

    def __init__(self, limit: float) -> None:
        super().__init__(limit)
        self.limit = limit

    def sentence(self) -> str:
        """What happened, in one sentence."""
        return f"no result after {self.limit:g} s{self.where()}"


class Endless(TimedOut):
    """An iteration over the student's object gave more items than any check asks for."""

    def __init__(self, items: int) -> None:
        super().__init__(0)
        self.items = items

    def sentence(self) -> str:
        """What happened, in one sentence."""
        return f"the iteration gave {self.items:,} items and did not end{self.where()}"


class WorkerDied(Interrupted):
    """The process that runs the student's code ended; `how` it ended."""

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how

    def sentence(self) -> str:
        """What happened, in one sentence."""
        return f"the process ended ({self.how}){self.where()}"


class StudentExit(Trouble):
    """The student's code tried to leave instead of to answer: SystemExit, KeyboardInterrupt, pytest.skip."""

    def __init__(self, remote: Remote) -> None:
        super().__init__(remote)
        self.remote = remote

    def sentence(self) -> str:
        """What happened, in one sentence."""
        said = f": {self.remote.message}" if self.remote.message else ""
        return f"the code raised {self.remote.kind}{said} instead of giving a result"
