"""A watch looks early where the code of a check is, and ends the check where that is hopeless."""

from __future__ import annotations

import sys
import time
from typing import Any

import pytest

from pytest_tinytorch.handles import Frame, TimedOut, Watch

from .conftest import Student

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no timers that interrupt on Windows")

LOOPS = """\
import time

def spin():
    while True: pass

def asleep(seconds):
    time.sleep(seconds)
    return 7

def quick():
    return sum(range(1000))

def slow(seconds):
    began = time.process_time()
    while time.process_time() < began + seconds: quick()
    return 7
"""
HOMES = dict.fromkeys(("spin", "asleep", "quick", "slow"), "tensor")


def watched(student: Student, mode: str, *hopeless: str) -> tuple[Any, list[tuple[Frame, ...]]]:
    """Sessions that are looked at every 0.3 seconds, and what was seen."""
    seen: list[tuple[Frame, ...]] = []

    def is_hopeless(frames: tuple[Frame, ...]) -> bool:
        seen.append(frames)
        return any(frame.function in hopeless for frame in frames)

    student.write(tensor=LOOPS, activations="", __init__="")
    sessions = student.open(mode, homes=HOMES)
    sessions.watch = Watch(0.3, is_hopeless)
    return sessions, seen


@pytest.mark.parametrize("mode", ["nursery", "fresh"])
def test_a_check_that_hangs_where_others_hung_ends_early(mode: str, student: Student) -> None:
    sessions, seen = watched(student, mode, "spin")
    world = student.begin(sessions, limit=20.0)
    assert world.tt.slow(0) == 7
    began = time.monotonic()
    with pytest.raises(TimedOut) as caught:
        world.tt.spin()
    assert time.monotonic() - began < 10
    assert (caught.value.limit, caught.value.frames[-1].function) == (0.3, "spin")
    assert len(seen) == 1


@pytest.mark.parametrize("mode", ["nursery", "fresh"])
def test_a_check_that_waits_is_given_more_time(mode: str, student: Student) -> None:
    sessions, _ = watched(student, mode, "asleep")
    assert student.begin(sessions, limit=20.0).tt.asleep(0.9) == 7
    began = time.monotonic()
    with pytest.raises(TimedOut):
        student.begin(sessions, limit=20.0).tt.asleep(15)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("mode", ["nursery", "fresh"])
def test_a_call_that_comes_back_is_no_hanging_call(mode: str, student: Student) -> None:
    sessions, seen = watched(student, mode, "quick")
    assert student.begin(sessions, limit=20.0).tt.slow(1.5) == 7
    assert {tuple(frame.function for frame in frames) for frames in seen} <= {(), ("slow",)}


@pytest.mark.parametrize("mode", ["nursery", "fresh"])
def test_a_check_that_is_elsewhere_has_its_whole_time(mode: str, student: Student) -> None:
    sessions, seen = watched(student, mode, "other")
    assert student.begin(sessions, limit=20.0).tt.slow(1.5) == 7
    assert len(seen) >= 2
    with pytest.raises(TimedOut) as caught:
        student.begin(sessions, limit=1.5).tt.spin()
    assert (caught.value.limit, caught.value.frames[-1].function) == (1.5, "spin")
