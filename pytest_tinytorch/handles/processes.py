"""The processes that run the student's code, as the judge sees them: forked from a zygote, or started afresh."""

from __future__ import annotations

import collections
import contextlib
import math
import os
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from . import limits, wire
from .errors import ProtocolError, WorkerDied
from .worker import CONTROL_BYTES, REQUEST
from .world import SETUP_SECONDS

CHUNK = 1 << 16
PATIENCE = 0.3  # seconds in which a process that lost its connection may end by itself
NURSERY_SECONDS = 2.0  # in which it answers, or is not asked again: an import that takes longer is each check's own
KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "SYSTEMDRIVE")
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
BOOT = (
    "import gc, sys; gc.disable(); sys.path += [p for p in sys.argv.pop(1).split(chr(0x1f)) if p not in sys.path]; "
    "from pytest_tinytorch.handles.worker import main; main()"
)


class Process(ABC):
    """A worker as the judge sees it: messages out and in, and its end."""

    @abstractmethod
    def send(self, message: bytes, deadline: float | None) -> None:
        """Write the bytes. Raises TimeoutError, or OSError when the worker is gone."""

    @abstractmethod
    def receive(self, size: int, deadline: float | None) -> bytearray:
        """Read as many bytes. Raises TimeoutError, or EOFError when the worker is gone."""

    @abstractmethod
    def end(self, patience: float) -> int | None:
        """End the process; its own exit status, minus the signal, where it ended by itself within `patience`."""


def _environment(scratch: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    places = dict.fromkeys(("HOME", "TMPDIR", "TEMP", "TMP", "USERPROFILE"), scratch)
    return {**kept, **places, **dict.fromkeys(ONE_THREAD, "1")}


def _command(*arguments: str) -> list[str]:
    """Python, isolated from environment and working folder, that finds this package and NumPy where we have them."""
    paths = [str(Path(__file__).parents[2]), str(Path(np.__file__).parents[1])]
    return [sys.executable, "-I", "-X", "utf8", "-c", BOOT, "\x1f".join(paths), *arguments]


# ---- forked from a zygote


class Reply:
    """An answer of a process that forks workers; it may still be on its way."""

    def __init__(self, parent: Parent) -> None:
        self._parent = parent
        self._is_here = False
        self._answer: Any = None

    def settle(self, answer: Any) -> None:
        """Take the answer in."""
        self._is_here, self._answer = True, answer

    def wait(self) -> Any:
        """The answer. Raises WorkerDied where none will come."""
        while not self._is_here:
            self._parent.receive()
        return self._answer


class Parent(ABC):
    """The judge's end of a process that forks workers."""

    def __init__(self, seconds: float) -> None:
        self._control, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.settimeout(seconds)
        self._owed: collections.deque[Reply] = collections.deque()

    @abstractmethod
    def end_worker(self, pid: int) -> None:
        """Do what can be done about a worker of a process that no longer answers."""

    def ask(self, *message: Any, sending: tuple[int, ...] = ()) -> Any:
        """Send a request, with file descriptors; the answer. A zygote that fails once is not asked again."""
        return self.post(*message, sending=sending).wait()

    def post(self, *message: Any, sending: tuple[int, ...] = ()) -> Reply:
        """Send a request, and go on: the answer is read when somebody waits for it, or for a later one."""
        with self._failing_for_good():
            socket.send_fds(self._control, [wire.encode(message, _no_handle)], list(sending))
        return self.owe()

    def owe(self) -> Reply:
        """The next answer to come."""
        reply = Reply(self)
        self._owed.append(reply)
        return reply

    def receive(self) -> None:
        """Read the next answer; they come in the order of the requests."""
        with self._failing_for_good():
            answer = wire.decode(self._control.recv(CONTROL_BYTES), _no_object, writable=False)
        self._owed.popleft().settle(answer)

    @contextlib.contextmanager
    def _failing_for_good(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ProtocolError):
            self._control.close()
            raise WorkerDied("the process that starts the workers is gone") from None
        except BaseException:  # Ctrl-C: an answer is still to come, and nobody will read it
            self._control.close()
            raise

    def is_usable(self) -> bool:
        """Whether it answered as long as it was asked."""
        return self._control.fileno() >= 0


class Zygote(Parent):
    """Runs none of the student's code: what it answers can be relied on. `holds` is what its sandbox keeps in."""

    holds: tuple[str, ...] = ()

    def __init__(self, scratch: str) -> None:
        super().__init__(SETUP_SECONDS)
        limits.hide_memory()
        with self._theirs as theirs:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, and arguments that are all ours
                _command("zygote", str(theirs.fileno())),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=_environment(scratch),
                cwd=scratch,
                start_new_session=True,
            )

    def is_usable(self) -> bool:
        """Whether it runs and answers."""
        return super().is_usable() and self._process.poll() is None

    def end_worker(self, pid: int) -> None:
        """Kill the worker's group from here."""
        _kill_group(pid)

    def close(self) -> None:
        """Let it end, and with it every worker."""
        with contextlib.suppress(WorkerDied):
            while self._owed and self.is_usable():
                self.receive()
        patience = 5 if self.is_usable() else 0
        self._control.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=patience)
        self._process.kill()
        self._process.wait()


class Nursery(Parent):
    """A fork of the zygote in which the student's package is imported, and which forks workers from there.

    It runs the student's code, so that nothing it says is relied on: the zygote ends it, with all that it started.
    """

    def __init__(self, zygote: Zygote, requests: list[bytes]) -> None:
        super().__init__(NURSERY_SECONDS)
        self.zygote = zygote
        self._printed = tempfile.TemporaryFile("a+b", buffering=0)  # noqa: SIM115 - close() closes it
        with self._theirs as theirs:
            self._pid = zygote.post("nurse", requests, sending=(theirs.fileno(), self._printed.fileno()))
        self._ready = self.owe()

    def is_ready(self) -> bool:
        """Whether the import is over and printed nothing, which each check's own process would have to print."""
        try:
            self._ready.wait()
        except WorkerDied:
            return False
        return os.fstat(self._printed.fileno()).st_size == 0

    def end_worker(self, pid: int) -> None:
        """End the nursery; the zygote adopts its workers then, and ends them. `pid` may be anybody's."""
        self.close()

    def close(self) -> None:
        """Have the zygote end it, and what it started."""
        self._control.close()
        if self._printed.closed:
            return
        self._printed.close()
        with contextlib.suppress(WorkerDied):
            pid = self._pid.wait()
            try:
                self.zygote.post("end", pid, 0)
            except WorkerDied:  # with the zygote gone too, only the nursery knows its workers: let it end them first
                _wait_for(pid, PATIENCE)
                _kill_group(pid)


def _no_handle(value: object) -> int:
    raise wire.NoValueError(type(value).__name__)


def _no_object(number: int) -> Any:
    raise ProtocolError(f"the message names an object: {number}")


class Forked(Process):
    """A worker that was forked; its connection is a socket."""

    def __init__(self, parent: Parent, printed: IO[bytes], limit: float | None) -> None:
        self._parent = parent
        self._socket, theirs = socket.socketpair()
        try:
            with theirs:
                self._forked = parent.post("fork", limit, sending=(theirs.fileno(), printed.fileno()))
        except BaseException:
            self._socket.close()
            raise

    def is_there(self) -> bool:
        """Whether it was forked, as far as its parent can be believed."""
        try:
            return type(self._forked.wait()) is int
        except WorkerDied:
            return False

    def send(self, message: bytes, deadline: float | None) -> None:
        """Write the bytes to the socket."""
        self._limit(deadline)
        self._socket.sendall(message)

    def receive(self, size: int, deadline: float | None) -> bytearray:
        """Read as many bytes from the socket."""
        buffer = bytearray(size)
        view, at = memoryview(buffer), 0
        while at < size:
            self._limit(deadline)
            count = self._socket.recv_into(view[at:])
            if not count:
                raise EOFError
            at += count
        return buffer

    def _limit(self, deadline: float | None) -> None:
        self._socket.settimeout(None if deadline is None else _left(deadline))

    def end(self, patience: float) -> int | None:
        """Have its parent end the worker, and what it started; how it ended is waited for where that is asked."""
        self._socket.close()
        pid = 0
        try:
            pid = self._forked.wait()
            ending = self._parent.post("end", pid, patience)
            status = ending.wait() if patience else None
        except WorkerDied:
            if pid or isinstance(self._parent, Nursery):
                self._parent.end_worker(pid)
            return None
        return status if type(status) is int and abs(status) < 256 else None


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


# ---- a fresh process


class Fresh(Process):
    """A worker of its own, over pipes: reading from a thread, since a pipe has no time-out everywhere."""

    def __init__(self, setup: tuple[Any, ...], scratch: str, printed: IO[bytes]) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter, and arguments that are all ours
            _command("fresh"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=printed,
            env=_environment(scratch),
            cwd=scratch,
            start_new_session=True,
        )
        self._chunks: queue.Queue[bytes] = queue.Queue(maxsize=64)
        self._rest = b""
        self._reader = threading.Thread(target=self._read, name="tinytorch worker", daemon=True)
        self._reader.start()
        message = wire.encode(setup, _no_handle)
        self.send(REQUEST.pack(len(message), math.inf) + message, time.monotonic() + SETUP_SECONDS)

    def _read(self) -> None:
        """The thread: chunks as they come, an empty one at the end."""
        output = self._process.stdout
        while output is not None:
            chunk = os.read(output.fileno(), CHUNK)
            self._chunks.put(chunk)
            if not chunk:
                return

    def send(self, message: bytes, deadline: float | None) -> None:
        """Write the bytes; a worker that does not read them is ended in time."""
        pipe = self._process.stdin
        if pipe is None:
            raise EOFError
        watch = None
        if deadline is not None and len(message) > CHUNK // 2:
            watch = threading.Timer(_left(deadline), self._process.kill)
            watch.start()
        try:
            pipe.write(message)
            pipe.flush()
        finally:
            if watch is not None:
                watch.cancel()
                watch.join()

    def receive(self, size: int, deadline: float | None) -> bytearray:
        """Read as many bytes from what the thread has read."""
        found = bytearray(self._rest)
        while len(found) < size:
            try:
                chunk = self._chunks.get(timeout=None if deadline is None else _left(deadline))
            except queue.Empty:
                raise TimeoutError from None
            if not chunk:
                raise EOFError
            found += chunk
        self._rest = bytes(found[size:])
        del found[size:]
        return found

    def end(self, patience: float) -> int | None:
        """Kill the process and its group, and wait for the thread."""
        status = self._exited(patience)
        if hasattr(os, "killpg"):
            _kill_group(self._process.pid)
        self._process.kill()
        self._process.wait()
        while self._reader.is_alive():
            with contextlib.suppress(queue.Empty):
                self._chunks.get_nowait()
            self._reader.join(0.001)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        return status

    def _exited(self, patience: float) -> int | None:
        try:
            return self._process.wait(timeout=patience) if patience else None
        except subprocess.TimeoutExpired:
            return None


def _wait_for(pid: int, seconds: float) -> None:
    """Wait until there is no such process, which is not a child of ours."""
    deadline = time.monotonic() + seconds
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.01)


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
