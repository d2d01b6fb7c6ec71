"""The process that runs the student's code: `worker fresh` serves one check, `worker zygote` forks one per check.

The zygote has NumPy loaded and the student's sources compiled, but never runs them. Every check's own fork does, or
a *nursery* once for all: a fork that imports the package and is then forked itself, for every check.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import math
import os
import random
import signal
import socket
import struct
import sys
import time
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from . import limits, wire
from .importing import Importer, warm
from .limits import Limits
from .server import Server

if sys.platform == "linux":
    from . import sandbox

REQUEST = struct.Struct("<Qd")  # bytes that follow, seconds until it should say where it is
REPLY = struct.Struct("<cQ")  # what follows (below), and its bytes
ANSWER, IMPORTING, STUCK = b"R", b"I", b"S"
NOTHING = wire.encode(("value", None), lambda value: 0)  # the answer to what every check begins with
LEAST_PAUSE = 0.05  # seconds from one note of where the code is to the next
CONTROL_BYTES = 1 << 20
PRINTED_BYTES = 1 << 20
USUAL = ("abc", "collections.abc", "dataclasses", "enum", "functools", "itertools", "logging", "numpy.typing", "typing")


class Channel:
    """Messages over two file descriptors, as the student's side sees them."""

    def __init__(self, source: int, sink: int) -> None:
        self._source = io.FileIO(source, "rb", closefd=False)
        self._sink = sink
        self._writing = False

    def receive(self) -> tuple[bytearray, float] | None:
        """The next request and its seconds; None when there will be none."""
        header = self._read(REQUEST.size)
        if header is None:
            return None
        size, seconds = REQUEST.unpack(header)
        request = self._read(size)
        return None if request is None else (request, seconds)

    def send(self, kind: bytes, message: bytes) -> None:
        """Write one message whole; one that comes in between, from a signal, is dropped."""
        if self._writing:
            return
        self._writing = True
        try:
            for part in (REPLY.pack(kind, len(message)) + message[:4096], memoryview(message)[4096:]):
                self._write(memoryview(part))
        finally:
            self._writing = False

    def _write(self, part: memoryview) -> None:
        while part:
            part = part[os.write(self._sink, part[: 1 << 20]) :]

    def _read(self, size: int) -> bytearray | None:
        buffer = bytearray(size)
        view, at = memoryview(buffer), 0
        while at < size:
            count = self._source.readinto(view[at:])
            if not count:
                return None
            at += count
        return buffer


def serve(channel: Channel, server: Server) -> None:
    """Answer requests until there are no more."""

    def tell(module: str | None) -> None:
        channel.send(IMPORTING, wire.encode(module, _no_handle))

    def stuck(_number: int, frame: types.FrameType | None) -> None:
        channel.send(STUCK, wire.encode(server.sighting(frame), _no_handle))

    server.importer.tell = tell
    server.settle()
    timer = getattr(signal, "setitimer", None)
    if timer is not None:
        signal.signal(signal.SIGALRM, stuck)
    while (received := channel.receive()) is not None:
        request, seconds = received
        if timer is not None and math.isfinite(seconds):
            timer(signal.ITIMER_REAL, max(seconds, 1e-6), max(seconds, LEAST_PAUSE))
        answer = server.answer(request)
        if timer is not None:
            timer(signal.ITIMER_REAL, 0)
        channel.send(ANSWER, answer)


def _server(importer: Importer) -> Server:
    """A server for which `importer` finds the student's package."""
    importer.install()
    return Server(importer)


def _no_handle(value: object) -> int:
    raise wire.NoValueError(type(value).__name__)


def _no_object(number: int) -> NoReturn:
    raise ValueError(f"there is no object {number}")


# ---- one process, one check


def fresh() -> None:
    """Serve one check over this process's own standard input and output; its first message is the set-up."""
    source, sink = os.dup(0), os.dup(1)
    _standard_streams(os.open(os.devnull, os.O_RDONLY), 2)
    channel = Channel(source, sink)
    received = channel.receive()
    if received is None:
        return
    gc.enable()
    folder, homes, memory, seconds = wire.decode(received[0], _no_object, writable=True)
    limits.apply(Limits(memory=memory, seconds=seconds, processes=None))
    serve(channel, _server(Importer(Path(folder), homes)))


def _print_to(sink: int) -> None:
    """Have everything that is printed go to `sink`."""
    for stream in (1, 2):
        if stream != sink:
            os.dup2(sink, stream)


def _standard_streams(source: int, sink: int) -> None:
    """Read from `source`; print to `sink`, at once, so that nothing is lost when the process dies."""
    os.dup2(source, 0)
    _print_to(sink)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - open as long as the process runs
    sys.stdout = _printer(1)
    sys.stderr = _printer(2)


def _printer(stream: int) -> io.TextIOWrapper:
    raw: Any = _Printed(stream, "wb", closefd=False)
    return io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", write_through=True)


class _Printed(io.FileIO):
    """Writes the first megabyte and drops the rest: who prints without end runs out of time, not of disk."""

    room = PRINTED_BYTES

    def write(self, text: Any) -> int:
        size = len(text)
        if self.room > 0:
            self.room -= size
            super().write(text)
        return size


# ---- one process, a fork for each check


class Zygote:
    """Forks a worker whenever the judge asks, and ends it when the check is over.

    Requests come as (verb, operands…) over a socket that keeps their boundaries; with `fork` come the worker's
    own connection and the file that it prints to.
    """

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.workers: set[int] = set()
        self.verbs: dict[str, Callable[..., Any]] = {
            "setup": self._setup,
            "nurse": self._nurse,
            "fork": self._fork,
            "end": self._end,
        }

    def serve(self) -> None:
        """Work until the judge is gone; leave no process behind."""
        limits.adopt_orphans()
        while True:
            message, sent, _flags, _address = socket.recv_fds(self.control, CONTROL_BYTES, 2)
            if not message:
                break
            verb, *operands = wire.decode(message, _no_object, writable=True)
            answer = wire.encode(self.verbs[verb](*sent, *operands), _no_handle)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the judge is gone: the next read says so
                self.control.send(answer)
        for pid in self.workers:
            _kill_group(pid)
        limits.kill_children(spare=set())

    def _setup(
        self, folder: str, homes: Mapping[str, str], memory: int, shared: list[str], compile_now: bool
    ) -> tuple[str, ...]:
        """Load what every worker needs; the names of what the system keeps from them."""
        self.folder, self.homes, self.memory = Path(folder), homes, memory
        self.codes = warm(self.folder) if compile_now else {}
        _standard_streams(0, 1)  # for every fork: only where it prints to is its own
        np.random.default_rng()  # loads what a student's module may use
        for module in USUAL:
            importlib.import_module(module)
        self.sandbox = sandbox.prepare(self.folder, map(Path, shared))
        gc.freeze()
        gc.enable()
        return self.sandbox.holds

    def enter(self) -> None:
        """Shut this process, which was just forked, off from what it does not need."""
        self.sandbox.enter()

    def _fork(self, connection: int, printed: int, seconds: float | None) -> int:
        return self._child(self._work, connection, printed, seconds)

    def _nurse(self, connection: int, printed: int, requests: list[bytes]) -> int:
        return self._child(self._become_nursery, connection, printed, None, requests)

    def _child(self, run: Callable[..., None], connection: int, printed: int, seconds: float | None, *more: Any) -> int:
        """Fork a process, limited and in a session of its own, that does `run(connection, …)` and ends."""
        pid = os.fork()
        if pid == 0:
            try:
                os.setsid()
                self.control.close()
                _print_to(printed)
                os.close(printed)
                limits.apply(Limits(memory=self.memory, seconds=seconds, processes=self.sandbox.processes))
                self.enter()
                run(connection, *more)
            finally:
                os._exit(0)
        os.close(connection)
        os.close(printed)
        self.workers.add(pid)
        return pid

    def _work(self, connection: int) -> None:
        serve(Channel(connection, connection), self.server())

    def server(self) -> Server:
        """The server of a worker that was just forked."""
        return _server(Importer(self.folder, self.homes, self.codes))

    def _become_nursery(self, connection: int, requests: list[bytes]) -> None:
        """Do what every check begins with, then fork for each; end where a check could tell that from its own."""
        server = self.server()
        files = limits.open_files()
        is_same = all(server.answer(request) == NOTHING for request in requests)
        if is_same and limits.open_files() == files and limits.shares_nothing():
            gc.freeze()
            control = socket.socket(fileno=connection)
            control.send(NOTHING)
            Nursery(control, server, self.memory, self.sandbox).serve()

    def _end(self, pid: int, patience: float) -> int | None:
        """End a worker and what it started; its exit status where it ended by itself within `patience`."""
        status = _exited(pid, patience)
        _kill_group(pid)
        if status is None:
            os.waitpid(pid, 0)
        self.workers.discard(pid)
        limits.kill_children(spare=self.workers)
        return status


class Nursery(Zygote):
    """Forks workers in which the student's package is imported already, as `server` found it."""

    def __init__(self, control: socket.socket, server: Server, memory: int, shut_in: sandbox.Sandbox) -> None:
        super().__init__(control)
        self.memory = memory
        self.sandbox = shut_in
        self._server = server
        self._random = random.getstate()

    def server(self) -> Server:
        """The server, as it was right after the import; Python seeds `random` anew in every fork, so that too."""
        random.setstate(self._random)
        return self._server

    def enter(self) -> None:
        """A fork of this process is where this is; only what happens in here is kept from it too."""
        sandbox.part()


def _exited(pid: int, patience: float) -> int | None:
    """The exit status of a child (minus the signal that ended it), or None when it still runs."""
    deadline = time.monotonic() + patience
    while True:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() >= deadline:
            return None
        time.sleep(0.002)


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def main() -> None:
    """Run as `worker fresh`, or as `worker zygote DESCRIPTOR`; garbage is not collected until all is loaded."""
    if sys.argv[1] == "fresh":
        fresh()
    else:
        Zygote(socket.socket(fileno=int(sys.argv[2]))).serve()
    os._exit(0)
