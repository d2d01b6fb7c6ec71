"""Loop mode: the student's code in pytest's own process, with its own tracebacks, prints and debugger.

Values still travel by copy through the codec, so that a verdict is the same as in isolation.
"""

from __future__ import annotations

import signal
import threading
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .alarm import Alarm, Expired, Role, alarm_kind
from .importing import Importer
from .server import Server
from .world import Sessions, Transport, read_frames

FRAGILE = {"importlib._bootstrap", "importlib._bootstrap_external", "weakref", "_weakrefset"}


class LoopSessions(Sessions):
    """One import of the student's package in this process."""

    hardening = (
        "the student's code runs in pytest's own process: endless Python loops are stopped, "
        "a crash or too much memory is not"
    )

    def __init__(self, folder: Path, homes: Mapping[str, str], *, alarm: type[Alarm] | None = None) -> None:
        super().__init__(folder, homes)
        self.importer = Importer(self.folder, self.homes)
        self.alarm = alarm
        self._installed = False

    def connect(self, limit: float | None) -> Transport:
        """A server in this process; the package's name is taken over with the first one."""
        if not self._installed:
            self._installed = True
            self.importer.install()
        return _LoopTransport(self.importer, self.alarm)

    def close(self) -> None:
        """Give the package's name back."""
        if self._installed:
            self._installed = False
            self.importer.uninstall()


class _LoopTransport(Transport):
    """Calls the server, under an alarm."""

    def __init__(self, importer: Importer, alarm: type[Alarm] | None) -> None:
        self.server = Server(importer, passes=self._is_users)
        self.alarm = alarm
        self._ctrl_c = _CtrlC()

    def exchange(self, request: bytes, seconds: float | None) -> bytes:
        __tracebackhide__ = True
        if seconds is None:
            return self.server.answer(request)
        alarm = (self.alarm or alarm_kind())(seconds, locate=self._locate, role=self._role)
        reply = b""
        try:
            with alarm:
                reply = self.server.answer(request)
        except Expired:
            alarm.active = False
            alarm.stop()
        if alarm.fired:
            raise TimeoutError
        return reply

    def traceback(self) -> types.TracebackType | None:
        error, self.server.raised = self.server.raised, None
        trace = error.__traceback__ if error is not None else None
        while trace is not None and not self.server.is_student(trace.tb_frame):
            trace = trace.tb_next
        return trace

    def close(self) -> None:
        self.server.end()
        self._ctrl_c.restore()

    def _locate(self, frame: types.FrameType) -> None:
        self.frames = read_frames(self.server.frames(frame))
        running = self.server.importer.running
        self.importing = running[-1] if running else None

    def _role(self, frame: types.FrameType) -> Role:
        module = str(frame.f_globals.get("__name__"))
        if frame.f_code is Server.perform.__code__:
            return Role.OPERATION
        if frame.f_code.co_name == "__del__" or module in FRAGILE or module.startswith(f"{__package__}."):
            return Role.FRAGILE
        return Role.STUDENT if self.server.is_student(frame) else Role.OTHER

    def _is_users(self, error: BaseException) -> bool:
        """Whether the error is the user's: Ctrl-C, or leaving the debugger."""
        return (isinstance(error, KeyboardInterrupt) and self._ctrl_c.pressed) or _left_debugger(error)


class _CtrlC:
    """Knows a Ctrl-C of the user from a KeyboardInterrupt that the student's code raises."""

    def __init__(self) -> None:
        self.pressed = False
        self._handler: Any = None
        if threading.current_thread() is threading.main_thread():
            self._handler = signal.getsignal(signal.SIGINT)
            if callable(self._handler):
                signal.signal(signal.SIGINT, self._press)

    def _press(self, number: int, frame: types.FrameType | None) -> None:
        self.pressed = True
        self._handler(number, frame)

    def restore(self) -> None:
        """Put the handler back that was there before."""
        if callable(self._handler) and signal.getsignal(signal.SIGINT) == self._press:
            signal.signal(signal.SIGINT, self._handler)


def _left_debugger(error: BaseException) -> bool:
    """Whether the error is how pytest leaves the debugger."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__") == "_pytest.debugging":
            return True
        trace = trace.tb_next
    return False
