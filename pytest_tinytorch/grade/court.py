"""Judges as the grader sees them: started for one submission, listened to, and ended.

Where the system forks safely, one process per grader has everything loaded that a judge needs, and forks one for each
submission; elsewhere every judge is started afresh. It runs no student code either way.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ..handles.processes import KEPT_VARIABLES, ONE_THREAD
from ..outcome import MilestoneResult, Outcome, Result
from .judge import ORDER_BYTES, PATIENCE

if TYPE_CHECKING:
    from .judge import Order

GRACE = 30.0  # seconds beyond the limits in which a judge may come to its end
NEEDED = ("pytest_tinytorch", "pytest", "numpy", "rich", "coverage")  # where a judge finds these, it finds all
BOOT = (
    "import gc, sys; gc.disable(); sys.path += [p for p in sys.argv.pop(1).split(chr(0x1f)) if p not in sys.path]; "
    "from pytest_tinytorch.handles.limits import hide_memory; hide_memory(); "
    "from pytest_tinytorch.grade.judge import {main}; {main}()"
)
ENDED = "the checks came to an end before all had run"
STOPPED = "the checks were stopped after {:g} s, the limit for all of them together"
BROKE = "the checks could not be run: {}"


@dataclass(kw_only=True)
class Heard:
    """What a judge has said: results by node id and by year; `trouble` is why there may be too few, or empty."""

    checks: dict[str, Result] = field(default_factory=dict)
    milestones: dict[int, MilestoneResult] = field(default_factory=dict)
    hardening: str = ""
    trouble: str = ENDED

    def take(self, line: bytes, limit: float) -> None:
        """Take in one line; of two results for one check the worse counts."""
        said = json.loads(line)
        match said["kind"]:
            case "check":
                result = Result.from_dict(said["result"])
                known = self.checks.get(result.check)
                if known is None or known.outcome is Outcome.PASSED:
                    self.checks[result.check] = result
            case "milestone":
                found = MilestoneResult.from_dict(said["result"])
                self.milestones[int(found.label.split()[0])] = found
            case "end":
                self.hardening = said["hardening"]
                self.trouble = STOPPED.format(limit) if said["stopped"] else ""
            case "broke":
                self.trouble = BROKE.format(said["said"])


def hear(order: Order, scratch: Path) -> Heard:
    """Have a judge work, and listen; whatever comes of it, nothing of it runs when this returns.

    `scratch` is an empty folder, for what the processes write.
    """
    heard = Heard()
    judge = _start(order, _environment(scratch))
    reader = threading.Thread(target=_listen, args=(judge.said, heard, order), daemon=True)
    reader.start()
    try:
        reader.join(order.total_limit + order.time_limit + GRACE)
    finally:
        judge.end(reader)
    return heard


def _listen(said: IO[bytes], heard: Heard, order: Order) -> None:
    """The thread: every whole line, as it comes. What depends on where we work is told without it."""
    here, place = (json.dumps(path)[1:-1].encode() for path in (order.root + os.sep, str(Path(order.root).parent)))
    for line in _lines(said):
        heard.take(line.replace(here, b"").replace(place, b"~"), order.total_limit)


def _lines(said: IO[bytes]) -> Iterator[bytes]:
    """Whole lines, until there are no more, or the stream is closed because nobody wants them."""
    while True:
        try:
            line = said.readline()
        except ValueError:  # closed, by another thread
            return
        if not line.endswith(b"\n"):
            return
        yield line


# ---- one judge ----------------------------------------------------------------------------------------------


class Judge(ABC):
    """A judge at work: `said` is what it says."""

    said: IO[bytes]

    @abstractmethod
    def let_go(self) -> None:
        """Tell it that nobody listens any more."""

    @abstractmethod
    def kill(self) -> None:
        """End it for good."""

    def bury(self) -> None:  # noqa: B027 -- nothing to do for who has another parent
        """See it off, where that is ours to do."""

    def end(self, reader: threading.Thread) -> None:
        """Let it end, or end it; what it had said by then is still read."""
        try:
            self.let_go()
            reader.join(PATIENCE + 1)
        finally:
            if reader.is_alive():
                self.kill()
            self.bury()
            reader.join(PATIENCE)
            if not reader.is_alive():
                self.said.close()


class Started(Judge):
    """A judge in a process of its own, on any system."""

    def __init__(self, order: Order, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603 -- this interpreter, and arguments that are all ours
            command("main"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=environment["TMPDIR"],
            start_new_session=True,
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise OSError("a process without pipes")
        self._wanted, self.said = self._process.stdin, self._process.stdout
        with contextlib.suppress(OSError):  # it is gone already, and has said nothing
            self._wanted.write(order.as_line())
            self._wanted.flush()

    def let_go(self) -> None:
        """Close its standard input."""
        with contextlib.suppress(OSError):
            self._wanted.close()

    def kill(self) -> None:
        """Kill the process."""
        self._process.kill()

    def bury(self) -> None:
        """Wait for its end: it has let go of its output, or was killed."""
        try:
            self._process.wait(PATIENCE)
        finally:
            self._process.kill()
            self._process.wait()


class Forked(Judge):
    """A judge that was forked from a process in which everything is loaded."""

    def __init__(self, court: Court, order: Order, environment: dict[str, str]) -> None:
        said, theirs = os.pipe()
        wanted, self._wanted = os.pipe()
        try:
            self._pid = court.fork(json.dumps(environment).encode() + b"\n" + order.as_line(), theirs, wanted)
        except BaseException:
            os.close(said)
            os.close(self._wanted)
            raise
        finally:
            os.close(theirs)
            os.close(wanted)
        self.said = os.fdopen(said, "rb")

    def let_go(self) -> None:
        """Close the stream that says that it is wanted."""
        os.close(self._wanted)

    def kill(self) -> None:
        """Kill its group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, signal.SIGKILL)


# ---- where judges come from ---------------------------------------------------------------------------------


class Court:
    """A process with everything loaded, that forks judges."""

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 -- this interpreter, and arguments that are all ours
                command("main_of_court", str(theirs.fileno())),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=_environment(Path("/")),
                cwd="/",
                start_new_session=True,
            )

    def fork(self, order: bytes, said: int, wanted: int) -> int:
        """A new judge's process id. Raises OSError where there will be none."""
        if len(order) > ORDER_BYTES:
            raise OSError("the order is too long")
        with self._lock:
            socket.send_fds(self._control, [order], [said, wanted])
            answer = self._control.recv(64)
        if not answer:
            raise OSError("the process that forks judges is gone")
        return int(answer)

    def is_usable(self) -> bool:
        """Whether it is this process's own, and runs."""
        return self._owner == os.getpid() and self._process.poll() is None

    def close(self) -> None:
        """Let it end."""
        self._control.close()
        if self._owner == os.getpid():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(PATIENCE)
            self._process.kill()
            self._process.wait()


_courts: list[Court] = []
_opening = threading.Lock()


def _start(order: Order, environment: dict[str, str]) -> Judge:
    """A judge: forked where that can be, started otherwise."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            return Forked(_court(), order, environment)
    return Started(order, environment)


def _court() -> Court:
    """This process's own court; a new one where the old one is gone."""
    with _opening:
        for old in [court for court in _courts if not court.is_usable()]:
            _courts.remove(old)
            old.close()
        if not _courts:
            _courts.append(Court())
        return _courts[0]


@atexit.register
def close() -> None:
    """End what was started to judge; the next submission starts it again."""
    while _courts:
        _courts.pop().close()


# ---- what a judge is given ------------------------------------------------------------------------------------


def command(main: str, *arguments: str) -> list[str]:
    """Python, isolated from environment and working folder, that runs a function of judge.py."""
    return [sys.executable, "-I", "-X", "utf8", "-c", BOOT.format(main=main), "\x1f".join(_places()), *arguments]


def _environment(scratch: Path) -> dict[str, str]:
    """What a judge and its workers know of this system: nothing of the grader's own secrets."""
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    places = dict.fromkeys(("HOME", "TMPDIR", "TEMP", "TMP", "USERPROFILE"), str(scratch))
    return {**kept, **places, **dict.fromkeys(ONE_THREAD, "1")}


def _places() -> list[str]:
    """The folders in which this process finds what a judge needs."""
    return list(dict.fromkeys(_found()))


def _found() -> Iterator[str]:
    for name in NEEDED:
        spec = find_spec(name)
        if spec is not None and spec.origin:
            yield str(Path(spec.origin).parents[1])
