"""From how a check ended to what the student is told: the one place that decides between the outcomes.

The student's code is at fault only where an exception says that it came from there. Anything else that a check
raises is the checker's own fault.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from .checking import Mismatch
from .handles import Interrupted, NotEvidence, ProtocolError, StudentExit, TimedOut, WorkerDied
from .outcome import Finding, Outcome, Place, Result

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from .course import Module
    from .handles import Frame, Remote
    from .sources import Sources


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What is known of a check before it runs."""

    id: str
    module: Module
    exercise: str | None
    claim: str
    points: int

    @property
    def about(self) -> str:
        """The exercise with its module: `activations.softmax`."""
        return f"{self.module.name}.{self.exercise}" if self.exercise else ""


# what the harness met on the student's side, and whose sentence already says it
_HARNESS: dict[type, Outcome] = {
    WorkerDied: Outcome.CRASHED,
    ProtocolError: Outcome.CRASHED,
    NotEvidence: Outcome.WRONG,
}


class Unwritten(BaseException):
    """A stub stands where the check's exercise should be; seen before anything was run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """An outcome, with what the student is told."""

    outcome: Outcome
    where: Place | None = None
    finding: Finding | None = None
    cause: str = ""


def as_result(check: Check, verdict: Verdict, *, seconds: float = 0.0, seed: int, output: str = "") -> Result:
    """The record of one check."""
    return Result(
        check=check.id,
        number=check.module.number,
        module=check.module.name,
        exercise=check.exercise,
        claim=check.claim,
        points=check.points,
        outcome=verdict.outcome,
        seconds=seconds,
        seed=seed,
        where=verdict.where,
        finding=verdict.finding,
        cause=verdict.cause,
        output=output,
    )


class Judge:
    """Decides what the end of a check means, knowing the student's files and what has failed so far."""

    def __init__(self, sources: Sources, failing: Collection[str] = ()) -> None:
        self._sources = sources
        self._failing = set(failing)
        self._broken_files: set[str] = set()

    def is_stub(self, check: Check) -> bool:
        """Whether the check's exercise is still a stub."""
        if not check.exercise:
            return False
        definition = self._sources[check.module.name].definitions.get(check.exercise)
        return definition is not None and definition.is_stub

    @property
    def has_failing(self) -> bool:
        """Whether some exercise is known to be wrong, so that it may be the cause of what fails next."""
        return bool(self._failing)

    def verdict(
        self,
        check: Check,
        error: BaseException | None,
        called: Iterable[tuple[str, int]] = (),
        plain: Mapping[str, str] = MappingProxyType({}),
    ) -> Verdict:
        """What a check's end means.

        `called` are the student's functions that it entered, where that is known; `plain` the plain values that the
        student's code gave it, as the call that gave the last one by the name of its type.
        """
        if error is None:
            return Verdict(outcome=Outcome.PASSED)
        found = self._not_an_object(check, error, plain) or self._of_error(check, error)
        if not found.outcome.is_failure:
            return found
        blocker = self._blocker(check, called, getattr(error, "frames", ()))
        if blocker:
            return replace(found, outcome=Outcome.BLOCKED, cause=blocker)
        if check.exercise:
            self._failing.add(check.about)
        return found

    def _blocker(self, check: Check, called: Iterable[tuple[str, int]], hung: Iterable[Frame]) -> str:
        """An exercise, other than the check's own, that is known to be wrong and that the check ran, or hung in."""
        entered = {self._sources.function_at(file, first) for file, first in called}
        entered |= {self._sources.function_around(frame.file, frame.line, frame.function) for frame in hung}
        wrong = sorted(name for name in entered if name in self._failing and name != check.about)
        return wrong[0] if wrong and check.about not in self._failing else ""

    def _of_error(self, check: Check, error: BaseException) -> Verdict:
        place = self._place(check)
        remote: Remote | None = getattr(error, "remote", None)
        if isinstance(error, Unwritten):
            return Verdict(outcome=Outcome.UNWRITTEN, where=place, cause=check.about)
        if isinstance(error, Mismatch):
            return Verdict(outcome=Outcome.WRONG, where=place, finding=error.finding)
        if isinstance(error, Interrupted) and error.importing and self._is_known_broken(error.importing):
            return self._blocked_by_import(error.importing)
        if isinstance(error, TimedOut):
            return self._timed_out(check, error)
        if remote is not None:
            return self._of_remote(check, remote, leaves=isinstance(error, StudentExit))
        outcome = _HARNESS.get(type(error), Outcome.BROKEN)
        got = str(error) if type(error) in _HARNESS else f"{type(error).__name__}: {error}"
        return Verdict(outcome=outcome, where=place, finding=Finding(call=getattr(error, "expression", ""), got=got))

    def _of_remote(self, check: Check, remote: Remote, *, leaves: bool) -> Verdict:
        if remote.importing:
            return self._import_failed(check, remote)
        if remote.bases[:1] == ("NotImplementedError",):
            return self._unwritten(check, remote)
        return self._raised(check, remote, leaves=leaves)

    def _not_an_object(self, check: Check, error: BaseException, plain: Mapping[str, str]) -> Verdict | None:
        """The check went on with what came back as if it were an object of the package, and it was a plain value."""
        if not isinstance(error, AttributeError | TypeError) or hasattr(error, "remote"):
            return None
        named = [kind for kind in re.findall(r"\w+", str(error)) if kind in plain]
        if not named:
            return None
        finding = Finding(
            call=plain[named[0]], expected="an object of the package", got=f"a plain value of type {named[0]}"
        )
        return Verdict(outcome=Outcome.WRONG, where=self._place(check), finding=finding)

    def _place(self, check: Check) -> Place | None:
        return self._sources[check.module.name].place(check.exercise) if check.exercise else None

    # ---- each way of ending -----------------------------------------------------------------------------------

    def _timed_out(self, check: Check, error: TimedOut) -> Verdict:
        trace = self._trace(error.frames)
        finding = Finding(
            call=error.expression,
            expected="an answer",
            got=f"none after {error.limit:g} s",
            mistake="a loop whose condition never becomes false, or work that grows much faster than its input.",
            trace=trace,
        )
        where = trace[-1] if trace else self._place(check)
        return Verdict(outcome=Outcome.TIMED_OUT, where=where, finding=finding)

    def _import_failed(self, check: Check, remote: Remote) -> Verdict:
        """The student's package cannot be imported: the first check that meets it tells, the others are blocked."""
        trace = self._trace(remote.frames)
        where = trace[-1] if trace else self._place(check)
        module = (where and self._sources.module_of(where.file)) or check.module.name
        problem = self._sources[module].problem
        if problem:
            where = problem.place
        if self._is_known_broken(module):
            return self._blocked_by_import(module)
        sentence = problem.sentence if problem else _import_sentence(remote)
        finding = Finding(call=f"import {self._sources.package.name}.{module}", got=sentence, trace=trace)
        return Verdict(outcome=Outcome.CRASHED, where=where, finding=finding)

    def _is_known_broken(self, module: str) -> bool:
        """Whether a check before this one has met the module's failed import (`tensor` or `tinytorch.tensor`)."""
        module = module.rpartition(".")[2]
        known = module in self._broken_files
        self._broken_files.add(module)
        return known

    def _blocked_by_import(self, module: str) -> Verdict:
        file = f"{self._sources.package.name}/{module.rpartition('.')[2]}.py"
        return Verdict(outcome=Outcome.BLOCKED, where=Place(file=file, line=1), cause=f"{file}, which does not import")

    def _unwritten(self, check: Check, remote: Remote) -> Verdict:
        """A stub was called, the check's own or one that it needs."""
        trace = self._trace(remote.frames)
        last = trace[-1] if trace else None
        module = self._sources.module_of(last.file) if last else None
        function = module and last and self._sources[module].function_around(last.line)
        stub = f"{module}.{function}" if function else check.about
        outcome = Outcome.UNWRITTEN if stub == check.about else Outcome.BLOCKED
        return Verdict(outcome=outcome, where=self._place(check), cause=stub)

    def _raised(self, check: Check, remote: Remote, *, leaves: bool) -> Verdict:
        trace = self._trace(remote.frames)
        finding = Finding(
            call=remote.expression,
            given=tuple(f"{name} = {text}" for name, text in remote.definitions.items()),
            got=_headline(remote),
            trace=trace,
        )
        if leaves:
            finding = replace(
                finding, mistake="the code leaves Python in the middle of a call. Raise an error instead."
            )
            return Verdict(outcome=Outcome.CRASHED, where=trace[-1] if trace else self._place(check), finding=finding)
        if trace:
            return Verdict(outcome=Outcome.CRASHED, where=trace[-1], finding=finding)
        mistake = self._missing(check, remote) or _signature(remote)
        return Verdict(outcome=Outcome.WRONG, where=self._place(check), finding=replace(finding, mistake=mistake))

    def _crash_site(self, check: Check, trace: tuple[Place, ...]) -> Place | None:
        """The line of the exercise itself where it is on the way to the error, else where the error arose."""
        source = self._sources[check.module.name]
        own = (place for place in trace if place.file == source.shown)
        inside = tuple(place for place in own if source.function_around(place.line) == check.exercise)
        return (inside or trace)[-1] if trace else self._place(check)

    def _missing(self, check: Check, remote: Remote) -> str:
        """What to say where the exercise's name is not in the file (any more)."""
        if not check.exercise or "AttributeError" not in remote.bases:
            return ""
        source = self._sources[check.module.name]
        top = check.exercise.partition(".")[0]
        known = set(source.definitions) if check.exercise != top and top in source.names else source.names
        wanted = check.exercise if check.exercise != top and top in source.names else top
        if wanted in known:
            return ""
        near = difflib.get_close_matches(wanted, sorted(known), n=1, cutoff=0.7)
        renamed = f" Was it renamed to {near[0]}?" if near else ""
        return f"{source.shown} has no {wanted}.{renamed} The checks call it by that name."

    def _trace(self, frames: Iterable[Frame]) -> tuple[Place, ...]:
        return tuple(Place(file=f.file, line=f.line, function=f.function, text=f.text) for f in frames)


def _headline(remote: Remote) -> str:
    return f"{remote.kind}: {remote.message}" if remote.message else remote.kind


def _import_sentence(remote: Remote) -> str:
    if "partially initialized module" in remote.message or "circular import" in remote.message:
        return f"{_headline(remote)}: two files import each other; a file may import only earlier modules"
    if remote.kind in {"SystemExit", "KeyboardInterrupt"}:
        return f"{remote.kind}: the file leaves Python while it is imported; keep such calls out of module level"
    return _headline(remote)


def _signature(remote: Remote) -> str:
    """What to say where the call itself did not fit the function's parameters."""
    fits_not = ("unexpected keyword", "positional argument", "required positional", "missing")
    if "TypeError" in remote.bases and any(words in remote.message for words in fits_not):
        return "the parameters differ from the exercise's. Keep the signature of the stub: names, order and defaults."
    return ""


def failing_text(result: Result) -> str:
    """One result as a few plain lines, for JUnit files and `-rf` lines."""
    lines = [f"{result.outcome.value}: {result.claim}"]
    if result.where:
        lines.append(str(result.where))
    if result.cause:
        lines.append(f"waits for {result.cause}")
    finding = result.finding
    if finding:
        lines += [finding.call, *finding.given]
        lines += [f"expected {finding.expected}"] if finding.expected else []
        lines += [f"got {finding.got}", finding.difference, finding.mistake]
    return "\n".join(line for line in lines if line)
