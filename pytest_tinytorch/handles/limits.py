"""What a worker process may use, what is left behind by it, and the sentence that says what holds on this system.

What it may see and reach is in `sandbox.py`, for Linux.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

if sys.platform != "win32":
    import resource

if sys.platform == "linux":
    from . import sandbox

ALONE = "every check runs in a process of its own"
SHARED = "the checks of a checkpoint share a process, and one that fails runs again in a process of its own"
FILE_BYTES = 256 << 20
CPU_ALLOWANCE = 5  # seconds of CPU time beyond the time limit of a check, on every core
PR_SET_CHILD_SUBREAPER = 36
REACH = {  # what a sandbox keeps from workers, by its name there
    "files": "files that are not its own",
    "network": "the network",
    "signals": "signals to other processes",
    "memory": "the memory and limits of other processes",
    "space": "the disk",
    "number": "starting processes by the hundred",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Of one worker: bytes of memory, seconds of CPU time, and processes of its user (None: no limit)."""

    memory: int
    seconds: float | None
    processes: int | None


def apply(limits: Limits) -> None:
    """Limit this process, and whatever it starts, for good."""
    if sys.platform == "win32":
        return
    wanted = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: FILE_BYTES, resource.RLIMIT_AS: limits.memory}
    if limits.seconds is not None:
        wanted[resource.RLIMIT_CPU] = int(limits.seconds) * (os.cpu_count() or 1) + CPU_ALLOWANCE
    if limits.processes is not None:
        wanted[resource.RLIMIT_NPROC] = limits.processes
    for kind, most in wanted.items():
        hard = resource.getrlimit(kind)[1]
        limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with contextlib.suppress(OSError, ValueError):  # macOS refuses some
            resource.setrlimit(kind, (limit, limit))


def describe(memory: int, *, forks: bool, holds: Collection[str] = (), relayed: bool = False) -> str:
    """Which limits hold on this system, in one sentence.

    `holds` names what a sandbox keeps from workers; `relayed` says that checks hand their process on.
    """
    who = SHARED if relayed else ALONE
    if sys.platform == "win32":
        return (
            f"{who} with a time limit; memory, files, network and processes that "
            "the code starts are not limited on Windows"
        )
    amount = f"{memory / (1 << 30):g} GiB of memory, {FILE_BYTES >> 20} MB a file, CPU time"
    if sys.platform == "darwin":
        amount = f"{FILE_BYTES >> 20} MB a file, CPU time"
    strays = "with everything it started" if forks and _can_reap() else "with its process group"
    kept = ", ".join(what for name, what in REACH.items() if name in holds)
    free = ", ".join(what for name, what in REACH.items() if name not in holds)
    return (
        f"{who}, limited to {amount}, and ended {strays}"
        + (f"; out of its reach: {kept}" if kept else "")
        + (f"; not restricted here: {free}" if free else "")
    )


def hide_memory() -> None:
    """Have no other process of this user read or trace this one, where the system can see to that."""
    if sys.platform == "linux":
        sandbox.hide_memory()


def adopt_orphans() -> None:
    """Become the parent of processes whose own parent ends, so that none escapes `kill_children`."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _can_reap() -> bool:
    return Path(f"/proc/self/task/{os.getpid()}/children").exists()


def open_files() -> set[str]:
    """The open files of this process: a fork would share them, and how far they are read."""
    files = set()
    for entry in list(Path("/proc/self/fd").iterdir()):
        with contextlib.suppress(OSError):  # the folder itself, which was being listed
            files.add(f"{entry.name} {entry.readlink()}")
    return files


def shares_nothing() -> bool:
    """Whether a fork of this process is a copy of it: no other thread, no child, no memory that both would write."""
    rights = (line.split(maxsplit=2)[1] for line in Path("/proc/self/maps").read_text().splitlines())
    is_private = not any("w" in right and "s" in right for right in rights)
    return is_private and len(list(Path("/proc/self/task").iterdir())) == 1 and not _children()


def kill_children(spare: set[int]) -> None:
    """End the children of this process, and those that they leave behind, until none is left."""
    for _ in range(10_000):
        children = set(_children()) - spare
        if not children:
            return
        for pid in children:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        for pid in children:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _children() -> list[int]:
    try:
        return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    except OSError:
        return []
