"""Interrupts code of this process that runs too long, again and again until it lets go.

One raise is not enough: `while True: try: step() except: pass` swallows it. So each ring raises where the code is
and at the next line that the student's code reaches; an exception that was swallowed has the next line raise once
more when it dies; and it rings until the operation is over.
Code that does not come back to Python (one huge matrix product) is interrupted when it does.
"""

from __future__ import annotations

import _thread
import contextlib
import ctypes
import enum
import signal
import sys
import threading
import types
from collections.abc import Callable, Iterator
from typing import Any

REPEAT = 0.02  # seconds between two rings


class Expired(BaseException):
    """What the alarm raises in the code that ran too long; swallowed, it is raised again."""

    def __init__(self, alarm: Alarm | None = None) -> None:
        super().__init__()
        self._alarm = alarm

    def __del__(self) -> None:
        if self._alarm is not None and self._alarm.active:
            self._alarm.follow(sys._getframe(1))


class Role(enum.Enum):
    """What a frame is to the alarm: only beneath the operation may anything be interrupted."""

    OPERATION = enum.auto()
    STUDENT = enum.auto()
    FRAGILE = enum.auto()  # an error from here would be lost, or would leave something half done
    OTHER = enum.auto()


class Alarm:
    """Rings after some seconds in the code of one block; `fired`, and what `locate` said of the first ring.

    `role` tells what a frame is to the alarm.
    """

    def __init__(
        self,
        seconds: float,
        *,
        locate: Callable[[types.FrameType], None],
        role: Callable[[types.FrameType], Role],
    ) -> None:
        self.seconds = seconds
        self.fired = False
        self.active = False
        self._locate = locate
        self._role = role

    def __enter__(self) -> Alarm:
        self._tracer = sys.gettrace()
        self.active = True
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.active = False
        self.stop()
        if self.fired:
            sys.settrace(self._tracer)

    def start(self) -> None:
        """Set the alarm."""

    def stop(self) -> None:
        """Take it back; what was set before is set again."""

    def ring(self, frame: types.FrameType | None) -> None:
        """Raise in the interrupted code, and see to it that it raises again at its next line."""
        if frame is None:
            return
        self._note(frame)
        self.follow(frame)
        if self._may_raise(frame):
            raise Expired(self)

    def follow(self, frame: types.FrameType) -> None:
        """Have the student's code on this stack raise at its next line."""
        stack = list(_stack(frame))
        if not any(self._role(frame) is Role.OPERATION for frame in stack):
            return
        for below in stack:
            if self._role(below) is Role.STUDENT:
                below.f_trace = self._line
        sys.settrace(self._line)

    def _note(self, frame: types.FrameType) -> None:
        if not self.fired:
            self.fired = True
            self._locate(frame)

    def _may_raise(self, frame: types.FrameType) -> bool:
        """Whether an operation runs, and nothing between it, or the student's code, and here would be harmed."""
        roles = [role for role in map(self._role, _stack(frame)) if role is not Role.OTHER]
        return Role.OPERATION in roles and roles[0] is not Role.FRAGILE

    def _line(self, frame: types.FrameType, event: str, _arg: object) -> Any:
        """Python's trace hook, in the student's frames alone."""
        if self._role(frame) is not Role.STUDENT:
            return None
        if event == "line":
            raise Expired(self)
        return self._line


def _stack(frame: types.FrameType | None) -> Iterator[types.FrameType]:
    """The frame, and those that called it."""
    while frame is not None:
        yield frame
        frame = frame.f_back


class TimerAlarm(Alarm):
    """Rings by SIGALRM: on the main thread of a system that has interval timers."""

    def start(self) -> None:
        """Set the timer."""
        self._handler = signal.signal(signal.SIGALRM, lambda _number, frame: self.ring(frame))
        self._timer = signal.setitimer(signal.ITIMER_REAL, max(self.seconds, 1e-6), REPEAT)

    def stop(self) -> None:
        """Take the timer back."""
        signal.setitimer(signal.ITIMER_REAL, *self._timer)
        signal.signal(signal.SIGALRM, self._handler)


class ThreadAlarm(Alarm):
    """Rings from a thread: SIGINT on the main thread, an asynchronous exception on any other."""

    def start(self) -> None:
        """Start the thread."""
        self._over = threading.Event()
        self._ident = threading.get_ident()
        self._main = threading.current_thread() is threading.main_thread()
        if self._main:
            self._handler = signal.signal(signal.SIGINT, self._interrupted)
        self._thread = threading.Thread(target=self._watch, name="tinytorch alarm", daemon=True)
        self._due = False
        self._thread.start()

    def stop(self) -> None:
        """End the thread, and what it may have thrown too late."""
        self._over.set()
        self._thread.join()
        if self._main:
            signal.signal(signal.SIGINT, self._handler)
        elif self.fired:
            _receive_late()

    def _watch(self) -> None:
        pause = self.seconds
        while not self._over.wait(pause):
            pause = REPEAT
            self._due = True
            if self._main:
                _thread.interrupt_main()
            else:
                self._throw(sys._current_frames().get(self._ident))

    def _interrupted(self, number: int, frame: types.FrameType | None) -> None:
        if self._due:
            self.ring(frame)
        elif callable(self._handler):
            self._handler(number, frame)

    def _throw(self, frame: types.FrameType | None) -> None:
        if frame is None:
            return
        self._note(frame)
        if self._may_raise(frame):
            kind = ctypes.py_object(Expired)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._ident), kind)


def _receive_late() -> None:
    """Take delivery of an asynchronous exception that was thrown too late.

    Not by throwing None: CPython 3.11 then believes for ever that one is pending, and hangs when it traces.
    """
    with contextlib.suppress(Expired):
        for _ in range(1_000):  # delivery happens where a loop goes round
            pass


def alarm_kind() -> type[Alarm]:
    """The alarm that works here: timers where the main thread of a system has them."""
    on_main = threading.current_thread() is threading.main_thread()
    return TimerAlarm if on_main and hasattr(signal, "setitimer") else ThreadAlarm
