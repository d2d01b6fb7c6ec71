"""Where the work is done: here, in processes of this machine; cluster.py has the workers of a Dask cluster.

An engine takes calls and yields what comes of them, in any order. A call that takes longer than its limit is ended; one
whose process dies is tried once more. Either costs that call alone, and is told in the same words everywhere.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

LAST_BYTES = 10_000  # of what a process printed before it died
PATIENCE = 5.0  # seconds in which a process that was told to end may end by itself
TRIES = 2
DIED = "the process that graded it ended without an answer, more than once"
LATE = "it was not graded within {:g} seconds, and was ended"
BROKE = "the grader itself failed: {}"
BOOT = (
    "import sys; sys.path += [p for p in sys.argv.pop(1).split(chr(0x1f)) if p not in sys.path]; "
    "from pytest_tinytorch.grade.classes.worker import main; main()"
)


class EngineError(Exception):
    """The work cannot be done here, or no longer; the text is one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """`operation` of `module` on a job of plain values, in so many seconds. `key` says whose it is."""

    key: str
    module: str
    operation: str
    job: dict[str, Any]
    limit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A process has taken the call."""

    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The call is over: with an answer, or with a sentence that says why there is none, and a traceback of ours."""

    key: str
    answer: Any = None
    failure: str = ""
    trace: str = ""


class Engine(ABC):
    """A place to work, open from `with` to its end."""

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @abstractmethod
    def run(self, calls: Iterable[Call]) -> Generator[Begun | Ended, None, None]:
        """Work on all calls; they are taken from the iterable only as there is room."""

    @abstractmethod
    def close(self) -> None:
        """End every process and what it works on."""


# ---- processes of this machine


class Worker:
    """A process that runs worker.py; started when it is needed, and again when it has died.

    On a `core` it has for itself, with all that it starts: a judge and a worker that wait for each other need no two.
    """

    def __init__(self, paths: tuple[str, ...] = (), core: int | None = None) -> None:
        self._paths = (str(Path(__file__).parents[3]), *paths)
        self._core = core
        self._process: subprocess.Popen[bytes] | None = None
        self._printed: IO[bytes] | None = None
        self._lock = threading.Lock()
        self._is_closed = False

    def do(self, call: Call) -> Ended:
        """What comes of the call; it is tried again when the process dies of it."""
        trace = ""
        for _ in range(TRIES):
            is_late = threading.Event()
            line = self._ask(call, is_late)
            if is_late.is_set():
                return Ended(key=call.key, failure=LATE.format(call.limit))
            if line.endswith(b"\n"):
                return _ended(call.key, json.loads(line))
            trace = self.end()
        return Ended(key=call.key, failure=DIED, trace=trace)

    def _ask(self, call: Call, is_late: threading.Event) -> bytes:
        """The line that it answers; less than a line when it dies."""
        process = self._started()
        if process is None or process.stdin is None or process.stdout is None:
            return b""
        watch = threading.Timer(call.limit, self._stop, (is_late,))
        watch.start()
        try:
            process.stdin.write(json.dumps(asdict(call)).encode() + b"\n")
            process.stdin.flush()
            return process.stdout.readline()
        except OSError:
            return b""
        finally:
            watch.cancel()
            watch.join()

    def _stop(self, is_late: threading.Event) -> None:
        is_late.set()
        self.end()

    def _started(self) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self._is_closed:
                return None
            if self._process is None or self._process.poll() is not None:
                self._printed = self._printed or tempfile.TemporaryFile("w+b")  # noqa: SIM115 -- end() closes it
                self._process = subprocess.Popen(  # noqa: S603 -- this interpreter, and arguments that are all ours
                    [sys.executable, "-I", "-X", "utf8", "-c", BOOT, "\x1f".join(self._paths)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._printed,
                    start_new_session=True,
                )
                if sys.platform == "linux" and self._core is not None:
                    with contextlib.suppress(OSError):  # it is gone again, or the system will not have it
                        os.sched_setaffinity(self._process.pid, {self._core})
            return self._process

    def end(self) -> str:
        """End the process with all that it started; the last that it printed."""
        with self._lock:
            process, self._process = self._process, None
            printed, self._printed = self._printed, None
        if process is not None:
            _end(process)
        return _last(printed) if printed is not None else ""

    def close(self) -> None:
        """End it for good."""
        self._is_closed = True
        self.end()


def _last(printed: IO[bytes]) -> str:
    with printed:
        printed.seek(max(0, printed.seek(0, os.SEEK_END) - LAST_BYTES))
        return printed.read().decode("utf-8", "replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end, and then make it."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=PATIENCE)
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()


def _ended(key: str, told: dict[str, Any]) -> Ended:
    if "broke" in told:
        return Ended(key=key, failure=BROKE.format(told["broke"]), trace=told["trace"])
    return Ended(key=key, answer=told["answer"])


class Local(Engine):
    """So many processes of this machine. `paths` are folders to import from beside what is installed."""

    def __init__(self, processes: int, paths: tuple[str, ...] = ()) -> None:
        self._workers = [Worker(paths, core) for core in _cores(processes)]
        self._stopped = threading.Event()

    def run(self, calls: Iterable[Call]) -> Generator[Begun | Ended, None, None]:
        """A thread for each process hands it one call after the other."""
        waiting = _Shared(calls, self._stopped)
        events: queue.Queue[Begun | Ended | BaseException | None] = queue.Queue(maxsize=len(self._workers))
        threads = [
            threading.Thread(target=_serve, args=(worker, waiting, events), daemon=True) for worker in self._workers
        ]
        for thread in threads:
            thread.start()
        left = len(threads)
        try:
            while left:
                event = events.get()
                if isinstance(event, BaseException):
                    raise event
                if event is None:
                    left -= 1
                else:
                    yield event
        finally:
            waiting.stop()
            if left:
                self.close()
            _drain(threads, events)

    def close(self) -> None:
        """End all processes at once."""
        self._stopped.set()
        enders = [threading.Thread(target=worker.close) for worker in self._workers]
        for ender in enders:
            ender.start()
        for ender in enders:
            ender.join()


def _cores(processes: int) -> Sequence[int | None]:
    """A core for each process, where there are as many of both and the system can be told."""
    cores = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []
    return cores if len(cores) == processes > 1 else [None] * processes


class _Shared:
    """One iterator for several threads, until it is stopped."""

    def __init__(self, calls: Iterable[Call], stopped: threading.Event) -> None:
        self._calls, self._stopped, self._lock, self._over = iter(calls), stopped, threading.Lock(), False

    def __iter__(self) -> Iterator[Call]:
        while True:
            with self._lock:
                call = None if self._over or self._stopped.is_set() else next(self._calls, None)
            if call is None:
                return
            yield call

    def stop(self) -> None:
        """Hand out nothing more."""
        self._over = True


def _serve(worker: Worker, calls: _Shared, events: queue.Queue[Begun | Ended | BaseException | None]) -> None:
    """The thread of one process."""
    try:
        for call in calls:
            events.put(Begun(key=call.key))
            events.put(worker.do(call))
    except BaseException as error:  # noqa: BLE001 -- raised again where the events are read
        events.put(error)
    events.put(None)


def _drain(threads: list[threading.Thread], events: queue.Queue[Begun | Ended | BaseException | None]) -> None:
    """Let threads end that still have something to say."""
    for thread in threads:
        while thread.is_alive():
            with contextlib.suppress(queue.Empty):
                events.get(timeout=0.01)
