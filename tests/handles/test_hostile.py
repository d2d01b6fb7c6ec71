"""Code that loops, leaves, crashes, floods and forges: it costs its own check, and nothing is left behind."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_tinytorch.handles import Interrupted, ProtocolError, TimedOut, WorkerDied

from .conftest import Student

linux = pytest.mark.skipif(sys.platform != "linux", reason="counts processes in /proc")

SWALLOW = "    while True:\n        try: {}\n        except: pass"
LOOPS = {
    "busy": "    while True: pass",
    "asleep": "    import time\n    time.sleep(600)",
    "bare except": SWALLOW.format("x = 1").replace("try", "x = 2\n        try"),  # 3.10 hears no signal before a try
    "bare except around a call": SWALLOW.format("step()"),
    "bare except around sleep": "    import time\n" + SWALLOW.format("time.sleep(0.05)"),
    "nested": SWALLOW.format("\n            try: step()\n            except: step()"),
    "finally": "    try:\n        while True: step()\n    finally:\n        while True: step()",
    "numpy": "    import numpy as np\n" + SWALLOW.format("np.ones((300, 300)) @ np.ones((300, 300))"),
    "generator": "    return sum(1 for _ in iter(int, 1))",
}  # fmt: skip


@pytest.mark.parametrize("how", LOOPS)
def test_a_loop_in_a_call_is_stopped(student: Student, mode: str, how: str) -> None:
    student.write(tensor=f"def step(): return 1\ndef loop():\n{LOOPS[how]}\n", activations="", __init__="")
    world = student.world(mode, limit=0.5, homes={"loop": "tensor", "step": "tensor"})
    start = time.perf_counter()
    with pytest.raises(TimedOut) as caught:
        world.tt.loop()
    assert time.perf_counter() - start < 5
    assert (caught.value.limit, caught.value.expression) == (0.5, "loop()")
    assert caught.value.frames[0].function == "loop"
    assert caught.value.frames[0].file == "tinytorch/tensor.py"
    assert str(caught.value) == "no result after 0.5 s in loop()"
    with pytest.raises(TimedOut):
        world.tt.step()
    assert student.begin(world.sessions).tt.step() == 1


def test_a_tree_of_swallowed_recursion_errors_is_stopped(student: Student, worker: str) -> None:
    student.write(tensor="def go():\n    try: go()\n    except: go()\n", activations="", __init__="")
    with pytest.raises(TimedOut):
        student.world(worker, limit=0.5, homes={"go": "tensor"}).tt.go()


def test_the_limit_is_for_the_whole_check(student: Student, mode: str) -> None:
    student.write(tensor="import time\ndef step(): time.sleep(0.2)\ndef quick(): pass\n", activations="", __init__="")
    world = student.world(mode, limit=1.0, homes={"step": "tensor", "quick": "tensor"})
    with pytest.raises(TimedOut):  # noqa: PT012 - which of the calls it is depends on the machine
        for _ in range(20):
            world.tt.step()
    world = student.begin(world.sessions, limit=1.0)
    time.sleep(1.2)
    assert world.tt.quick() is None
    world = student.begin(world.sessions, limit=None)
    assert world.tt.step() is None


def test_endless_recursion_is_a_recursion_error(student: Student, mode: str) -> None:
    student.write(tensor="def go(n): return go(n + 1)\n", activations="", __init__="")
    tt = student.world(mode, homes={"go": "tensor"}).tt
    for _ in range(2):
        with pytest.raises(RecursionError):
            tt.go(0)


def test_a_lying_str_that_loops_is_stopped(student: Student, mode: str) -> None:
    student.write(
        tensor="class E(Exception):\n    def __str__(self):\n        while True: pass\ndef go(): raise E\n",
        activations="",
        __init__="",
    )
    with pytest.raises(TimedOut):
        student.world(mode, limit=0.5, homes={"go": "tensor"}).tt.go()


CRASHES = {
    "os._exit(0)": "exit status 0",
    "os._exit(3)": "exit status 3",
    "os.kill(os.getpid(), 9)": "SIGKILL",
    "ctypes.string_at(1)": "SIGSEGV",
    "os.abort()": "SIGABRT",
    "os.closerange(3, 1000)": "hung up|exit status",
}


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("how", CRASHES)
def test_a_process_that_ends_costs_its_own_check(student: Student, worker: str, how: str) -> None:
    student.write(tensor=f"import ctypes, os\ndef go(): {how}\ndef ok(): return 1\n", activations="", __init__="")
    world = student.world(worker, homes={"go": "tensor", "ok": "tensor"})
    assert world.tt.ok() == 1
    with pytest.raises(WorkerDied, match=CRASHES[how]) as caught:
        world.tt.go()
    assert caught.value.expression == "go()"
    with pytest.raises(WorkerDied):
        world.tt.ok()
    assert student.begin(world.sessions).tt.ok() == 1


BOMBS = {
    "array": "    import numpy as np\n    return [np.ones(10**7) for _ in range(100)]",
    "list": "    x = [0]\n    while True: x = x + x",
    "string": "    return ('x' * 10**8) * 100",
}


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux alone")
@pytest.mark.parametrize("how", BOMBS)
def test_a_memory_bomb_costs_its_own_check(student: Student, worker: str, how: str) -> None:
    student.write(tensor=f"def go():\n{BOMBS[how]}\ndef ok(): return 1\n", activations="", __init__="")
    sessions = student.open(worker, homes={"go": "tensor", "ok": "tensor"}, memory=1 << 29)
    with pytest.raises((MemoryError, WorkerDied)):
        student.begin(sessions).tt.go()
    assert student.begin(sessions).tt.ok() == 1


def test_what_is_printed_is_kept_apart_and_cut(student: Student, worker: str) -> None:
    student.write(
        tensor="import os, sys\nprint('import', flush=True)\n"
        "def say(text, n):\n    for _ in range(n): print(text)\n    print('err', file=sys.stderr)\n"
        "    os.write(1, b'raw\\xff\\n')\n    os.system('echo child')\n",
        activations="",
        __init__="",
    )
    world = student.world(worker, homes={"say": "tensor"})
    world.tt.say("héllo \ud800\x1b[31m", 1)
    out = world.output()
    assert out.startswith("import\nhéllo \\ud800\\x1b[31m\n")
    assert "err\n" in out
    assert "child" in out or sys.platform == "win32"
    world.tt.say("x" * 100, 100_000)
    assert 60_000 < len(world.output()) < 70_000
    other = student.begin(world.sessions)
    assert other.tt.say is not None
    assert other.output() == "import\n"
    with pytest.raises(TimedOut):
        student.begin(world.sessions, limit=1.0).tt.say("x" * 100_000, 10**9)


def test_in_loop_mode_prints_are_pytests(student: Student, capsys: pytest.CaptureFixture[str]) -> None:
    student.write(tensor="def say(): print('hello')\n", activations="", __init__="")
    world = student.world("loop", homes={"say": "tensor"})
    world.tt.say()
    assert world.output() == ""
    assert capsys.readouterr().out == "hello\n"


def test_forged_lines_on_standard_output_are_no_answers(student: Student, worker: str) -> None:
    student.write(
        tensor="import os, sys\ndef go():\n    for fd in (0, 1, 2):\n        try: os.write(fd, b'R' + b'\\0' * 64)\n"
        "        except OSError: pass\n    return 'mine'\n",
        activations="",
        __init__="",
    )
    assert student.world(worker, homes={"go": "tensor"}).tt.go() == "mine"


def test_closing_the_standard_streams_does_no_harm(student: Student, worker: str) -> None:
    student.write(
        tensor="import os, sys\ndef go():\n    for fd in (0, 1, 2): os.close(fd)\n    return 1\ndef ok(): return 2\n"
        "def text():\n    sys.stdout.close()\n    sys.stdout = sys.stderr = None\n    return 3\n",
        activations="",
        __init__="",
    )
    tt = student.world(worker, homes={"go": "tensor", "ok": "tensor", "text": "tensor"}).tt
    assert (tt.go(), tt.ok(), tt.text(), tt.ok()) == (1, 2, 3, 2)


def test_standard_input_is_empty(student: Student, worker: str) -> None:
    student.write(tensor="import sys\ndef go(): return sys.stdin.read()\n", activations="", __init__="")
    assert student.world(worker, homes={"go": "tensor"}).tt.go() == ""


HEAD = "os.write(FD, b'R' + struct.pack('<Q', 16) + "
FORGERIES = {
    "garbage": "os.write(FD, os.urandom(4096))",
    "a huge frame": "os.write(FD, b'R' + struct.pack('<Q', 2**62))",
    "an unknown kind": "os.write(FD, b'X' + struct.pack('<Q', 1) + b'N')",
    "an answer of nothing": "os.write(FD, b'R' + struct.pack('<Q', 1) + b'N')",
    "an odd note": "os.write(FD, b'I' + struct.pack('<Q', 1) + b'T')",
    "an odd place": "os.write(FD, b'S' + struct.pack('<Q', 6) + b'l\\x01\\0\\0\\0N')",
    "an exception that is none": HEAD + "b't\\x01\\0\\0\\0s\\x06\\0\\0\\0raised')",
    "notes without end": 'exec(\'while True: os.write(FD, b"I" + struct.pack("<Q", 1) + b"N")\')',
}


@pytest.mark.skipif(sys.platform != "linux", reason="finds the connection in /proc")
@pytest.mark.parametrize("how", FORGERIES)
def test_a_forged_message_is_a_protocol_error_and_no_exception(student: Student, worker: str, how: str) -> None:
    find = (
        "import os, stat, struct\n"
        "def ends():\n"
        "    for fd in range(3, 64):\n"
        "        try: mode = os.fstat(fd).st_mode\n"
        "        except OSError: continue\n"
        "        if stat.S_ISSOCK(mode) or stat.S_ISFIFO(mode): yield fd\n"
    )
    go = f"def go():\n    FD = list(ends())[-1]\n    {FORGERIES[how]}\n    return 1\n"
    student.write(tensor=find + go, activations="", __init__="")
    with pytest.raises((ProtocolError, Interrupted)):
        student.world(worker, limit=2.0, homes={"go": "tensor"}).tt.go()


STRAYS = (
    "import os, subprocess, sys, threading, time\n"
    "def spawn():\n"
    "    for _ in range(3):\n"
    "        if os.fork() == 0:\n"
    "            os.setsid()\n"
    "            if os.fork() == 0: time.sleep(600)\n"
    "            time.sleep(600)\n"
    "    subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)', 'handles.worker'])\n"
    "    for _ in range(3): threading.Thread(target=time.sleep, args=(600,)).start()\n"
    "    return 1\n"
    "def fork():\n"
    "    return os.fork() * 0 + 1\n"
)


@linux
def test_nothing_that_the_code_started_outlives_its_check(student: Student) -> None:
    student.write(tensor=STRAYS, activations="", __init__="")
    sessions = student.open("zygote", homes={"spawn": "tensor", "fork": "tensor"})
    student.begin(sessions).tt.fork  # noqa: B018 - starts the zygote
    world = student.begin(sessions)
    assert world.tt.fork() == 1
    assert world.tt.fork() == 1
    assert world.tt.spawn() == 1
    assert world.lab(_one) == 1
    world.close()
    deadline = time.monotonic() + 10
    while len(mine := children(sessions)) > 3 and time.monotonic() < deadline:  # the first world's, and the spares
        time.sleep(0.02)
    sessions.close()
    assert len(mine) <= 3
    assert not any(Path(f"/proc/{pid}").exists() for pid in mine)


def children(sessions: Any) -> list[int]:
    """The processes below the zygote, however deep."""
    found: list[int] = []
    todo = [sessions._zygote._process.pid]
    while todo:
        mine = below(todo.pop())
        found += mine
        todo += mine
    return found


def below(pid: int) -> set[int]:
    """The children of a process, those that have ended and are not waited for among them."""
    found = set[int]()
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # it has just ended
            found |= {int(child) for child in thread.read_text().split()}
    return found


def _one() -> int:
    return 1


@linux
def test_processes_threads_files_and_folders_are_gone_after_the_run(student: Student, worker: str) -> None:
    threads, files = threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))
    processes = below(os.getpid())
    student.write(tensor="def go():\n    while True: pass\ndef ok(): return 1\n", activations="", __init__="")
    sessions: Any = student.open(worker, homes={"go": "tensor", "ok": "tensor"})
    for goes in (False, True, False):
        world = sessions.begin(limit=0.3, trace=False)
        assert world.tt.ok() == 1
        if goes:
            with pytest.raises(TimedOut):
                world.tt.go()
        world.close()
    scratch = Path(sessions.scratch)
    assert scratch.is_dir()
    sessions.close()
    assert not scratch.exists()
    assert threading.active_count() == threads
    assert len(list(Path("/proc/self/fd").iterdir())) == files
    assert below(os.getpid()) <= processes  # those of other tests in this process are theirs


@linux
def test_a_zygote_that_is_killed_is_replaced(student: Student) -> None:
    sessions: Any = student.open("zygote")
    world = student.begin(sessions)
    assert world.tt.echo is not None
    pid = sessions._zygote._process.pid
    os.kill(pid, 9)
    world.close()
    for _ in range(4):  # the first ones may still get workers that were forked ahead
        assert student.begin(sessions).tt.echo is not None
    assert sessions._zygote._process.pid != pid


@linux
def test_workers_end_with_a_judge_that_is_killed(student: Student) -> None:
    script = (
        "import sys, os, signal\nfrom pathlib import Path\nfrom pytest_tinytorch.handles import open_isolated\n"
        "s = open_isolated(Path(sys.argv[1]), homes={'Tensor': 'tensor'})\nw = s.begin(limit=None, trace=False)\n"
        "w.tt.Tensor\nprint(s._zygote._process.pid, w._transport._process._forked.wait(), flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    command = [sys.executable, "-c", script, str(student.folder)]
    scratch = os.environ | {"TMPDIR": str(student.folder.parent)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=scratch)  # noqa: S603 - our own judge
    pids = done.stdout.split()
    assert len(pids) == 2
    deadline = time.monotonic() + 10
    while any(_runs(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(_runs(pid) for pid in pids)


def _runs(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_the_environment_and_the_folder_are_not_the_judges(
    student: Student, worker: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SECRET", "42")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "numpy.py").write_text("raise ImportError('shadow')\n")
    (tmp_path / "sitecustomize.py").write_text("import os; os.environ['SECRET'] = '43'\n")
    monkeypatch.chdir(tmp_path)
    student.write(
        tensor="import os, sys\nSEEN = [os.environ.get('SECRET'), os.getcwd(), list(sys.path)]\n",
        activations="",
        __init__="",
    )
    secret, folder, path = student.world(worker, homes={"SEEN": "tensor"}).tt.SEEN
    assert secret is None
    assert folder != str(tmp_path)
    assert str(tmp_path) not in path
    assert "" not in path


def test_sessions_of_several_judges_do_not_meet(student: Student, worker: str) -> None:
    student.write(
        tensor="import os\nstate = []\ndef go(n):\n    state.append(n)\n    return state\n", activations="", __init__=""
    )
    worlds = [student.world(worker, homes={"go": "tensor"}) for _ in range(2)]
    for n, world in enumerate([*worlds, student.begin(worlds[0].sessions)]):
        assert world.tt.go(n) == [n]
    worlds[0].close()
    assert worlds[1].tt.go(5) == [1, 5]


def test_threads_that_never_end_do_no_harm(student: Student, worker: str) -> None:
    student.write(
        tensor="import threading, time\ndef spin():\n    while True: time.sleep(0.01)\n"
        "def go():\n    for _ in range(5): threading.Thread(target=spin).start()\n    return 1\n",
        activations="",
        __init__="",
    )
    world = student.world(worker, homes={"go": "tensor"})
    assert world.tt.go() == 1
    start = time.perf_counter()
    world.close()
    assert time.perf_counter() - start < 2


def test_a_huge_answer_stays_where_it_is(student: Student, mode: str) -> None:
    student.write(
        tensor="import numpy as np\ndef deep():\n    x = []\n    for _ in range(10**5): x = [x]\n    return x\n"
        "def wide(): return np.broadcast_to(np.float32(1), (10**6, 10**6))\n"
        "def empty(): return np.empty((0, 10**18))\ndef long(): return 7 ** 20_000\n",
        activations="",
        __init__="",
    )
    names = ("deep", "wide", "empty", "long")
    tt = student.world(mode, homes=dict.fromkeys(names, "tensor")).tt
    for name in names:
        assert repr(getattr(tt, name)()) == f"<handle {name}()>"


def test_the_hardening_is_said_in_one_sentence(student: Student, mode: str) -> None:
    sentence = student.open(mode).hardening
    assert len(sentence) > 40
    assert "process" in sentence
    assert not sentence.endswith(".")


def test_sent_arrays_belong_to_the_student(student: Student, mode: str) -> None:
    student.write(tensor="def go(x):\n    x *= 2\n    return x\n", activations="", __init__="")
    a = np.ones(3)
    tt = student.world(mode, homes={"go": "tensor"}).tt
    np.testing.assert_array_equal(tt.go(a), 2 * np.ones(3))
    np.testing.assert_array_equal(a, np.ones(3))
