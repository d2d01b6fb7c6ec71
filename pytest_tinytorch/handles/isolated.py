"""Isolated mode: the student's code in another process, a new one for every check.

On Linux a zygote forks them, in milliseconds; elsewhere each is started afresh. Only what the codec makes of their
bytes comes back, and a process that dies or hangs costs its own check alone.
"""

from __future__ import annotations

import math
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from . import limits, wire
from .errors import ProtocolError, WorkerDied
from .processes import Forked, Fresh, Process, Zygote
from .worker import ANSWER, IMPORTING, REPLY, REQUEST, STUCK
from .world import Sessions, Transport, clean, read_frames

OUTPUT_BYTES = 64 << 10
GRACE = 0.25  # seconds after the time limit in which a worker may say where its code is
PATIENCE = 0.3  # seconds in which a worker that hung up may end by itself


class IsolatedSessions(Sessions):
    """A process for every check, forked from a zygote where this system forks safely."""

    def __init__(self, folder: Path, homes: Mapping[str, str], *, memory: int, forks: bool | None = None) -> None:
        super().__init__(folder, homes)
        self.memory = memory
        self.forks = sys.platform == "linux" if forks is None else forks
        self.hardening = limits.describe(memory, forks=self.forks)
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._zygote: Zygote | None = None
        self._spare: tuple[float | None, Zygote, _IsolatedTransport] | None = None

    @property
    def setup(self) -> tuple[Any, ...]:
        """What a worker must know of the package."""
        return str(self.folder), self.homes, self.memory

    @property
    def scratch(self) -> str:
        """The folder that workers start in."""
        if self._scratch is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="tinytorch-", ignore_cleanup_errors=True)
        return self._scratch.name

    def connect(self, limit: float | None) -> Transport:
        """A new process for one check. With a zygote the next one is forked already, while this one works."""
        if not self.forks:
            return self._transport(lambda printed: Fresh((*self.setup, limit), self.scratch, printed))
        zygote, spare = self._living_zygote(), self._spare
        self._spare = None
        if spare is None or spare[:2] != (limit, zygote):
            self._drop(spare)
            transport = self._forked(zygote, limit)
        else:
            transport = spare[2]
        self._spare = (limit, zygote, self._forked(zygote, limit))
        return transport

    def _forked(self, zygote: Zygote, limit: float | None) -> _IsolatedTransport:
        return self._transport(lambda printed: Forked(zygote, printed, limit))

    def _transport(self, start: Callable[[IO[bytes]], Process]) -> _IsolatedTransport:
        printed = tempfile.TemporaryFile("a+b", buffering=0)  # noqa: SIM115 - the transport closes it
        try:
            return _IsolatedTransport(start(printed), printed)
        except BaseException:
            printed.close()
            raise

    def _drop(self, spare: tuple[float | None, Zygote, _IsolatedTransport] | None) -> None:
        if spare is not None:
            spare[2].close()

    def _living_zygote(self) -> Zygote:
        """The zygote; a new one where a student's code has ended it."""
        if self._zygote is not None and not self._zygote.is_usable():
            self._zygote.close()
            self._zygote = None
        if self._zygote is None:
            self._zygote = self._new_zygote()
        return self._zygote

    def _new_zygote(self) -> Zygote:
        """A zygote with the sources compiled; without, where they bring the compiler down."""
        for compile_now in (True, False):
            zygote = Zygote(self.scratch)
            try:
                zygote.ask("setup", *self.setup, compile_now)
            except WorkerDied:
                zygote.close()
            else:
                return zygote
        raise WorkerDied("it could not be started")

    def close(self) -> None:
        """End the zygote and its workers, and remove the folder that they wrote to."""
        self._drop(self._spare)
        self._spare = None
        if self._zygote is not None:
            self._zygote.close()
            self._zygote = None
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None


class _IsolatedTransport(Transport):
    """Requests and answers, with what the worker says in between."""

    def __init__(self, process: Process, printed: IO[bytes]) -> None:
        self._process: Process | None = process
        self._printed = printed

    def exchange(self, request: bytes, seconds: float | None) -> bytes | bytearray:
        __tracebackhide__ = True
        if self._process is None:
            raise WorkerDied("it was ended")
        deadline = None if seconds is None else time.monotonic() + seconds + GRACE
        self.importing, self.frames = None, ()
        header = REQUEST.pack(len(request), math.inf if seconds is None else seconds)
        try:
            self._process.send(header + request, deadline)
            return self._answer(self._process, deadline)
        except (TimeoutError, ProtocolError):
            self._end(0)
            raise
        except (OSError, EOFError):
            raise WorkerDied(_how(self._end(PATIENCE))) from None

    def _answer(self, process: Process, deadline: float | None) -> bytearray:
        """The answer; on the way to it, notes of what is imported and of where the code is stuck."""
        while True:
            kind, size = REPLY.unpack(process.receive(REPLY.size, deadline))
            if size > wire.MAX_FRAME:
                raise ProtocolError("the message is too long")
            message = process.receive(size, deadline)
            if kind == ANSWER:
                return message
            self._note(kind, message)

    def _note(self, kind: bytes, message: bytearray) -> None:
        value = wire.decode(message, _no_object, writable=False)
        if kind == STUCK and type(value) is list:
            self.frames = read_frames(value)
            raise TimeoutError
        if kind != IMPORTING or not (value is None or type(value) is str):
            raise ProtocolError("the message is no answer")
        self.importing = value and clean(value)[:200]

    def _end(self, patience: float) -> int | None:
        process, self._process = self._process, None
        return process.end(patience) if process is not None else None

    def output(self) -> str:
        self._printed.seek(0)  # the worker appends, wherever this is
        return self._printed.read(OUTPUT_BYTES).decode("utf-8", "replace")

    def close(self) -> None:
        self._end(0)
        self._printed.close()


def _no_object(number: int) -> Any:
    raise ProtocolError(f"the message names an object: {number}")


def _how(status: int | None) -> str:
    """How a process ended, for people."""
    if status is None:
        return "it hung up on its connection"
    if status >= 0:
        return f"exit status {status}"
    name = signal.Signals(-status).name if -status in {*signal.Signals} else f"signal {-status}"
    known = {"SIGKILL": "killed, as the system does when memory runs out", "SIGXCPU": "too much CPU time"}
    known |= {"SIGSEGV": "segmentation fault", "SIGABRT": "aborted"}
    return f"{known[name]}: {name}" if name in known else name
