"""The world of one check: the student's package, asked over a transport, and what happened in it."""

from __future__ import annotations

import builtins
import time
import types
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import lab, wire
from .errors import (
    Frame,
    Interrupted,
    ProtocolError,
    Remote,
    StudentExit,
    TimedOut,
    Trouble,
    Unsendable,
    Warned,
    WorkerDied,
)
from .expressions import Call, Item, Name, Node
from .importing import INIT, Broken
from .proxy import END, Handle

SETUP_SECONDS = 30.0  # for what is not the student's time: starting, reporting
MAX_TEXT = 4_000


class Package:
    """The student's package: `tt.softmax` from its home module, `tt.spatial` the module."""

    __slots__ = ("_found", "_world")

    def __init__(self, world: World) -> None:
        self._world = world
        self._found: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        __tracebackhide__ = True
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        if name not in self._found:
            self._found[name] = self._world.find(name)
        return self._found[name]

    def __repr__(self) -> str:
        return "tt"


ASLEEP = 5  # looks, after which a call that has done no work is taken for one that has


@dataclass(frozen=True, slots=True)
class Watch:
    """Early looks at where a check's code is, every so many `seconds` from a request on.

    The request is given up where `is_hopeless` says so of the calls that two looks have seen, and its code has worked
    for as long as lies between them. One that sleeps has more time.
    """

    seconds: float
    is_hopeless: Callable[[tuple[Frame, ...]], bool]


class GivenUp(TimeoutError):
    """A request whose answer was not waited for any longer, after so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


class Transport(ABC):
    """Carries messages to a server, and knows what became of it. `imported` is what earlier checks imported there."""

    imported: Collection[str] = ()
    importing: str | None = None  # the module that is being imported, as far as that is known
    frames: tuple[Frame, ...] = ()  # where the student's code was when it was interrupted

    @abstractmethod
    def exchange(self, request: bytes, seconds: float | None) -> bytes | bytearray:
        """The answer to a request. Raises TimeoutError after `seconds`, WorkerDied, ProtocolError."""

    def traceback(self) -> types.TracebackType | None:
        """The student's part of the last exception's traceback, where it is in this process."""
        return None

    def output(self) -> str:
        """What the student's code has printed, where it is not left to pytest."""
        return ""

    @abstractmethod
    def close(self) -> None:
        """End the check on the student's side."""


class Sessions(ABC):
    """The student's package under test for one pytest run; every check begins a world of its own.

    `hardening` says in one sentence what limits hold. `failures` are the imports that failed, by module
    (`__init__` for the package itself): a later check gets the same error without another try. `imported`
    are the modules that could be imported: a time-out of one of these is not the module's. `watch` may end a check
    before its limit, where processes can say where their code is. `meets`: both sides want a folder to write to.
    `relayed`: a check that passes hands its server on to the next one.
    """

    hardening: str
    watch: Watch | None = None
    meets: bool = False
    relayed: bool = False

    def __init__(self, folder: Path, homes: Mapping[str, str]) -> None:
        self.folder = folder.absolute()
        self.name = folder.name
        self.homes = dict(homes)
        self.failures: dict[str, BaseException] = {}
        self.imported: set[str] = set()

    def prepare(self) -> None:  # noqa: B027 -- nothing to do where nothing is started
        """Start what takes time, and do not wait for it."""

    @property
    def common(self) -> str | None:
        """A folder that both sides may write to, where that cannot be any folder."""
        return None

    def share(self, folder: Path) -> None:  # noqa: B027 -- the same process may write wherever the judge may
        """Let the student's code write to a folder; to be said before anything is started."""

    def begin(self, *, limit: float | None, trace: bool, server: Transport | None = None) -> World:
        """A fresh world for one check; `limit` is the seconds of the student's time in all.

        It has a server of its own, or one that another check has handed over.
        """
        for error in self.failures.values():
            error.__traceback__ = None
        return World(self, limit=limit, trace=trace, server=server)

    @abstractmethod
    def connect(self, limit: float | None) -> Transport:
        """A server for one check."""

    @abstractmethod
    def close(self) -> None:
        """End the run: nothing is left behind."""


class World:
    """One check's view of the student's code."""

    def __init__(
        self, sessions: Sessions, *, limit: float | None, trace: bool, server: Transport | None = None
    ) -> None:
        self.tt: Any = Package(self)
        self.sessions = sessions
        self.limit = limit
        self.trace = trace
        self._remaining = limit
        self._transport: Transport | None = None
        self._handed_over = server
        self._printed_before = len(server.output()) if server is not None else 0
        self._over: Trouble | None = None
        self._closed = False
        self._plain: dict[str, Node] = {}
        self._imported = set(server.imported) if server is not None else set[str]()
        self._handles: weakref.WeakValueDictionary[int, Handle] = weakref.WeakValueDictionary()
        self._released: list[tuple[int, int]] = []

    # ---- what a check uses

    def lab(self, fn: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
        """Run the source of a plain function beside the student's code; `tt`, `np` and `math` are there."""
        __tracebackhide__ = True
        source = lab.source(fn)
        self._prepare()
        call = Call(Name(fn.__name__), args, keywords)
        return self.ask("lab", fn.__name__, source, args, keywords, node=call)

    def called(self) -> set[tuple[str, int]]:
        """File and first line of each of the student's functions that ran, where calls are traced."""
        return set(self._report("called", (str, int)))

    def warnings(self) -> list[Warned]:
        """The warnings that the student's code has given."""
        rows = self._report("warnings", (str, str, str, int))
        return [Warned(category=kind, text=text, file=file, line=line) for kind, text, file, line in rows]

    def plain(self) -> dict[str, str]:
        """The types of the plain values that the student's code gave, each with the call that gave the last one."""
        return {kind: node.text for kind, node in self._plain.items()}

    def output(self) -> str:
        """What the student's code has printed, where it is not left to pytest."""
        return "" if self._transport is None else printable(self._transport.output()[self._printed_before :])

    def close(self) -> None:
        """End the check; its handles are of no use any more."""
        self._closed = True
        for server in (self._transport, self._handed_over):
            if server is not None:
                server.close()

    def hand_over(self) -> Transport | None:
        """End the check, but not its server, on which another may go on."""
        server, self._transport = self._transport, None
        if server is not None:
            server.imported = self._imported
        self.close()
        return server

    # ---- finding the student's names

    def find(self, name: str) -> Any:
        """What `tt.NAME` is."""
        __tracebackhide__ = True
        self._prepare()
        module = self.sessions.homes.get(name) or name
        if name in self.sessions.homes or self._is_module(name):
            self._import(module, "load_module", module)
        elif INIT in self.sessions.failures:
            raise self.sessions.failures[INIT].with_traceback(None)
        return self.ask("find", name, node=Name(name))

    def _is_module(self, name: str) -> bool:
        folder = self.sessions.folder
        return (folder / f"{name}.py").is_file() or (folder / name / "__init__.py").is_file()

    def _prepare(self) -> None:
        """Import the package; where that fails by another module's fault, go on without its `__init__`."""
        __tracebackhide__ = True
        try:
            self._import(INIT, "load")
        except (Exception, Interrupted, StudentExit) as error:
            if self._is_own_fault(error) or INIT not in self.sessions.failures:
                raise
            self._start_again()
            self._imported.add(INIT)
            self.ask("load_bare", self._broken(), node=Name(f"import {self.sessions.name}"))

    def _import(self, module: str, verb: str, *operands: str) -> None:
        """Import something once per check; a failure is remembered for the whole run."""
        __tracebackhide__ = True
        failures = self.sessions.failures
        if module in self._imported:
            return
        if module in failures:
            raise failures[module].with_traceback(None)
        had_time = self._remaining is None or self._remaining > (self.limit or 0) / 2
        try:
            self.ask(verb, *operands, node=Name(".".join(["import " + self.sessions.name, *operands])))
        except StudentExit as error:
            self._remember(module, self._known(error))
            raise failures[module] from None
        except (Exception, Interrupted) as error:
            if not isinstance(error, TimedOut) or (had_time and module not in self.sessions.imported):
                self._remember(module, error)
            raise
        self._imported.add(module)
        self.sessions.imported.add(module)

    def _remember(self, module: str, error: BaseException) -> None:
        """Note a failed import, also for the module that did not come back from it."""
        self.sessions.failures[module] = error
        if isinstance(error, Interrupted) and error.importing:
            self.sessions.failures.setdefault(self._leaf(error.importing), error)

    def _leaf(self, module: str) -> str:
        """The name under which a module's failure is kept: `losses` of `tinytorch.losses`."""
        return INIT if module == self.sessions.name else module.removeprefix(f"{self.sessions.name}.")

    def _broken(self) -> list[str]:
        """Modules that are not worth another try, because they did not come back from being imported."""
        failures = self.sessions.failures
        return [name for name, error in failures.items() if isinstance(error, Interrupted) and name != INIT]

    def _known(self, error: StudentExit) -> BaseException:
        """The remembered failure, where the server met a module that is known to be broken."""
        if error.remote.kind != Broken.__name__:
            return error
        return self.sessions.failures.get(error.remote.message, error)

    def _is_own_fault(self, error: BaseException) -> bool:
        """Whether the package's `__init__` itself is broken, and not a module that it imports."""
        remote = getattr(error, "remote", error)
        return getattr(remote, "importing", None) == self.sessions.name

    def _start_again(self) -> None:
        """A fresh server where the old one is gone, and a full clock: another module's import is not this check's."""
        if self._over is not None and self._transport is not None:
            self._transport.close()
            self._transport = None
        self._over = None
        self._remaining = self.limit

    # ---- messages

    def ask(self, verb: str, *operands: Any, node: Node) -> Any:
        """Have the server do something; the result, or the student's exception."""
        __tracebackhide__ = True
        if self._closed:
            raise Trouble(f"`{node.text}` belongs to a check that is over")
        if self._over is not None:
            raise self._over
        request = self._encode(verb, operands)
        try:
            reply = self._read(self._exchange(request), node)
        except (Interrupted, ProtocolError) as trouble:
            self._end_with(trouble, node)
            raise
        if isinstance(reply, BaseException):
            raise reply.with_traceback(self._server().traceback())
        if type(reply) is not Handle:
            self._plain[type(reply).__name__] = node
        return reply

    def release(self, number: int, times: int) -> None:
        """Tell the server, with the next message, that a handle is gone."""
        self._released.append((number, times))

    def _server(self) -> Transport:
        if self._transport is None:
            verb = "begin_after" if self._handed_over else "begin"
            self._transport = self._handed_over or self.sessions.connect(self.limit)
            self._handed_over = None
            try:
                self._transport.exchange(self._encode(verb, (self.trace,)), SETUP_SECONDS)
            except TimeoutError:
                raise WorkerDied("it did not start") from None
        return self._transport

    def _encode(self, verb: str, operands: tuple[Any, ...]) -> bytes:
        released, self._released = self._released, []
        try:
            return wire.encode((verb, operands, released), self._number)
        except wire.NoValueError as error:
            raise Unsendable(f"a check sends what cannot be copied: {error}") from None

    def _number(self, value: Any) -> int:
        if type(value) is not Handle:
            raise Unsendable(f"a check sends what cannot be copied: {type(value).__name__}")
        reference = value._tinytorch
        if reference.world is not self:
            raise Unsendable("a check sends a handle that belongs to another check")
        return reference.number

    def _exchange(self, request: bytes) -> bytes | bytearray:
        """The server's answer within the time that is left."""
        server = self._server()
        start = time.perf_counter()
        try:
            if self._remaining is not None and self._remaining <= 0:
                raise TimeoutError
            return server.exchange(request, self._remaining)
        except TimeoutError as error:
            raise TimedOut(error.seconds if isinstance(error, GivenUp) else self.limit or 0) from None
        finally:
            if self._remaining is not None:
                self._remaining -= time.perf_counter() - start

    def _end_with(self, trouble: Trouble, node: Node) -> None:
        self._over = trouble
        if isinstance(trouble, Interrupted):
            trouble.expression, trouble.definitions = node.text, node.definitions()
            if self._transport is not None:
                trouble.importing, trouble.frames = self._transport.importing, self._transport.frames

    def _read(self, reply: bytes | bytearray, node: Node) -> Any:
        """The result that a reply holds, with its expression, or the exception to raise."""
        parts = wire.decode(reply, self._proxy, writable=False)
        match parts:
            case ("value", value):
                _label(value, node)
                return value
            case ("end",):
                return END
            case ("raised", *described):
                return _revived(described, node)
        raise ProtocolError("the message is no answer")

    def _proxy(self, number: int) -> Handle:
        """The one handle of a remote object."""
        handle = self._handles.get(number)
        if handle is None:
            handle = self._handles[number] = Handle(self, number)
        handle._tinytorch.times += 1
        return handle

    def _report(self, verb: str, types: tuple[type, ...]) -> list[Any]:
        """Rows of plain values that the server has noted; none when it is gone."""
        if self._over is not None or self._closed or self._transport is None:
            return []
        try:
            reply = self._transport.exchange(self._encode(verb, ()), SETUP_SECONDS)
            rows = self._read(reply, Name(verb))
        except (Trouble, TimeoutError):
            return []
        rows = rows if type(rows) is list else []
        return [row for row in rows if type(row) is tuple and tuple(map(type, row)) == types]


def openings(trace: bool, *, load: bool) -> list[bytes]:
    """The requests with which every check begins, as `World` sends them."""
    requests: list[tuple[str, tuple[Any, ...], list[Any]]] = [("begin", (trace,), [])]
    if load:
        requests.append(("load", (), []))
    return [wire.encode(request, _no_number) for request in requests]


def _no_number(value: object) -> int:
    raise wire.NoValueError(type(value).__name__)


def _label(value: Any, node: Node) -> None:
    """Give new handles in a result their expression: the result's own, or an item of it."""
    if type(value) is Handle:
        if value._tinytorch.node is None:
            value._tinytorch.node = node
    elif type(value) in (tuple, list):
        for index, item in enumerate(value):
            if type(item) in (Handle, tuple, list, dict):
                _label(item, Item(node, index))
    elif type(value) is dict:
        for key, item in value.items():
            _label(item, Item(node, key))


def _revived(described: list[Any], node: Node) -> BaseException:
    """The student's exception as the judge raises it: the first builtin Exception that it derives from."""
    remote = _remote(described, node)
    for name in remote.bases:
        kind = getattr(builtins, name)
        if issubclass(kind, Exception):
            try:
                error: Exception = kind(remote.message)
            except TypeError:  # UnicodeDecodeError and ExceptionGroup want more than a message
                continue
            error.remote = remote  # type: ignore[attr-defined]  # what a check reads of a student's exception
            return error
    return StudentExit(remote)


def _remote(described: list[Any], node: Node) -> Remote:
    """The description of an exception; anything odd in it is a protocol error."""
    match described:
        case [str(kind), list(bases), str(message), list(frames), str() | None as importing]:
            return Remote(
                kind=clean(kind)[:100],
                bases=tuple(name for name in bases if _is_builtin_error(name)),
                message=clean(message),
                frames=read_frames(frames),
                expression=node.text,
                definitions=node.definitions(),
                importing=importing and clean(importing)[:200],
            )
    raise ProtocolError("the message is no exception")


def _is_builtin_error(name: Any) -> bool:
    kind = getattr(builtins, name, None) if type(name) is str else None
    return isinstance(kind, type) and issubclass(kind, BaseException)


def read_frames(rows: list[Any]) -> tuple[Frame, ...]:
    """Frames from plain rows of file, line, function, text."""
    frames = []
    for row in rows:
        match row:
            case (str(file), int(line), str(function), str(text)):
                frames.append(Frame(file=clean(file), line=line, function=clean(function), text=clean(text)))
            case _:
                raise ProtocolError("the message holds a frame that is none")
    return tuple(frames)


def clean(text: str) -> str:
    """The text without anything that a terminal would obey, and not too long."""
    return printable(text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…")


def printable(text: str) -> str:
    """The text with escapes in the place of everything that a terminal would obey."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else ascii(c)[1:-1] for c in text)
