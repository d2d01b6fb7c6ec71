"""The package is imported once for all checks, unless a copy of that could differ from an import of their own."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_tinytorch.handles import TimedOut, WorkerDied

from .conftest import Student
from .test_hostile import STRAYS, children

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks")

COUNTS = "import os\nIMPORTED_BY = os.getpid()\ndef pid(): return os.getpid()\nstate = []\n"
HOMES = {"IMPORTED_BY": "tensor", "pid": "tensor", "state": "tensor"}


def open_nursery(student: Student, tensor: str, **homes: str) -> Any:
    """Sessions of a package whose `tensor.py` also says who imported it."""
    student.write(tensor=COUNTS + tensor, activations="", __init__="from . import tensor\n")
    return student.open("nursery", homes=HOMES | homes)


def importers(student: Student, sessions: Any, checks: int = 4) -> set[int]:
    """The processes that imported the package for some checks, each of which ran in a process of its own."""
    seen, ran = set(), set()
    for _ in range(checks):
        world = student.begin(sessions)
        seen.add(world.tt.IMPORTED_BY)
        ran.add(world.tt.pid())
        world.close()
    assert len(ran) == checks
    return seen


def test_one_import_serves_processes_that_do_not_meet(student: Student) -> None:
    sessions = open_nursery(student, "")
    assert len(importers(student, sessions)) == 1
    for _ in range(3):
        world = student.begin(sessions)
        world.tt.state.append(1)
        assert len(world.tt.state) == 1


def test_an_import_for_every_check_can_be_asked_for(student: Student) -> None:
    sessions = open_nursery(student, "")
    sessions.reimport = True
    assert len(importers(student, sessions)) == 4


LEFTOVERS = {
    "prints": "print('hello')",
    "a child prints": "os.system('echo hello')",
    "a thread": "import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()",
    "a child": "import time\nif os.fork() == 0: time.sleep(600)",
    "a child that ended": "if os.fork() == 0: os._exit(0)",
    "an open file": "file = open(__file__)",
    "a pipe": "os.pipe()",
    "shared memory": "import mmap\nshared = mmap.mmap(-1, 4096)",
    "time": "import time\ntime.sleep(2.5)",
}


@pytest.mark.parametrize("how", LEFTOVERS)
def test_an_import_that_copies_would_share_is_repeated(student: Student, how: str) -> None:
    sessions = open_nursery(student, LEFTOVERS[how])
    assert len(importers(student, sessions, checks=2 if how == "time" else 4)) > 1
    assert sessions.reimport


def test_what_an_import_prints_is_printed_in_every_check(student: Student) -> None:
    sessions = open_nursery(student, "print('hello')")
    for _ in range(3):
        world = student.begin(sessions)
        assert world.tt.pid() > 0
        assert world.output() == "hello\n"


def test_strays_of_an_import_are_ended(student: Student) -> None:
    sessions = open_nursery(student, STRAYS + "spawn()\n")
    world = student.begin(sessions)
    assert world.tt.pid() > 0
    mine = children(sessions)
    world.close()
    sessions.close()
    assert mine
    assert not any(Path(f"/proc/{pid}").exists() for pid in mine)


@pytest.mark.parametrize("how", ["os._exit(3)", "os.kill(os.getpid(), 9)", "os.closerange(3, 1000)"])
def test_an_import_that_ends_the_process_is_known_as_before(student: Student, how: str) -> None:
    sessions = open_nursery(student, how)
    for _ in range(2):
        with pytest.raises(WorkerDied) as caught:
            _ = student.begin(sessions).tt.pid
        assert caught.value.importing == "tinytorch.tensor"


def test_an_import_without_end_is_known_as_before(student: Student) -> None:
    sessions = open_nursery(student, "while True: pass")
    with pytest.raises(TimedOut) as caught:
        _ = student.begin(sessions, limit=0.5).tt.pid
    assert caught.value.importing == "tinytorch.tensor"
    assert caught.value.frames[-1].file == "tinytorch/tensor.py"
    started = time.perf_counter()
    with pytest.raises(TimedOut):
        _ = student.begin(sessions, limit=0.5).tt.pid
    assert time.perf_counter() - started < 0.4


def test_an_import_that_raises_is_known_as_before(student: Student) -> None:
    sessions = open_nursery(student, "1 / 0")
    for _ in range(2):
        with pytest.raises(ZeroDivisionError) as caught:
            _ = student.begin(sessions).tt.pid
        assert caught.value.remote.importing == "tinytorch.tensor"  # type: ignore[attr-defined]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_nursery_that_is_lost_costs_no_check(student: Student, number: int) -> None:
    sessions = open_nursery(student, "")
    world = student.begin(sessions)
    first = world.tt.IMPORTED_BY
    assert first == sessions._nursery._pid.wait()
    os.kill(first, number)
    assert world.tt.pid() > 0
    world.close()
    importers(student, sessions)  # the first ones may still get workers that were forked ahead
    seen = importers(student, sessions)
    assert first not in seen
    assert len(seen) == 4
    sessions.close()
    assert not Path(f"/proc/{first}").exists()


def test_a_check_that_kills_its_parent_harms_no_later_one(student: Student) -> None:
    attack = "def go():\n    try: os.kill(os.getppid(), 9)\n    except PermissionError: return 'refused'\n"
    sessions = open_nursery(student, attack, go="tensor")
    world = student.begin(sessions)
    answer = world.tt.go()
    mine = children(sessions)
    world.close()
    if answer is None:
        assert len(importers(student, sessions, checks=3)) == 3
        assert not any(Path(f"/proc/{pid}").exists() for pid in mine)
    else:
        assert len(importers(student, sessions, checks=3)) == 1


FORGED = """
import socket
for fd in range(3, 64):
    try:
        s = socket.socket(fileno=os.dup(fd))
        if s.type == socket.SOCK_SEQPACKET: s.send({})  # where a nursery answers, not a worker
    except OSError: pass
"""


@pytest.mark.parametrize("answer", [b"N", b"", b"\xff" * 64, b"i\x01\0\0\0\x01", b"s\x03\0\0\0abc"])
def test_forged_answers_of_a_nursery_are_not_believed(student: Student, answer: bytes) -> None:
    sessions = open_nursery(student, FORGED.format(repr(answer)) * 3)
    world = student.begin(sessions)
    assert world.tt.pid() > 1
    assert len(importers(student, sessions)) > 1


def test_warnings_and_calls_of_the_import_are_noted_in_every_check(student: Student) -> None:
    source = "import warnings\ndef warn(): warnings.warn('old')\nwarn()\n"
    for mode in ("nursery", "zygote"):
        student.write(tensor=COUNTS + source, activations="", __init__="from . import tensor\n")
        sessions = student.open(mode, homes=HOMES)
        for trace in (True, False, True):
            world = student.begin(sessions, trace=trace)
            assert world.tt.pid() > 0
            assert [warning.text for warning in world.warnings()] == ["old"]
            assert (("tinytorch/tensor.py", 6) in world.called()) is trace


def test_random_numbers_go_on_from_the_import(student: Student) -> None:
    source = (
        "import random\nimport numpy as np\nrandom.seed(1)\nnp.random.seed(2)\n"
        "def roll(): return random.random(), np.random.rand()\n"
    )
    sessions = open_nursery(student, source, roll="tensor")
    ours = random.Random(1).random(), np.random.RandomState(2).rand()  # noqa: S311 -- what the student's code draws
    for _ in range(3):
        assert student.begin(sessions).tt.roll() == ours


def test_time_of_the_processor_is_limited_for_each_check(student: Student) -> None:
    source = "import resource\ndef cpu(): return resource.getrlimit(resource.RLIMIT_CPU)[0]\n"
    sessions = open_nursery(student, source, cpu="tensor")
    few, many = (student.begin(sessions, limit=limit).tt.cpu() for limit in (1.0, 100.0))
    assert 0 < few < many
    assert student.begin(sessions, limit=None).tt.cpu() == -1
