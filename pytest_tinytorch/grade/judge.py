"""The judge of one submission: a process that runs pytest on the installed checks and tells what came of each.

It imports no student code: every check's own worker does, as with `--isolated`. It is told what to do in one line on
its standard input, and says each result in a line of JSON as soon as it has it, so that a judge that is killed has
still told what it knew. When its standard input ends, whoever wanted to know is gone, and it ends too.
"""

from __future__ import annotations

import _thread
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ..collection import checks_of
from ..outcome import Outcome
from .assignment import MILESTONE_POINTS
from .result import NOT_RUN, GradedCheck, GradedCheckpoint, GradedMilestone

if TYPE_CHECKING:
    from ..course import Module
    from ..verdict import Check
    from ..verifier import Verifier
    from .assignment import Assignment

HURRIED = 5  # an exercise that was too slow once has this part of the time for its other checks
UNUSED = ("cacheprovider", "faulthandler", "unraisableexception", "threadexception", "junitxml", "doctest", "pastebin")
OPTIONS = ("-p", "pytest_tinytorch.plugin", "-s", "-q", *(part for name in UNUSED for part in ("-p", f"no:{name}")))
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
    tell({"kind": "end", "status": status, "hardening": listener.hardening})


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
        self.limit = limit
        self.slow: set[str] = set()
        self.hardening = ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        """Run no check when time is over; set the time of the next one."""
        left = self.ends - time.monotonic()
        if left <= 0:
            item.session.shouldstop = "the time for everything is over"
            return True
        verifier = _verifier(item.config)
        about = _exercise(item)
        limit = self.limit / HURRIED if about in self.slow else self.limit
        verifier.settings = replace(verifier.settings, limit=min(limit, left))
        return None

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Tell a result."""
        if hasattr(report, "tinytorch"):
            found = report.tinytorch
            if found["outcome"] == Outcome.TIMED_OUT.value:
                self.slow.add(f"{found['module']}.{found['exercise']}")
            self.tell({"kind": "check", "result": found})
        if hasattr(report, "tinytorch_milestone"):
            self.tell({"kind": "milestone", "result": report.tinytorch_milestone})

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Note which limits held."""
        self.hardening = _verifier(session.config).run.hardening


def _verifier(config: pytest.Config) -> Verifier:
    verifier: Verifier = config.pluginmanager.getplugin("tinytorch-verifier")
    return verifier


def _exercise(item: pytest.Item) -> str:
    """`autograd.backward` for a check about it; nothing for a milestone."""
    about = getattr(getattr(item, "function", None), "about", None)
    module = getattr(item.parent, "verifies", None)
    return f"{module.name}.{about.exercise}" if about and module else ""


# ---- the process ------------------------------------------------------------------------------------------


def main() -> None:
    """Judge what the first line of standard input orders, and say the results on standard output."""
    out = os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    sys.stdout = sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 -- open as long as we run
    order = read_order(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with, args=(sys.stdin.buffer,), daemon=True).start()
    serve(order, out)


def read_order(line: bytes) -> Order:
    """The order that a line of JSON holds."""
    data: dict[str, Any] = json.loads(line)
    tuples: dict[str, Any] = {name: tuple(value) for name, value in data.items() if isinstance(value, list)}
    return Order(**data | tuples)


def serve(order: Order, out: int) -> None:
    """Judge, and write the results to a descriptor."""

    def tell(said: dict[str, Any]) -> None:
        rest = memoryview(json.dumps(said).encode() + b"\n")
        while rest:
            rest = rest[os.write(out, rest) :]

    try:
        judge(order, tell)
    except BaseException as error:  # noqa: BLE001 -- whatever it is, the grader should know
        tell({"kind": "broke", "said": f"{type(error).__name__}: {error}"})


def _end_with(stream: Any) -> None:
    """Interrupt the process when the stream ends; twice, where it does not listen."""
    stream.read()
    _thread.interrupt_main()
    time.sleep(5)
    os._exit(1)


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
