"""A watch looks early where the code of a check is, and ends the check where that is hopeless."""

from __future__ import annotations

import sys
import time
from typing import Any

import pytest

from pytest_tinytorch.handles import Frame, TimedOut, Watch

from .conftest import Student

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no timers that interrupt on Windows")

LOOPS = (
    "def spin():\n    while True: pass\n\ndef slow(seconds):\n    import time\n    time.sleep(seconds)\n    return 7\n"
)
HOMES = {"spin": "tensor", "slow": "tensor"}


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
def test_a_check_that_is_elsewhere_has_its_whole_time(mode: str, student: Student) -> None:
    sessions, seen = watched(student, mode, "other")
    assert student.begin(sessions, limit=20.0).tt.slow(1.5) == 7
    assert len(seen) >= 2
    with pytest.raises(TimedOut) as caught:
        student.begin(sessions, limit=1.5).tt.spin()
    assert (caught.value.limit, caught.value.frames[-1].function) == (1.5, "spin")
