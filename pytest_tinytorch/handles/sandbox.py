"""What Linux keeps from a worker: files, the network, other processes. Nothing here needs a privilege.

The zygote takes the steps that its children inherit, and makes ready what each child takes for itself. A kernel that
lacks a step is asked for the others; `Sandbox.holds` names what was reached, for `limits.describe` to say.

- *Namespaces*: no network but a loop-back that is down, and temporary folders that end with the run.
- *Landlock*: read Python, NumPy and the student's package; write to the temporary folders; no TCP; no signal to
  processes outside. Landlock leaves modes, owners and times of files alone, and some calls between processes, so:
- *seccomp*: no sockets but pairs, since one with a name may be a service of the system; no call that reaches into
  another process; what changes the mode or the times of a file is answered as if it were done, because honest code
  copies files.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import platform
import struct
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

MOST_PROCESSES = 256  # of one run, where its own can be counted
MOST_MORE = 1_024  # than the user had, where they cannot

PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 4, 38
CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWNET = 0x0002_0000, 0x0800_0000, 0x1000_0000, 0x4000_0000
MS_NOSUID, MS_NODEV, MS_REC, MS_PRIVATE = 2, 4, 1 << 14, 1 << 18
TEMPORARY_BYTES = 1 << 30
CAP_DAC_READ_SEARCH = 1 << 2
CAPABILITY_VERSION_3 = 0x2008_0522

_libc = ctypes.CDLL(None, use_errno=True)


def _call(function: str, *arguments: object) -> int:
    """What a function of the C library returns. Raises OSError where that is an error."""
    result: int = getattr(_libc, function)(*arguments)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), function)
    return result


def hide_memory() -> None:
    """Have no other process of this user read or trace this one, or write to it."""
    _call("prctl", PR_SET_DUMPABLE, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """What each child of the zygote shuts itself in with: a Landlock ruleset, and how many processes there may be.

    `holds` names what is kept from it, as `limits.REACH` does.
    """

    holds: tuple[str, ...]
    ruleset: int | None
    processes: int | None

    def enter(self) -> None:
        """Give up what is not needed, for good."""
        _call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        if self.ruleset is not None:
            _call("syscall", LANDLOCK_RESTRICT_SELF, self.ruleset, 0)
            os.close(self.ruleset)  # a rule that is added to it would hold for the next child
        _filter_calls(truncate=_landlock() not in {1, 2})  # these leave it alone
        _drop_capabilities()


def part() -> None:
    """Keep a fork of a process that is in a sandbox from sending signals to it, and from tracing it."""
    if _landlock() >= 6:
        inner = _ruleset(0, 0, SCOPE_SIGNAL)
        _call("syscall", LANDLOCK_RESTRICT_SELF, inner, 0)
        os.close(inner)


def prepare(package: Path, shared: Iterable[Path]) -> Sandbox:
    """Take the steps that children inherit; they may write to the working folder, and to what they share."""
    holds = set()
    scratch = Path.cwd()
    writable = [scratch, *shared]
    abi = _landlock()
    processes = _own_processes()
    left = _leave_namespaces()
    if left:
        holds.add("network")
    if left & CLONE_NEWUSER and processes is not None and abi >= 2:  # older kernels count a user's everywhere
        processes = MOST_PROCESSES
    if left and _own_mounts():
        memory = Path("/dev/shm")  # noqa: S108 -- what is mounted there is ours
        writable += [memory] if _mount_temporary(memory) else []
        if _mount_temporary(scratch):
            holds.add("space")
            os.chdir(scratch)  # into what was mounted there
    if _can_filter():
        holds |= {"network", "memory"}
    if abi >= 3 or (abi and _can_filter()):
        holds.add("files")
    if abi >= 6:
        holds.add("signals")
    if processes is not None:
        holds.add("number")
    with contextlib.suppress(OSError):  # the first to go when the system's memory runs out
        Path("/proc/self/oom_score_adj").write_bytes(b"1000")
    ruleset = _rules(abi, package, writable) if abi else None
    hide_memory()
    return Sandbox(holds=tuple(sorted(holds)), ruleset=ruleset, processes=processes)


def _own_processes() -> int | None:
    """How many processes this user may have; the system does not count those of root."""
    user = os.getuid()
    if user == 0:
        return None
    mine = 0
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):  # it has just ended
            if folder.name.isdigit() and folder.stat().st_uid == user:
                mine += len(list((folder / "task").iterdir()))
    return mine + MOST_MORE


# ---- namespaces


def _leave_namespaces() -> int:
    """Which namespaces are now this process's own, as flags: as root, or with those of users too; 0: none."""
    wanted = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWNS
    user, group = os.geteuid(), os.getegid()
    for flags in (wanted, wanted | CLONE_NEWUSER):
        try:
            _call("unshare", flags)
        except OSError:
            continue
        if flags & CLONE_NEWUSER:
            maps = {"setgroups": "deny", "uid_map": f"{user} {user} 1", "gid_map": f"{group} {group} 1"}
            for file, text in maps.items():
                Path("/proc/self", file).write_bytes(text.encode())
        return flags
    return 0


def _own_mounts() -> bool:
    """Whether what is mounted from now on is mounted for this process alone."""
    try:
        _call("mount", None, b"/", None, MS_REC | MS_PRIVATE, None)
    except OSError:
        return False
    return True


def _mount_temporary(folder: Path) -> bool:
    """Whether the folder is now one in memory, which ends with the last process that sees it."""
    options = f"size={TEMPORARY_BYTES},mode=0700".encode()
    try:
        _call("mount", b"tmpfs", os.fsencode(folder), b"tmpfs", MS_NOSUID | MS_NODEV, options)
    except OSError:
        return False
    return True


# ---- Landlock: rules on files, TCP and signals

LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
REFER, TRUNCATE = 1 << 13, 1 << 14
EVERY_RIGHT = {1: (1 << 13) - 1, 2: (1 << 14) - 1}  # by version; the third and later ones know TRUNCATE too
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE
READ = EXECUTE | READ_FILE | READ_DIR
TCP = 0b11  # bind and connect
SCOPE_ABSTRACT_SOCKET, SCOPE_SIGNAL = 1, 2

SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store", "/gnu/store", "/sys/devices/system"),
    *(f"/etc/{name}" for name in ("alternatives", "group", "hosts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d")),
    *(f"/etc/{name}" for name in ("localtime", "mime.types", "nsswitch.conf", "os-release", "passwd", "timezone")),
    "/proc",  # of other processes the kernel shows no more than it shows every user
    *("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"),
)

BESIDE = (  # what a milestone's script is given, and what that rests on
    *("__init__.py", "__pycache__", "course.py", "exhibits.py", "handles", "intervals.py", "lab.py", "outcome.py"),
    "texts.py",
)


def _landlock() -> int:
    """The version of Landlock that the kernel speaks, or 0."""
    try:
        return _call("syscall", LANDLOCK_CREATE_RULESET, None, 0, 1)
    except OSError:
        return 0


def _ruleset(files: int, network: int, scoped: int) -> int:
    attributes = struct.pack("<QQQ", files, network, scoped)
    size = 24 if scoped else 16 if network else 8
    return _call("syscall", LANDLOCK_CREATE_RULESET, attributes, size, 0)


def _rules(abi: int, package: Path, writable: Iterable[Path]) -> int:
    """A ruleset: read what Python needs and the package, write to some folders, reach nobody else."""
    every = EVERY_RIGHT.get(abi, (1 << 15) - 1)
    scoped = SCOPE_ABSTRACT_SOCKET | SCOPE_SIGNAL if abi >= 6 else 0
    ruleset = _ruleset(every, TCP if abi >= 4 else 0, scoped)
    plugin = Path(__file__).resolve().parents[1]
    grants = [(package, READ), *_readable(hidden=plugin)]
    grants += [(plugin, READ_DIR), *((plugin / name, READ) for name in BESIDE)]
    grants += [(Path("/dev/null"), READ | WRITE_FILE), *((folder, every) for folder in writable)]
    for path, rights in grants:
        with contextlib.suppress(OSError):  # not on this system
            opened = os.open(path, os.O_PATH)
            try:
                _allow(ruleset, opened, rights & every)
            finally:
                os.close(opened)
    return ruleset


def _allow(ruleset: int, opened: int, rights: int) -> None:
    is_folder = os.fstat(opened).st_mode & 0o170000 == 0o040000
    rule = struct.pack("<Qi", rights if is_folder else rights & OF_FILES, opened)
    _call("syscall", LANDLOCK_ADD_RULE, ruleset, 1, rule, 0)


def _readable(hidden: Path) -> Iterator[tuple[Path, int]]:
    """What this Python, NumPy and the system need, all but the plugin's own folder, which holds the checks."""
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    roots = {sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix, *map(sysconfig.get_path, names)}
    roots |= {str(Path(np.__file__).parents[1]), *_mapped(), *SYSTEM}
    for root in {Path(root).resolve() for root in roots} - {Path("/")}:
        yield from _around(root, hidden)


def _mapped() -> set[str]:
    """The folders of the libraries that this process has loaded."""
    files = (line.split(maxsplit=5)[5:] for line in Path("/proc/self/maps").read_text("utf-8").splitlines())
    return {str(Path(file[0]).parent) for file in files if file and ".so" in file[0]}


def _around(root: Path, hidden: Path) -> Iterator[tuple[Path, int]]:
    """Grants for everything below `root` but `hidden`, of which no more than its name is seen."""
    if root == hidden or root.is_relative_to(hidden):
        return
    if not hidden.is_relative_to(root):
        yield root, READ
        return
    yield root, READ_DIR
    for entry in root.iterdir():
        yield from _around(entry.resolve(), hidden)


# ---- seccomp: calls that no rule on files covers

MACHINES = {"x86_64": (0xC000_003E, 317, 0), "aarch64": (0xC000_00B7, 277, 1)}  # name for audits, seccomp, column
SECCOMP_SET_MODE_FILTER, SECCOMP_GET_ACTION_AVAIL = 1, 2
SPEC_ALLOW = 4  # no slower branches for the whole process
ALLOW, FAIL = 0x7FFF_0000, 0x0005_0000
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
AT_NUMBER, AT_MACHINE, AT_ARGUMENTS = 0, 4, 16
X32 = 0x4000_0000

REFUSED = {  # out of this machine or into other processes, and what outlives the run
    "socket": (41, 198),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "io_uring_setup": (425, 425),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
}
ABOUT_ITSELF = {  # only where the first argument is 0, for this process
    "prlimit64": (302, 261),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
}
PRETENDED = {  # modes, owners, times and attributes of files, wherever they lie
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "lchown": (94, None),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "setxattrat": (463, 463),
    "removexattrat": (466, 466),
}
TRUNCATE_CALL = (76, 45)


def _can_filter() -> bool:
    """Whether calls can be filtered: the machine is known, and the kernel knows how."""
    known = MACHINES.get(platform.machine())
    if known is None or sys.maxsize < 1 << 32:
        return False
    try:
        return _call("syscall", known[1], SECCOMP_GET_ACTION_AVAIL, 0, struct.pack("<I", FAIL)) == 0
    except OSError:
        return False


def _filter_calls(*, truncate: bool) -> None:
    """Refuse some calls to this process and whatever it starts; `truncate` by path too, unless that is looked after."""
    if not _can_filter():
        return
    machine, seccomp, _column = MACHINES[platform.machine()]
    steps = b"".join(_program(machine, _column, truncate=truncate))
    program = ctypes.create_string_buffer(steps, len(steps))
    described = struct.pack("@HP", len(steps) // 8, ctypes.addressof(program))
    _call("syscall", seccomp, SECCOMP_SET_MODE_FILTER, SPEC_ALLOW, described)


def _program(machine: int, column: int, *, truncate: bool) -> Iterator[bytes]:
    """The filter's steps, each eight bytes: code, jumps if true and if false, operand."""

    def step(code: int, operand: int, then: int = 0, otherwise: int = 0) -> bytes:
        return struct.pack("<HBBI", code, then, otherwise, operand)

    refuse = step(RETURN, FAIL | errno.EPERM)
    yield step(LOAD, AT_MACHINE) + step(EQUAL, machine, 1, 0) + refuse
    yield step(LOAD, AT_NUMBER) + step(AT_LEAST, X32, 0, 1) + refuse
    for numbers in ABOUT_ITSELF.values():
        yield step(EQUAL, numbers[column], 0, 4) + step(LOAD, AT_ARGUMENTS) + step(EQUAL, 0, 0, 1)
        yield step(RETURN, ALLOW) + refuse
    refused = [*REFUSED.values(), *([] if truncate else [TRUNCATE_CALL])]
    answers = [(numbers[column], refuse) for numbers in refused]
    answers += [
        (number, step(RETURN, FAIL)) for numbers in PRETENDED.values() if (number := numbers[column]) is not None
    ]
    for number, answer in answers:
        yield step(EQUAL, number, 0, 1) + answer
    yield step(RETURN, ALLOW)


# ---- capabilities


def _drop_capabilities() -> None:
    """Be an ordinary user, even as root; root may still read the files of others, where Landlock lets it."""
    header = struct.pack("<Ii", CAPABILITY_VERSION_3, 0)
    for kept in (CAP_DAC_READ_SEARCH, 0):
        with contextlib.suppress(OSError):
            _call("capset", header, struct.pack("<6I", kept, kept, 0, 0, 0, 0))
            return
