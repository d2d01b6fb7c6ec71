"""The judge of one submission: a process that runs the installed checks and tells what came of each.

It imports no student code: every check's own worker does, as with `--isolated`. It reads no configuration and loads no
plugin. It is told what to do in one line on its standard input, and says each result in a line of JSON as soon as it
has it, so that a judge that is killed has still told what it knew. When its standard input ends, whoever wanted to know
is gone, and it ends too.
"""

from __future__ import annotations

import _thread
import contextlib
import functools
import gc
import importlib
import json
import os
import signal
import socket
import sys
import tempfile
import threading
import time
import types
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn

from .. import course, milestones, running, verdict
from ..catalog import script_path
from ..collection import functions_of
from ..handles import Trouble, Watch, lab, open_isolated
from ..outcome import MilestoneResult, Outcome
from ..sources import Sources
from .assignment import MILESTONE_POINTS
from .result import NOT_RUN, GradedCheck, GradedCheckpoint, GradedMilestone

if TYPE_CHECKING:
    from ..course import Milestone, Module
    from ..handles import Frame, Sessions
    from ..outcome import Result
    from ..verdict import Check
    from .assignment import Assignment

HURRIED, HURRIED_MOST = 5, 10  # by what the time of a check is divided, when checks have hung
LOOKS = 20, 100, 200  # and by what it is divided between looks at whether it hangs where others hung
LEAST_LOOK = 0.05
SOME_HUNG, MANY_HUNG = 3, 10
COSTLY = 10  # a crash that takes this part of a check's time, or more, is treated like a loop
LEAST_SECONDS = 1.0
PATIENCE = 5.0  # seconds in which a judge that was interrupted may end by itself
ORDER_BYTES = 1 << 16

Tell = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a judge is asked: which checkpoints (numbers) and milestones (years) of the package in the folder `root`."""

    root: str
    package: str
    checkpoints: tuple[int, ...]
    milestones: tuple[int, ...]
    provided: tuple[str, ...]
    seed: int
    time_limit: float
    total_limit: float

    def as_line(self) -> bytes:
        """One line of JSON."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @property
    def history(self) -> tuple[Milestone, ...]:
        """The milestones."""
        return tuple(milestone for milestone in course.MILESTONES if milestone.year in self.milestones)

    @property
    def modules(self) -> tuple[Module, ...]:
        """The checkpoints, with those that the milestones rest on and that are not provided."""
        below = {module for milestone in self.history for module in milestone.needs if module.name not in self.provided}
        return tuple(m for m in course.MODULES if m.built and (m in below or m.number in self.checkpoints))


def judge(order: Order, tell: Tell) -> None:
    """Run what was ordered, and tell each result, then how it ended."""
    package = Path(order.root, order.package)
    sessions = open_isolated(package)
    hearing = Hearing(order, tell, sessions, Sources(package))
    try:
        is_whole = hearing.hold()
        hardening = sessions.hardening if hearing.has_run else ""
    finally:
        hearing.relay.close()
        sessions.close()
    tell({"kind": "end", "stopped": not is_whole, "hardening": hardening})


class Hearing:
    """The checks and milestones of one order, one after the other, for as long as there is time."""

    def __init__(self, order: Order, tell: Tell, sessions: Sessions, sources: Sources) -> None:
        self.order = order
        self.tell = tell
        self.sessions = sessions
        self.sources = sources
        self.judge = verdict.Judge(sources)
        self.clock = Clock(order.time_limit)
        self.relay = running.Relay()
        sessions.relayed = True
        self.results: list[Result] = []
        self.has_run = False
        self._ends = time.monotonic() + order.total_limit

    def hold(self) -> bool:
        """Run everything; whether there was time for all of it."""
        steps: list[Callable[[float], None]] = [
            functools.partial(self._check, check, function)
            for module in self.order.modules
            for check, function in functions_of(module)
        ]
        steps += [functools.partial(self._milestone, milestone) for milestone in self.order.history]
        for step in steps:
            left = self._ends - time.monotonic()
            if left <= 0:
                return False
            step(left)
        return True

    def _check(self, check: Check, function: Callable[..., Any], left: float) -> None:
        limit = min(left, self.clock.limit_of(check.about))
        self.sessions.watch = Watch(self.clock.look, self._hangs_again) if self.clock.slow else None
        result = running.run(
            check,
            function,
            sessions=self.sessions,
            judge=self.judge,
            seed=self.order.seed,
            limit=limit,
            relay=self.relay,
        )
        self.has_run = self.has_run or result.outcome is not Outcome.UNWRITTEN
        self.clock.note(result)
        self.results.append(result)
        self.tell({"kind": "check", "result": result.as_dict()})

    def _hangs_again(self, frames: tuple[Frame, ...]) -> bool:
        """Whether the code is in an exercise that has hung before."""
        around = self.sources.function_around
        return any(around(frame.file, frame.line, frame.function) in self.clock.slow for frame in frames)

    def _milestone(self, milestone: Milestone, left: float) -> None:
        """Replay a milestone, unless what it rests on is not proved."""
        blank = MilestoneResult(number=milestone.number, label=milestone.label, outcome=Outcome.BLOCKED)
        missing = milestones.missing(milestone, self.results)
        if missing:
            found = replace(blank, cause=", ".join(missing))
        else:
            self.has_run = True
            found = self._replayed(milestone, left, blank)
        self.tell({"kind": "milestone", "result": found.as_dict()})

    def _replayed(self, milestone: Milestone, left: float, blank: MilestoneResult) -> MilestoneResult:
        stage = milestones.Stage(seed=self.order.seed, limit=min(left, milestones.LIMIT))
        try:
            script = milestones.load(script_path(milestone))
            return milestones.replay(script, milestone, self.sessions, self.sources, stage)
        except Exception as error:  # noqa: BLE001 -- a fault of ours costs this milestone, and is told
            return replace(blank, outcome=Outcome.BROKEN, cause=f"{type(error).__name__}: {error}")


class Clock:
    """How long a check may take: less and less, where check after check used up its time.

    One loop that never ends can hang hundreds of checks. So an exercise that hung once has less time for its other
    checks, and when three checks have used up theirs, every check has; when ten have, still less. What is right takes a
    fraction of that. And where an exercise hung before, a check that works on is looked at again and again, and ends
    when two looks see it in the same call of that exercise.
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.slow: set[str] = set()
        self.cut = 0
        self.hung = 0
        self._given = limit

    def limit_of(self, exercise: str) -> float:
        """Seconds for a check about an exercise."""
        if self.hung >= MANY_HUNG:
            share = HURRIED_MOST
        else:
            share = HURRIED if exercise in self.slow or self.hung >= SOME_HUNG else 1
        self._given = max(self.limit / share, min(self.limit, LEAST_SECONDS))
        return self._given

    @property
    def look(self) -> float:
        """Seconds between two looks at a check."""
        return max(self.limit / LOOKS[(self.cut >= SOME_HUNG) + (self.cut >= MANY_HUNG)], LEAST_LOOK)

    def note(self, result: Result) -> None:
        """Take in how a check ended; one that waits for another may have hung in it."""
        is_costly = result.outcome is Outcome.CRASHED and result.seconds >= self.limit / COSTLY
        if result.outcome is Outcome.TIMED_OUT or is_costly:
            self.slow.add(f"{result.module}.{result.exercise}")
        if result.outcome in {Outcome.TIMED_OUT, Outcome.BLOCKED, Outcome.CRASHED}:
            self.cut += result.seconds >= self.look
            self.hung += result.seconds >= self._given


# ---- the process ------------------------------------------------------------------------------------------


def main() -> None:
    """Judge what the first line of standard input orders, and say the results on standard output."""
    out = os.dup(1)
    _hush()
    order = read_order(sys.stdin.buffer.readline())
    serve(order, out, sys.stdin.buffer)


def _hush() -> None:
    """Have nothing that is printed reach anybody: the descriptor of the results is a copy by now."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    sys.stdout = sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 -- open as long as we run


def read_order(line: bytes) -> Order:
    """The order that a line of JSON holds."""
    data: dict[str, Any] = json.loads(line)
    tuples: dict[str, Any] = {name: tuple(value) for name, value in data.items() if isinstance(value, list)}
    return Order(**data | tuples)


def serve(order: Order, out: int, wanted: IO[bytes]) -> None:
    """Judge, and write the results to a descriptor; stop when nobody wants them any more, as the other stream tells."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    threading.Thread(target=_end_with, args=(wanted,), daemon=True).start()

    def tell(said: dict[str, Any]) -> None:
        rest = memoryview(json.dumps(said).encode() + b"\n")
        while rest:
            rest = rest[os.write(out, rest) :]

    gc.set_threshold(100_000, 50, 100)  # a run makes little garbage, and all of it goes with the process
    gc.enable()
    try:
        judge(order, tell)
    except BaseException as error:  # noqa: BLE001 -- whatever it is, the grader should know, if it is still there
        with contextlib.suppress(OSError):
            tell({"kind": "broke", "said": f"{type(error).__name__}: {error}"})


def _end_with(wanted: IO[bytes]) -> None:
    """Interrupt the process when the stream ends, and end it where it does not listen."""
    wanted.read()
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)  # wakes it, too
    else:
        _thread.interrupt_main()
    time.sleep(PATIENCE)
    os._exit(1)


# ---- a process that forks judges --------------------------------------------------------------------------


def main_of_court() -> None:
    """Load everything that a judge needs, and fork one for every order that comes over a socket, until it ends.

    With an order come two descriptors: where its results go, and the one whose end says that nobody wants them.
    """
    _hush()
    _load()
    control = socket.socket(fileno=int(sys.argv[1]))
    while True:
        message, sent, _flags, _address = socket.recv_fds(control, ORDER_BYTES, 2)
        if not message:
            os._exit(0)
        pid = os.fork()
        if pid == 0:
            _become_judge(control, message, *sent)
        for descriptor in sent:
            os.close(descriptor)
        control.send(str(pid).encode())
        _bury_judges()


def _load() -> None:
    """Import what a run imports, and look at no object of that again."""
    importlib.import_module("pytest_tinytorch.handles.isolated")
    for module in course.MODULES:
        if module.built:
            _look_at_probes(vars(importlib.import_module(module.checks or "")).values())
            functions_of(module)
    gc.collect()
    gc.freeze()


def _look_at_probes(values: Iterable[Any]) -> None:
    """Have the sources of probes looked up: the answer is remembered."""
    for value in values:
        if isinstance(value, types.FunctionType) and not hasattr(value, "about"):
            with contextlib.suppress(Trouble):  # a function of the checks' own, which is no probe
                lab.source(value)


def _become_judge(control: socket.socket, message: bytes, out: int, wanted: int) -> NoReturn:
    try:
        os.setsid()
        control.close()
        environment, order = message.split(b"\n", 1)
        os.environ.update(json.loads(environment))
        tempfile.tempdir = None  # it was worked out from the environment of before
        with os.fdopen(wanted, "rb") as stream:
            serve(read_order(order), out, stream)
            os._exit(0)  # nothing of the parent's is put away here
    finally:
        os._exit(1)


def _bury_judges() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


# ---- what there is to judge ---------------------------------------------------------------------------------


def expected(assignment: Assignment) -> tuple[GradedCheckpoint, ...]:
    """Every check that the assignment grades, none of them run: what decides how many points there are."""
    return tuple(_checkpoint(module, assignment) for module in assignment.modules)


def _checkpoint(module: Module, assignment: Assignment) -> GradedCheckpoint:
    weight = assignment.weights.get(module.name, 1)
    return GradedCheckpoint(
        number=module.number,
        module=module.name,
        capability=module.capability,
        weight=weight,
        checks=tuple(_not_run(check, weight) for check, _function in functions_of(module)),
        due=assignment.due.get(module.name, ""),
    )


def _not_run(check: Check, weight: int) -> GradedCheck:
    return GradedCheck(
        name=check.id.rpartition("::")[2].removeprefix("test_"),
        claim=check.claim,
        exercise=check.exercise,
        points=check.points * weight,
        outcome=NOT_RUN,
    )


def expected_milestones(assignment: Assignment) -> tuple[GradedMilestone, ...]:
    """Every milestone that the assignment grades, none of them played."""
    return tuple(
        GradedMilestone(
            year=milestone.year,
            name=milestone.name,
            points=assignment.weights.get(str(milestone.year), MILESTONE_POINTS),
            outcome=NOT_RUN,
        )
        for milestone in assignment.history
    )
