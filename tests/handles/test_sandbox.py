"""What Linux keeps from a worker, tried by the code in it; each test says what the kernel here lacks, if it does."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pytest_tinytorch.handles import limits

from .conftest import Student

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a sandbox of Linux")

CODE = """
import ctypes, os, resource, shutil, signal, socket, subprocess, sys, tempfile
from pathlib import Path

def attempt(text, **names):
    try:
        return eval(text, globals(), names)
    except OSError as error:
        return f"{type(error).__name__} {error.errno}"

def attempts(texts, **names):
    return [attempt(text, **names) for text in texts]
"""
REFUSED = {"PermissionError 1", "PermissionError 13"}


class Inside:
    """Code of a student's that tries things, and what is kept from it here."""

    def __init__(self, student: Student, worker: str) -> None:
        student.write(tensor=CODE, activations="", __init__="")
        sessions: Any = student.open(worker, homes={"attempt": "tensor", "attempts": "tensor"})
        self.sessions = sessions
        self.world = student.begin(self.sessions)
        self.student = student
        self.holds: tuple[str, ...] = sessions._living_zygote().holds

    def tries(self, text: str, **names: Any) -> Any:
        """What an expression gives, or how it failed."""
        return self.world.tt.attempt(text, **names)

    def need(self, *names: str) -> None:
        """Skip where something is not kept from workers here."""
        missing = [limits.REACH[name] for name in names if name not in self.holds]
        if missing:
            pytest.skip(f"this system keeps from workers no {', '.join(missing)}")


@pytest.fixture(params=["zygote", "nursery"])
def inside(student: Student, request: pytest.FixtureRequest) -> Inside:
    """Each way of forking a worker in turn."""
    return Inside(student, request.param)


# ---- files


WRITES = {
    "write": "Path(path, 'new').write_text('x')",
    "change": "open(Path(path, 'old'), 'r+')",
    "empty": "os.truncate(Path(path, 'old'), 0)",
    "remove": "os.remove(Path(path, 'old'))",
    "rename": "os.rename(Path(path, 'old'), Path(path, 'new'))",
    "take away": "os.rename(Path(path, 'old'), 'new')",
    "folder": "os.mkdir(Path(path, 'new'))",
    "link": "os.link(Path(path, 'old'), Path(path, 'new'))",
    "symbolic link": "os.symlink('/', Path(path, 'new'))",
    "list": "os.listdir(path)",
    "read": "Path(path, 'old').read_text()",
    "read by a child": "subprocess.run(['cat', Path(path, 'old')], capture_output=True, check=False).stdout",
}


@pytest.mark.parametrize("how", WRITES)
def test_files_elsewhere_are_out_of_reach(inside: Inside, tmp_path: Path, how: str) -> None:
    inside.need("files")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "old").write_text("secret", encoding="utf-8")
    assert inside.tries(WRITES[how], path=str(elsewhere)) in REFUSED | {b"", "OSError 18"}
    assert [(file.name, file.read_text("utf-8")) for file in elsewhere.iterdir()] == [("old", "secret")]


def test_modes_and_times_of_files_elsewhere_stay(inside: Inside, tmp_path: Path) -> None:
    inside.need("memory")
    file = tmp_path / "file"
    file.write_text("x", encoding="utf-8")
    before = file.stat()
    inside.tries("os.chmod(path, 0)", path=str(file))
    inside.tries("os.chmod(os.path.dirname(path), 0)", path=str(file))
    inside.tries("os.utime(path, (0, 0))", path=str(file))
    inside.tries("os.setxattr(path, 'user.mine', b'x')", path=str(file))
    after = file.stat()
    assert (after.st_mode, after.st_mtime_ns, after.st_ctime_ns) == (
        before.st_mode,
        before.st_mtime_ns,
        before.st_ctime_ns,
    )


def test_the_package_is_read_and_not_written(inside: Inside) -> None:
    inside.need("files")
    assert inside.tries("len(Path(__file__).read_text()) > 100") is True
    assert inside.tries("Path(__file__).write_text('x')") in REFUSED
    assert inside.tries("Path(__file__).with_name('more.py').write_text('x')") in REFUSED


def test_the_checks_cannot_be_read(inside: Inside) -> None:
    inside.need("files")
    checks = Path(limits.__file__).parents[1] / "checkpoints" / "checkpoint_01_tensor.py"
    assert inside.tries("Path(path).read_text()", path=str(checks)) in REFUSED
    assert inside.tries("__import__('pytest_tinytorch.checkpoints.checkpoint_01_tensor')") in REFUSED


def test_what_python_needs_is_there(inside: Inside) -> None:
    assert inside.tries("__import__('sqlite3').__name__") == "sqlite3"
    assert inside.tries("__import__('numpy.polynomial').__name__") == "numpy"
    assert inside.tries("len(os.urandom(4)), os.cpu_count() > 0, Path('/dev/null').write_text('x')") == (4, True, 1)
    assert inside.tries("subprocess.run([sys.executable, '-c', 'print(1)'], capture_output=True).stdout") == b"1\n"
    with pytest.raises(ModuleNotFoundError):
        inside.tries("__import__('no_such_module')")


def test_temporary_files_are_written_as_ever(inside: Inside) -> None:
    assert inside.tries("Path('here').write_text('x'), shutil.copy('here', 'there'), os.rename('there', 'gone')") == (
        1,
        "there",
        None,
    )
    assert inside.tries("Path(tempfile.mkdtemp(), 'x').write_text('x')") == 1
    assert inside.tries("Path.home().joinpath('.cache').mkdir()") is None
    assert inside.tries("open('here', 'r+').truncate(0), os.stat('here').st_size") == (0, 0)
    assert inside.tries("os.remove('here')") is None


def test_there_is_nowhere_else_to_write(inside: Inside) -> None:
    inside.need("files")
    work = Path(inside.sessions.scratch)
    for place in (*work.parents, work.with_name("common")):
        assert inside.tries("Path(place, 'tinytorch-test').write_text('x')", place=str(place)) in REFUSED
    assert inside.sessions.common is None


def test_a_shared_folder_is_written_from_both_sides(student: Student, tmp_path: Path) -> None:
    student.write(tensor=CODE, activations="", __init__="")
    sessions: Any = student.open("zygote", homes={"attempt": "tensor"})
    shared = tmp_path / "shared"
    shared.mkdir()
    sessions.share(shared)
    sessions.meets = True
    for place in (str(shared), sessions.common):
        assert student.begin(sessions).tt.attempt("Path(place, 'x').write_text('here')", place=place) == 4
        assert Path(place, "x").read_text("utf-8") == "here"


def test_locks_between_processes_work_where_their_folder_is_ours(inside: Inside) -> None:
    inside.need("space")
    assert inside.tries("__import__('multiprocessing').Lock().acquire()") is True


def test_a_full_folder_fills_no_disk(student: Student) -> None:
    inside = Inside(student, "zygote")
    inside.need("space")
    assert inside.tries("shutil.disk_usage('.').total") == 1 << 30
    inside.tries("Path('left').write_text('x')")
    assert list(Path(inside.sessions.scratch).iterdir()) == []


# ---- the network


NETWORK = {
    "TCP": "socket.create_connection(('127.0.0.1', port), 5)",
    "TCP that listens": "socket.create_server(('127.0.0.1', 0))",
    "UDP": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', port))",
    "IPv6": "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).sendto(b'x', ('::1', port))",
}


@pytest.mark.parametrize("how", NETWORK)
def test_there_is_no_network(inside: Inside, how: str) -> None:
    inside.need("network")
    with socket.create_server(("127.0.0.1", 0)) as server:
        answer = inside.tries(NETWORK[how], port=server.getsockname()[1])
    assert type(answer) is str
    assert "Error" in answer


@pytest.mark.parametrize("place", ["\0tinytorch-test", "here"])
def test_sockets_of_other_processes_do_not_listen(inside: Inside, tmp_path: Path, place: str) -> None:
    inside.need("memory")
    name = place if place[0] == "\0" else str(tmp_path / place)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(name)
        server.listen()
        assert inside.tries("socket.socket(socket.AF_UNIX).connect(name)", name=name) in REFUSED
    assert inside.tries("len(socket.socketpair())") == 2


# ---- other processes


def test_signals_reach_nobody_outside(inside: Inside) -> None:
    inside.need("signals")
    for target in (os.getpid(), inside.sessions._zygote._process.pid):
        assert inside.tries("os.kill(pid, 0)", pid=target) in REFUSED
    assert inside.tries("os.kill(os.getppid(), 0)") in REFUSED
    assert inside.tries("os.kill(os.getpid(), 0)") is None
    assert inside.tries("subprocess.Popen(['sleep', '60']).terminate()") is None


def test_workers_do_not_reach_each_other(inside: Inside) -> None:
    inside.need("signals")
    other = inside.student.begin(inside.sessions)
    pid = other.tt.attempt("os.getpid()")
    assert inside.tries("os.kill(pid, 9)", pid=pid) in REFUSED
    assert other.tt.attempt("os.getpid()") == pid


REACHING = {
    "memory": "open(f'/proc/{pid}/mem', 'rb')",
    "environment": "open(f'/proc/{pid}/environ', 'rb')",
    "map": "open(f'/proc/{pid}/maps', 'rb').read(1)",
    "its own limits, as it would write them": "open('/proc/self/oom_score_adj', 'w')",
    "limits": "resource.prlimit(pid, resource.RLIMIT_CPU, (1, 1))",
    "processors": "os.sched_setaffinity(pid, {0})",
    "priority": "os.setpriority(os.PRIO_PROCESS, pid, 19)",
    "priority of all": "os.setpriority(os.PRIO_USER, 0, 19)",
}


@pytest.mark.parametrize("how", REACHING)
def test_the_judge_cannot_be_looked_into_nor_limited(inside: Inside, how: str) -> None:
    inside.need("memory", "files")
    before = Path("/proc/self/limits").read_bytes(), os.sched_getaffinity(0), os.getpriority(os.PRIO_PROCESS, 0)
    assert inside.tries(REACHING[how], pid=os.getpid()) in REFUSED
    assert (
        Path("/proc/self/limits").read_bytes(),
        os.sched_getaffinity(0),
        os.getpriority(os.PRIO_PROCESS, 0),
    ) == before


def test_the_judge_is_not_dumpable(inside: Inside) -> None:
    import ctypes  # noqa: PLC0415 -- what is asked for here is Linux's

    assert inside.tries("os.getpid() > 0") is True
    assert ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) == 0


def test_root_is_an_ordinary_user_inside_and_no_program_changes_that(inside: Inside) -> None:
    assert inside.tries("ctypes.CDLL(None).prctl(39, 0, 0, 0, 0)") == 1
    for text in ("os.setgroups([])", "os.setuid(os.getuid() + 1)", "os.chroot('/usr')"):
        assert inside.tries(text) in {"PermissionError 1", "OSError 22"}  # a user that the namespace does not know


def test_no_rule_can_be_added_for_the_next_worker(inside: Inside) -> None:
    opened = "[os.readlink(f'/proc/self/fd/{n}') for n in range(256) if os.path.lexists(f'/proc/self/fd/{n}')]"
    assert not [name for name in inside.tries(f"eval({opened!r})") if "landlock" in name]


def test_processes_are_counted(inside: Inside) -> None:
    if os.getuid() == 0:
        assert "number" not in inside.holds
        pytest.skip("the system counts no processes of root")
    inside.need("number")
    assert 0 < inside.tries("resource.getrlimit(resource.RLIMIT_NPROC)[1]") < 100_000


# ---- what is said of it


def test_the_sentence_says_what_holds(inside: Inside) -> None:
    holds = inside.holds
    kept, _, free = inside.sessions.hardening.partition("; not restricted here: ")
    for name, what in limits.REACH.items():
        assert (what in kept) is (name in holds)
        assert (what in free) is (name not in holds)


def test_a_kernel_without_any_of_it_is_no_obstacle(student: Student, monkeypatch: pytest.MonkeyPatch) -> None:
    from pytest_tinytorch.handles import sandbox  # noqa: PLC0415 -- Linux's

    def refuse(function: str, *arguments: object) -> int:
        raise OSError(38, "not here", function)

    monkeypatch.setattr(sandbox, "_call", refuse)
    monkeypatch.setattr(sandbox, "hide_memory", lambda: None)
    prepared = sandbox.prepare(student.folder, [])
    assert set(prepared.holds) <= {"number"}
    assert prepared.ruleset is None


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_other_systems_import_nothing_of_it(system: str) -> None:
    script = (
        f"import sys, numpy, resource, subprocess, tempfile, socket; sys.platform = {system!r}; "
        "from pytest_tinytorch.handles import limits, processes, worker; limits.hide_memory(); "
        "assert 'pytest_tinytorch.handles.sandbox' not in sys.modules; print(limits.describe(1 << 30, forks=False))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)  # noqa: S603 -- ours
    assert done.stderr == ""
    assert "network" in done.stdout
