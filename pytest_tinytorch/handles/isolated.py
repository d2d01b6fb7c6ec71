"""Isolated mode: the student's code in another process, a new one for every check.

On Linux they are forked, in milliseconds; elsewhere each is started afresh. Only what the codec makes of their bytes
comes back, and a process that dies or hangs costs its own check alone.

What checks share is the state right after the package's import: it is imported once, in a nursery, and every check
gets a copy. An import that could make copies differ from an import of their own is repeated for every check: one that
fails, prints, takes long, or leaves threads, processes, open files or shared memory behind.
"""

from __future__ import annotations

import collections
import contextlib
import math
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from . import limits, wire
from .errors import Frame, ProtocolError, WorkerDied
from .processes import PATIENCE, Forked, Fresh, Nursery, Parent, Process, Reply, Zygote
from .worker import ANSWER, IMPORTING, REPLY, REQUEST, STUCK
from .world import ASLEEP, GivenUp, Sessions, Transport, World, clean, openings, read_frames

SPARES = 2  # workers that are forked ahead
OUTPUT_BYTES = 64 << 10
EARLY = 0.01  # seconds by which a worker's clock may be ahead
GRACE = 0.25  # seconds after the time limit in which a worker may say where its code is


class IsolatedSessions(Sessions):
    """A process for every check, forked where this system forks safely; `reimport`: each imports the package itself."""

    def __init__(
        self,
        folder: Path,
        homes: Mapping[str, str],
        *,
        memory: int,
        forks: bool | None = None,
        reimport: bool = False,
    ) -> None:
        super().__init__(folder, homes)
        self.memory = memory
        self.reimport = reimport
        self.forks = sys.platform == "linux" if forks is None else forks
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._shared: list[str] = []
        self._zygote: Zygote | None = None
        self._starting: tuple[Zygote, Reply] | None = None
        self._trace = False
        self._nursery: Nursery | None = None
        self._nursery_traces = False
        self._spares: collections.deque[tuple[object, _IsolatedTransport]] = collections.deque()

    @property
    def hardening(self) -> str:  # type: ignore[override]  # it is known when the workers' parent has tried
        """Which limits hold here, in one sentence."""
        holds: tuple[str, ...] = ()
        if self.forks:
            with contextlib.suppress(WorkerDied):  # nothing runs, and nothing is limited
                holds = self._living_zygote().holds
        return limits.describe(self.memory, forks=self.forks, holds=holds, relayed=self.relayed)

    @property
    def setup(self) -> tuple[Any, ...]:
        """What a worker must know of the package."""
        return str(self.folder), self.homes, self.memory

    @property
    def scratch(self) -> str:
        """The folder that workers start in; what they write there is theirs."""
        return str(self._places() / "work")

    @property
    def common(self) -> str | None:
        """A folder in which the judge reads what workers write, where it is wanted: they may write without limit."""
        return str(self._places() / "common") if self.meets else None

    def _places(self) -> Path:
        if self._scratch is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="tinytorch-", ignore_cleanup_errors=True)
            for name in ("work", "common"):
                Path(self._scratch.name, name).mkdir()
        return Path(self._scratch.name)

    def share(self, folder: Path) -> None:
        """Let workers write to a folder that is there already."""
        self._shared.append(str(folder))

    def begin(self, *, limit: float | None, trace: bool, server: Transport | None = None) -> World:
        """A fresh world for one check."""
        if server is None:
            self._trace = trace
        return super().begin(limit=limit, trace=trace, server=server)

    def connect(self, limit: float | None) -> Transport:
        """A new process for one check. The next ones are forked already, and import the package meanwhile."""
        if not self.forks:
            return self._transport(lambda printed: Fresh((*self.setup, limit), self.scratch, printed))
        nursery = self._living_nursery()
        if nursery is not None:
            try:
                return self._next(nursery, limit)
            except WorkerDied:
                self._do_without_nursery()
        return self._next(self._living_zygote(), limit)

    def _next(self, parent: Parent, limit: float | None) -> _IsolatedTransport:
        """A worker that is there, and spares for the checks to come."""
        wanted = (parent, limit, self._trace, len(self.failures))
        while self._spares and self._spares[0][0] != wanted:
            self._spares.popleft()[1].close()
        transport = self._spares.popleft()[1] if self._spares else self._forked(parent, limit)
        try:
            transport.wait()
            while len(self._spares) < SPARES:
                spare = self._forked(parent, limit)
                spare.send_ahead(openings(self._trace, load=not self.failures), limit)
                self._spares.append((wanted, spare))
        except BaseException:
            transport.close()
            raise
        return transport

    def _forked(self, parent: Parent, limit: float | None) -> _IsolatedTransport:
        return self._transport(lambda printed: Forked(parent, printed, limit))

    def _transport(self, start: Callable[[IO[bytes]], Process]) -> _IsolatedTransport:
        printed = tempfile.TemporaryFile("a+b", buffering=0)  # noqa: SIM115 - the transport closes it
        try:
            return _IsolatedTransport(start(printed), printed, self)
        except BaseException:
            printed.close()
            raise

    def _living_nursery(self) -> Nursery | None:
        """The nursery, where the package's import can be shared. One that fails is the last of the run."""
        if self.reimport or self.failures:
            return None
        zygote = self._living_zygote()
        if self._nursery is not None and (self._nursery.zygote, self._nursery_traces) != (zygote, self._trace):
            self._end_nursery()
        if self._nursery is None:
            self._nursery = Nursery(zygote, openings(self._trace, load=True))
            self._nursery_traces = self._trace
        if not self._nursery.is_usable() or not self._nursery.is_ready():
            self._do_without_nursery()
        return self._nursery

    def _do_without_nursery(self) -> None:
        self.reimport = True
        self._end_nursery()

    def _end_nursery(self) -> None:
        self._drop_spares()
        if self._nursery is not None:
            self._nursery.close()
            self._nursery = None

    def _drop_spares(self) -> None:
        while self._spares:
            self._spares.popleft()[1].close()

    def _living_zygote(self) -> Zygote:
        """The zygote; a new one where a student's code has ended it."""
        if self._zygote is not None and not self._zygote.is_usable():
            self._zygote.close()
            self._zygote = None
        if self._zygote is None:
            self._zygote = self._new_zygote()
        return self._zygote

    def prepare(self) -> None:
        """Start the zygote, and go on while it loads NumPy and compiles."""
        if self.forks and self._zygote is None and self._starting is None:
            self._starting = self._start(compile_now=True)

    def _new_zygote(self) -> Zygote:
        """A zygote with the sources compiled; without, where they bring the compiler down."""
        for compile_now in (True, False):
            zygote, ready = self._starting or self._start(compile_now=compile_now)
            self._starting = None
            try:
                zygote.holds = ready.wait()
            except WorkerDied:
                zygote.close()
            else:
                return zygote
        raise WorkerDied("it could not be started")

    def _start(self, *, compile_now: bool) -> tuple[Zygote, Reply]:
        zygote = Zygote(self.scratch)
        shared = [*self._shared, *filter(None, [self.common])]
        return zygote, zygote.post("setup", *self.setup, shared, compile_now)

    def close(self) -> None:
        """End the zygote and its workers, and remove the folder that they wrote to."""
        self._drop_spares()
        self._end_nursery()
        for zygote in (self._zygote, self._starting and self._starting[0]):
            if zygote is not None:
                zygote.close()
        self._zygote = self._starting = None
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None


class _IsolatedTransport(Transport):
    """Requests and answers, with what the worker says in between."""

    def __init__(self, process: Process, printed: IO[bytes], sessions: Sessions) -> None:
        self._process: Process | None = process
        self._printed = printed
        self._sessions = sessions
        self._ahead: collections.deque[bytes] = collections.deque()
        self._asked = 0.0

    def wait(self) -> None:
        """Wait until the process is there. Raises WorkerDied where it will not be."""
        if isinstance(self._process, Forked) and not self._process.is_there():
            raise WorkerDied("it was not started")

    def send_ahead(self, requests: list[bytes], seconds: float | None) -> None:
        """Send what every check asks first; the answers are read when it does."""
        for request in requests:
            try:
                self._send(request, seconds, None)
            except OSError:
                return  # the worker is gone, as the check will find out
            self._ahead.append(request)

    def _send(self, request: bytes, seconds: float | None, deadline: float | None) -> None:
        if self._process is None:
            raise OSError
        self._process.send(REQUEST.pack(len(request), math.inf if seconds is None else seconds) + request, deadline)

    def exchange(self, request: bytes, seconds: float | None) -> bytes | bytearray:
        __tracebackhide__ = True
        if self._process is None:
            raise WorkerDied("it was ended")
        deadline = None if seconds is None else time.monotonic() + seconds + GRACE
        watch = self._sessions.watch
        look = min(seconds, watch.seconds) if watch and seconds is not None else seconds
        self.importing, self.frames, self._asked = None, (), time.monotonic()
        try:
            if self._ahead and self._ahead[0] == request:
                self._ahead.popleft()
            else:
                self._skip_answers(self._process, deadline)
                self._send(request, look, deadline)
            return self._answer(self._process, deadline)
        except (TimeoutError, ProtocolError):
            self._end(0)
            raise
        except (OSError, EOFError):
            raise WorkerDied(_how(self._end(PATIENCE))) from None

    def _skip_answers(self, process: Process, deadline: float | None) -> None:
        """Read past the answers to what was sent ahead and is not asked for after all."""
        while self._ahead:
            self._ahead.popleft()
            self._answer(process, deadline)

    def _answer(self, process: Process, deadline: float | None) -> bytearray:
        """The answer; on the way to it, notes of what is imported and of where the code is stuck."""
        while True:
            kind, size = REPLY.unpack(process.receive(REPLY.size, deadline))
            if size > wire.MAX_FRAME:
                raise ProtocolError("the message is too long")
            message = process.receive(size, deadline)
            if kind == ANSWER:
                return message
            self._note(kind, message, deadline)

    def _note(self, kind: bytes, message: bytearray, deadline: float | None) -> None:
        value = wire.decode(message, _no_object, writable=False)
        if kind == STUCK:
            match value:
                case (list(frames), list(stayed), float(worked)):
                    self.frames = read_frames(frames)
                    self._look(deadline, read_frames(stayed), worked)
                    return
        if kind != IMPORTING or not (value is None or type(value) is str):
            raise ProtocolError("the message is no answer")
        self.importing = value and clean(value)[:200]

    def _look(self, deadline: float | None, stayed: tuple[Frame, ...], worked: float) -> None:
        """The code has not come back yet: raise TimeoutError where its time is over, or where it is hopeless."""
        watch = self._sessions.watch
        if watch is None or deadline is None or time.monotonic() > deadline - GRACE - EARLY:
            raise TimeoutError
        is_long = worked >= watch.seconds or time.monotonic() - self._asked >= ASLEEP * watch.seconds
        if is_long and watch.is_hopeless(stayed):
            raise GivenUp(watch.seconds)

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
