"""Loop mode: alarms that give back what they took, the user's own Ctrl-C, and one import a run."""

from __future__ import annotations

import _thread
import contextlib
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np
import pytest

from pytest_tinytorch.handles import StudentExit, TimedOut
from pytest_tinytorch.handles.alarm import Alarm, ThreadAlarm, TimerAlarm, alarm_kind
from pytest_tinytorch.handles.loop import LoopSessions

from .conftest import HOMES, Student

LOOPS = (
    "import time\n"
    "def spin():\n    while True: pass\n"
    "def swallow():\n    while True:\n        try: time.sleep(0.001)\n        except: pass\n"
    "def ok(): return 1\n"
)
timers = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timers")


def spinning(student: Student, **more: Any) -> LoopSessions:
    """A package that loops, opened in this process."""
    student.write(tensor=LOOPS, activations="", __init__="")
    homes = dict.fromkeys(("spin", "swallow", "ok"), "tensor")
    sessions = LoopSessions(student.folder, homes, **more)
    return student.stack.enter_context(contextlib.closing(sessions))


def stopped(sessions: LoopSessions, name: str, limit: float = 0.2) -> TimedOut:
    """How a call of this name ends."""
    world = sessions.begin(limit=limit, trace=False)
    with contextlib.closing(world), pytest.raises(TimedOut) as caught:
        getattr(world.tt, name)()
    return caught.value


@pytest.mark.parametrize("alarm", [pytest.param(TimerAlarm, marks=timers), ThreadAlarm])
@pytest.mark.parametrize("name", ["spin", "swallow"])
def test_each_kind_of_alarm_stops_loops(student: Student, alarm: type[Alarm], name: str) -> None:
    error = stopped(spinning(student, alarm=alarm), name)
    assert (error.frames[-1].function, error.expression) == (name, f"{name}()")


def test_loops_are_stopped_on_other_threads(student: Student) -> None:
    sessions, found = spinning(student), []
    thread = threading.Thread(target=lambda: found.append(stopped(sessions, "spin")))
    thread.start()
    thread.join(10)
    assert found[0].frames[-1].function == "spin"


@timers
def test_another_timer_and_tracer_are_given_back(student: Student) -> None:
    rung: list[int] = []

    def tracer(_frame: FrameType, _event: str, _arg: object) -> None:
        return None

    before = signal.signal(signal.SIGALRM, lambda number, _frame: rung.append(number))
    interrupt, trace = signal.getsignal(signal.SIGINT), sys.gettrace()
    try:
        signal.setitimer(signal.ITIMER_REAL, 600)
        sys.settrace(tracer)
        stopped(spinning(student), "swallow")
        assert sys.gettrace() is tracer
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 600
        signal.raise_signal(signal.SIGALRM)
        assert rung == [signal.SIGALRM]
    finally:
        sys.settrace(trace)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert signal.getsignal(signal.SIGINT) is interrupt
    assert alarm_kind() is TimerAlarm


@timers
def test_an_alarm_does_not_interrupt_the_bookkeeping(student: Student) -> None:
    sessions = spinning(student)
    world = sessions.begin(limit=20, trace=False)
    assert world.tt.ok() == 1
    world.close()
    before = list(warnings.filters)
    for limit in np.geomspace(1e-5, 3e-3, 300):
        world = sessions.begin(limit=float(limit), trace=True)
        with contextlib.closing(world), contextlib.suppress(TimedOut):
            for _ in range(3):
                assert world.tt.ok() == 1
    assert warnings.filters == before
    assert sys.getprofile() is None
    assert sys.gettrace() is None
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    world = sessions.begin(limit=20, trace=False)
    assert world.tt.ok() == 1
    world.close()


@pytest.mark.parametrize("limit", [None, 20.0])
def test_ctrl_c_is_the_users(student: Student, limit: float | None) -> None:
    world = student.begin(spinning(student), limit=limit)
    assert world.tt.ok() == 1
    timer = threading.Timer(0.2, _thread.interrupt_main)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        world.tt.spin()
    timer.join()


def test_a_keyboard_interrupt_that_the_code_raises_is_no_ctrl_c(student: Student) -> None:
    student.write(tensor="def go(): raise KeyboardInterrupt\n", activations="", __init__="")
    with pytest.raises(StudentExit):
        student.world("loop", homes={"go": "tensor"}).tt.go()


def test_the_debugger_can_be_left(student: Student) -> None:
    student.write(tensor="def go(leave): leave()\n", activations="", __init__="")
    sessions = student.open("loop", homes={"go": "tensor"})
    world = student.begin(sessions)
    scope: dict[str, Any] = {"__name__": "_pytest.debugging", "pytest": pytest}
    exec("def do_quit(): pytest.exit('Quitting debugger')", scope)  # noqa: S102 - a frame of that module
    sys.modules["leaving"] = scope  # type: ignore[assignment]  # what the probe below calls
    try:
        with pytest.raises(pytest.exit.Exception, match="Quitting"):
            world.lab(_leave)
    finally:
        del sys.modules["leaving"]


def _leave() -> None:
    import sys  # noqa: PLC0415 - this runs beside the student's code

    sys.modules["leaving"]["do_quit"]()  # type: ignore[index]  # a dict, see above


def test_the_package_is_imported_once_a_run(student: Student) -> None:
    student.write(
        tensor="state = []\ndef go():\n    state.append(1)\n    return len(state)\n", activations="", __init__=""
    )
    sessions = student.open("loop", homes={"go": "tensor"})
    assert [student.begin(sessions).tt.go() for _ in range(3)] == [1, 2, 3]
    assert student.open("loop", homes={"go": "tensor"}).begin(limit=1, trace=False).tt.go() == 1


def test_no_thread_nor_file_is_left(student: Student) -> None:
    before = threading.active_count()
    stopped(spinning(student, alarm=ThreadAlarm), "spin")
    assert threading.active_count() == before


def test_homes_of_the_course_are_the_default(student: Student) -> None:
    from pytest_tinytorch.handles import open_loop  # noqa: PLC0415 - one use

    with contextlib.closing(open_loop(student.folder)) as sessions:
        assert sessions.begin(limit=20, trace=False).tt.Tensor is not None
    assert HOMES.items() >= {"Tensor": "tensor"}.items()


def test_numpys_error_state_is_python_s_at_the_start_of_a_check(student: Student) -> None:
    student.write(
        tensor="import numpy as np\ndef spoil(): np.seterr(all='raise')\ndef log(): return np.log(np.zeros(1))\n",
        activations="",
        __init__="",
    )
    sessions = student.open("loop", homes={"spoil": "tensor", "log": "tensor"})
    student.begin(sessions).tt.spoil()
    assert student.begin(sessions).tt.log() == -np.inf


def test_operations_do_not_time_out_when_there_is_no_limit(student: Student) -> None:
    student.write(tensor="import time\ndef go(): time.sleep(0.3)\n", activations="", __init__="")
    slow: Callable[[], None] = student.world("loop", limit=None, homes={"go": "tensor"}).tt.go
    start = time.perf_counter()
    slow()
    assert time.perf_counter() - start >= 0.3
