"""The judge of one submission: a process that runs pytest on the installed checks and tells what came of each.

It imports no student code: every check's own worker does, as with `--isolated`. It is told what to do in one line on
its standard input, and says each result in a line of JSON as soon as it has it, so that a judge that is killed has
still told what it knew. When its standard input ends, whoever wanted to know is gone, and it ends too.
"""

from __future__ import annotations

import _thread
import contextlib
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
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn

import pytest

from .. import course
from ..collection import CHECK, checks_of
from ..outcome import Outcome
from .assignment import MILESTONE_POINTS
from .result import NOT_RUN, GradedCheck, GradedCheckpoint, GradedMilestone

if TYPE_CHECKING:
    from ..course import Module
    from ..verdict import Check
    from ..verifier import Verifier
    from .assignment import Assignment

HURRIED, HURRIED_MOST = 5, 10  # by what the time of a check is divided, when checks have hung
SOME_HUNG, MANY_HUNG = 3, 10
LEAST_SECONDS = 1.0
PATIENCE = 5.0  # seconds in which a judge that was interrupted may end by itself
ORDER_BYTES = 1 << 16
UNUSED = (
    "cacheprovider", "doctest", "faulthandler", "junitxml", "logging", "pastebin", "recwarn", "setuponly", "setupplan",
    "stepwise", "subtests", "threadexception", "tmpdir", "unittest", "unraisableexception", "warnings",
)  # fmt: skip
OPTIONS = (
    *("-p", "pytest_tinytorch.plugin", "-s", "-q", "--assert=plain"),
    *(part for name in UNUSED for part in ("-p", f"no:{name}")),
)
CONFIGURATION = """\
[pytest]
tinytorch_package = {package}
tinytorch_provided = {provided}
tinytorch_time_limit = {time_limit}
"""


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


def judge(order: Order, tell: Callable[[dict[str, Any]], None]) -> None:
    """Run the checks, and tell each result, then how it ended."""
    os.chdir(order.root)
    configuration = Path(order.root, "judge.ini")
    said = {"package": order.package, "provided": " ".join(order.provided), "time_limit": order.time_limit}
    configuration.write_text(CONFIGURATION.format(**said), encoding="utf-8")
    listener = Listener(tell, time.monotonic() + order.total_limit, order.time_limit)
    status = int(pytest.main([*OPTIONS, *_asked(order, configuration)], plugins=[listener]))
    tell({"kind": "end", "status": status, "stopped": listener.stopped, "hardening": listener.hardening})


def _asked(order: Order, configuration: Path) -> Iterator[str]:
    yield from ("-c", str(configuration), "--rootdir", order.root, "--isolated", "--tinytorch-seed", str(order.seed))
    for number in order.checkpoints:
        yield from ("--checkpoint", str(number))
    for year in order.milestones:
        yield from ("--milestone", str(year))


class Listener:
    """A pytest plugin that tells what the verifier says of each check, and keeps to the time that there is."""

    def __init__(self, tell: Callable[[dict[str, Any]], None], ends: float, limit: float) -> None:
        self.tell = tell
        self.ends = ends
        self.clock = Clock(limit)
        self.stopped = False
        self.hardening = ""

    def pytest_collection_finish(self) -> None:
        """Look for garbage seldom: a run makes little, and all of it goes with the process."""
        gc.set_threshold(100_000, 50, 100)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        """Run no check when time is over; set the time of the next one."""
        left = self.ends - time.monotonic()
        if left <= 0:
            self.stopped = True
            item.session.shouldstop = "the time for everything is over"
            return True
        verifier = _verifier(item.config)
        verifier.settings = replace(verifier.settings, limit=min(left, self.clock.limit_of(_exercise(item))))
        return None

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Tell a result."""
        if hasattr(report, "tinytorch"):
            self.clock.note(report.tinytorch)
            self.tell({"kind": "check", "result": report.tinytorch})
        if hasattr(report, "tinytorch_milestone"):
            self.tell({"kind": "milestone", "result": report.tinytorch_milestone})

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Note which limits held."""
        self.hardening = _verifier(session.config).run.hardening


class Clock:
    """How long a check may take: less and less, where check after check used up its time.

    One loop that never ends can hang hundreds of checks. So an exercise that hung once has less time for its other
    checks, and when three checks have hung, every check has; when ten have, still less. What is right takes a fraction
    of that.
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.slow: set[str] = set()
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

    def note(self, result: Mapping[str, Any]) -> None:
        """Take in how a check ended; one that waits for another may have hung in it."""
        timed_out = result["outcome"] == Outcome.TIMED_OUT.value
        if timed_out:
            self.slow.add(f"{result['module']}.{result['exercise']}")
        if timed_out or (result["outcome"] == Outcome.BLOCKED.value and result["seconds"] >= self._given):
            self.hung += 1


def _verifier(config: pytest.Config) -> Verifier:
    verifier: Verifier = config.pluginmanager.getplugin("tinytorch-verifier")
    return verifier


def _exercise(item: pytest.Item) -> str:
    """`autograd.backward` for a check about it; nothing for a milestone."""
    check = item.stash.get(CHECK, None)
    return check.about if check else ""


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
    threading.Thread(target=_end_with, args=(wanted,), daemon=True).start()

    def tell(said: dict[str, Any]) -> None:
        rest = memoryview(json.dumps(said).encode() + b"\n")
        while rest:
            rest = rest[os.write(out, rest) :]

    try:
        judge(order, tell)
    except BaseException as error:  # noqa: BLE001 -- whatever it is, the grader should know
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
    for module in ("pytest_tinytorch.verifier", "pytest_tinytorch.handles.isolated", *_checks()):
        importlib.import_module(module)
    gc.collect()
    gc.freeze()


def _checks() -> list[str]:
    return [module.checks for module in course.MODULES if module.checks]


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
        checks=tuple(_not_run(check, weight) for check in checks_of(module)),
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
