"""The student's side: holds the student's objects, performs one operation per message, answers in plain values.

Runs in the worker process, or in pytest's own in loop mode. Nothing here decides a verdict.
"""

from __future__ import annotations  # `lab` passes the flag on to the functions that it compiles

import builtins
import functools
import linecache
import math
import operator
import os
import sys
import threading
import time
import types
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from . import wire
from .errors import ProtocolError
from .importing import Importer, broken_import

MAX_WARNINGS = 200
MAX_FRAMES = 40
MAX_MESSAGE = 4_000
END = object()  # what an iterator gives that has no more items

FramePart = tuple[str, int, str, str]


class Server:
    """Performs the judge's operations on the student's objects, for one check.

    `passes` tells the errors that are not the student's: in loop mode the user's own Ctrl-C. `raised` is the
    exception of the last operation.
    """

    def __init__(self, importer: Importer, *, passes: Callable[[BaseException], bool] = lambda error: False) -> None:
        self.importer = importer
        self.passes = passes
        self.raised: BaseException | None = None
        self.trace = False
        self.codes: dict[int, types.CodeType] = {}
        self.warned: list[tuple[str, str, str, int]] = []
        self._objects: dict[int, Any] = {}
        self._sent: dict[int, int] = {}
        self._numbers: dict[int, int] = {}
        self._next = 1
        self._inside = f"{importer.folder}{os.sep}"
        self._sighted: list[types.FrameType] = []
        self._worked = 0.0
        self.settle()

    def settle(self) -> None:
        """Take this process for the one that answers; whatever the student's code forks from it does not."""
        self._pid = os.getpid()

    # ---- one message

    def answer(self, request: bytes | bytearray) -> bytes:
        """Perform the operation that the request asks for, and encode what came of it."""
        verb, operands, released = wire.decode(request, self._object, writable=True)
        self.raised = None
        self._worked = time.process_time()
        self._release(released)
        try:
            result = self._watched(_VERBS[verb], operands)
            return self._encode(result)
        except BaseException as error:  # the student's code may raise anything, SystemExit too
            if self.passes(error):
                raise
            self.raised = error
            return wire.encode(("raised", *self._described(error)), self._number)
        finally:
            self._sighted.clear()
            if os.getpid() != self._pid:  # the student's code forked: only the first process answers
                os._exit(0)

    def _encode(self, result: Any) -> bytes:
        if result is END:
            return wire.encode(("end",), self._number)
        try:
            return wire.encode(("value", result), self._number)
        except wire.NoValueError:
            return wire.encode(("value", wire.Kept(result)), self._number)

    def _watched(self, operation: Callable[..., Any], operands: tuple[Any, ...]) -> Any:
        """The operation's result, with warnings recorded and, when asked for, calls traced."""
        profile = sys.getprofile()
        with warnings.catch_warnings(), np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"):
            warnings.simplefilter("always")
            warnings.showwarning = self._warn  # type: ignore[assignment]  # looser types than typeshed's
            if self.trace:
                sys.setprofile(self._profile)
            try:
                return self.perform(operation, operands)
            finally:
                sys.setprofile(profile)

    def perform(self, operation: Callable[..., Any], operands: tuple[Any, ...]) -> Any:
        """Run the operation. An alarm may interrupt whatever runs beneath this frame, and nothing else."""
        return operation(self, *operands)

    # ---- objects

    def _object(self, number: int) -> Any:
        if number not in self._objects:
            raise ProtocolError(f"there is no object {number}")
        return self._objects[number]

    def _number(self, value: Any) -> int:
        """The number under which the judge knows the object; one object has one number."""
        kept = type(value) is wire.Kept
        known = None if kept else self._numbers.get(id(value))
        number = known or self._next
        if known is None:
            self._next += 1
            self._objects[number] = value.value if kept else value
            self._sent[number] = 0
            if not kept:
                self._numbers[id(value)] = number
        self._sent[number] += 1
        return number

    def _release(self, released: list[tuple[int, int]]) -> None:
        """Forget objects whose handles are gone, unless the same object is on its way once more."""
        for number, times in released:
            self._sent[number] -= times
            if self._sent[number] == 0:
                value = self._objects.pop(number)
                del self._sent[number]
                if self._numbers.get(id(value)) == number:
                    del self._numbers[id(value)]

    # ---- what happened

    def _profile(self, frame: types.FrameType, event: str, _arg: object) -> None:
        if event == "call":
            self.codes[id(frame.f_code)] = frame.f_code

    def _warn(self, message: Any, category: type, filename: str, lineno: int, *_unused: object) -> None:
        """Python's hook for a warning: note it when the student's code is what led to it."""
        if len(self.warned) >= MAX_WARNINGS:
            return
        place = self._relative(filename)
        frame: types.FrameType | None = sys._getframe(1)
        while place is None and frame is not None:
            place, lineno = self._relative(frame.f_code.co_filename), frame.f_lineno
            frame = frame.f_back
        if place is not None:
            self.warned.append((_name(category), _said(self, message), place, lineno))

    def _relative(self, filename: str) -> str | None:
        """`tinytorch/tensor.py` for a file of the student's package, None for any other."""
        if not filename.startswith(self._inside):
            return None
        return f"{self.importer.name}/{filename[len(self._inside) :].replace(os.sep, '/')}"

    def called(self) -> list[tuple[str, int]]:
        """File and first line of every function of the student's package that was entered."""
        places = ((self._relative(code.co_filename), code.co_firstlineno) for code in list(self.codes.values()))
        return sorted({(file, line) for file, line in places if file is not None})

    def is_student(self, frame: types.FrameType) -> bool:
        """Whether the frame runs code of the student's package, or a probe."""
        filename = frame.f_code.co_filename
        return filename.startswith("<lab ") or self._relative(filename) is not None

    def frames(self, frame: types.FrameType | None) -> list[FramePart]:
        """The student's frames on a stack, outermost first."""
        return self._frames([(frame, frame.f_lineno) for frame in _stack(frame)])

    def sighting(self, frame: types.FrameType | None) -> tuple[list[FramePart], list[FramePart], float]:
        """The student's frames on a stack, those that the last sighting in this operation saw too, and its CPU seconds.

        A call that is seen twice has not come back in between; the same function may well have.
        """
        stack = _stack(frame)
        stayed = [now for now, before in zip(stack, self._sighted, strict=False) if now is before]
        self._sighted = stack
        seconds = time.process_time() - self._worked
        return self.frames(frame), self._frames([(one, one.f_lineno) for one in stayed]), seconds

    def _frames(self, lines: list[tuple[types.FrameType, int]]) -> list[FramePart]:
        parts = []
        for frame, line in lines:
            path = frame.f_code.co_filename
            file = self._relative(path)
            if file is not None:
                parts.append((file, line or 0, frame.f_code.co_name, linecache.getline(path, line or 0).strip()[:200]))
        half = MAX_FRAMES // 2
        return parts if len(parts) <= MAX_FRAMES else parts[:half] + parts[-half:]

    def _described(self, error: BaseException) -> tuple[Any, ...]:
        """Kind, builtin bases, message, the student's frames, and the module whose import broke."""
        lines = []
        trace = error.__traceback__
        while trace is not None:
            lines.append((trace.tb_frame, trace.tb_lineno))
            trace = trace.tb_next
        frames = self._frames(lines)
        if isinstance(error, SyntaxError):
            frames += self._bad_line(error)
        bases = [_name(base) for base in _mro(type(error)) if base in _BUILTIN_ERRORS]
        message = self.perform(_said, (error,))
        return _name(type(error)), bases, message, frames, self._broken_module(error, [frame for frame, _ in lines])

    def _bad_line(self, error: SyntaxError) -> list[FramePart]:
        """Where the source cannot be read."""
        file = self._relative(error.filename) if type(error.filename) is str else None
        if file is None:
            return []
        return [(file, error.lineno or 0, "<module>", str(error.text or "").strip()[:200])]

    def _broken_module(self, error: BaseException, frames: list[types.FrameType]) -> str | None:
        """The module to blame when an import failed: the innermost that was running, or the one it found lacking."""
        running = broken_import(frames)
        lacking = error.name if isinstance(error, ImportError) else None
        if running == self.importer.name and type(lacking) is str and lacking.startswith(f"{running}."):
            return lacking
        return running

    # ---- verbs

    def begin(self, trace: bool) -> None:
        """Start a check."""
        self.trace = trace
        if trace:
            threading.setprofile(self._profile)

    def begin_after(self, trace: bool) -> None:
        """Start a check where another one was: what happened in that is not this one's."""
        self.end()
        self.codes.clear()
        self.warned.clear()
        self.begin(trace)

    def end(self) -> None:
        """End a check: undo what `begin` set for other threads."""
        if self.trace:
            threading.setprofile(None)
        self.trace = False

    def warnings(self) -> list[tuple[str, str, str, int]]:
        """The warnings that the student's code has given."""
        return list(self.warned)

    def compare(self, name: str, left: Any, right: Any) -> Any:
        """The answer of a comparison: arrays as a value, anything else kept where only the student's code sees it."""
        result = getattr(operator, name)(left, right)
        return result if type(result) is np.ndarray else wire.Kept(result)

    def is_instance(self, value: Any, kind: Any) -> bool:
        """Whether the class is in the MRO of the value's own type; `__class__` and metaclasses are not asked."""
        return any(base is kind for base in _mro(type(value)))

    def lab(self, name: str, source: str, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """Run a function of the judge beside the student's code."""
        file = f"<lab {name}>"
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        scope: dict[str, Any] = {"__name__": "lab", "np": np, "math": math, "tt": _Names(self.importer)}
        exec(_compiled(file, source), scope)  # noqa: S102 - the judge's own source
        return scope[name](*args, **keywords)


@functools.lru_cache(maxsize=256)
def _compiled(file: str, source: str) -> types.CodeType:
    code: types.CodeType = compile(source, file, "exec", annotations.compiler_flag, dont_inherit=True)
    return code


class _Names:
    """`tt` as a lab function sees it: the student's own objects by their flat names."""

    def __init__(self, importer: Importer) -> None:
        self._importer = importer

    def __getattr__(self, name: str) -> Any:
        return self._importer.find(name)


def _convert(_server: Server, name: str, value: Any, *args: Any) -> Any:
    result = getattr(builtins, name)(value, *args)
    return _exact(result) if name == "repr" else result


_VERBS: dict[str, Callable[..., Any]] = {
    "begin": Server.begin,
    "begin_after": Server.begin_after,
    "warnings": Server.warnings,
    "called": Server.called,
    "load": lambda server: server.importer.load(),
    "load_bare": lambda server, broken: server.importer.load_bare(broken),
    "load_module": lambda server, name: server.importer.module(name) and None,
    "find": lambda server, name: server.importer.find(name),
    "getattr": lambda _server, value, name: getattr(value, name),
    "setattr": lambda _server, value, name, new: setattr(value, name, new),
    "delattr": lambda _server, value, name: delattr(value, name),
    "call": lambda _server, function, args, keywords: function(*args, **keywords),
    "compute": lambda _server, name, *operands: getattr(operator, name)(*operands),
    "compare": Server.compare,
    "convert": _convert,
    "fetch": lambda _server, value: value,
    "kind": lambda _server, value: _name(type(value)),
    "is_instance": Server.is_instance,
    "next": lambda _server, iterator: next(iterator, END),
    "enter": lambda _server, manager: type(manager).__enter__(manager),
    "leave": lambda _server, manager: type(manager).__exit__(manager, None, None, None) and None,
    "lab": Server.lab,
}

_BUILTIN_ERRORS = {
    kind for kind in vars(builtins).values() if isinstance(kind, type) and issubclass(kind, BaseException)
}
_mro: Callable[[type], tuple[type, ...]] = type.__dict__["__mro__"].__get__
_type_name: Callable[[type], str] = type.__dict__["__name__"].__get__


def _name(kind: type) -> str:
    """A class's name, as Python knows it and not as its metaclass tells it."""
    return _type_name(kind)


def _stack(frame: types.FrameType | None) -> list[types.FrameType]:
    """The frame and those that called it, outermost first."""
    stack = []
    while frame is not None:
        stack.append(frame)
        frame = frame.f_back
    return stack[::-1]


def _exact(text: Any) -> str:
    return text if type(text) is str else str.__str__(text)


def _said(_server: Server, error: Any) -> str:
    """An exception's message, also where its `__str__` fails or lies."""
    try:
        text = error.msg if isinstance(error, SyntaxError) else str(error)
        return _exact(text)[:MAX_MESSAGE]
    except BaseException as again:  # noqa: BLE001 - the student's __str__ may raise anything
        return f"(its __str__ raised {_name(type(again))})"
