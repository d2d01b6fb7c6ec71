"""Texts of strangers are read in a process of their own, with limits on memory and time.

Python's parser runs no code, but a hostile text can use up the memory or the stack of whoever parses it. A `Reader`
keeps one process for many questions; a text that ends it costs that question, and the next one gets a new process.
"""

from __future__ import annotations

import base64
import contextlib
import gc
import json
import math
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import IO, Any

MEMORY = 2 << 30
PATIENCE = 10  # times the CPU time, before a process that does not end by itself is ended
BOOT = (
    "import sys; sys.path += [p for p in sys.argv.pop(1).split(chr(0x1f)) if p not in sys.path]; "
    "from pytest_tinytorch.grade.reading import answer; answer(int(sys.argv.pop(1)))"
)
KEPT = ("SYSTEMROOT", "SYSTEMDRIVE", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


class Unreadable(Exception):
    """Reading it took too long, too much memory, or ended the process."""


class Reader:
    """A process that reads, with so many bytes of memory. Use it in a with-block; it starts with the first question."""

    def __init__(self, memory: int = MEMORY) -> None:
        self._memory = memory
        self._process: subprocess.Popen[bytes] | None = None
        self._answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def ask(self, job: str, package: str, files: Mapping[str, bytes], seconds: float) -> Any:
        """What a job makes of some files, in so many seconds of CPU time: a busy computer changes no answer.

        Raises:
            Unreadable: there is no answer.
        """
        texts = {name: base64.b64encode(source).decode() for name, source in files.items()}
        asked = {"job": job, "package": package, "files": texts, "seconds": seconds}
        line = json.dumps(asked).encode() + b"\n"
        process = self._process or self._start()
        with contextlib.suppress(OSError):  # then there is no answer either
            process.stdin.write(line)  # type: ignore[union-attr]  # a pipe, as asked for
            process.stdin.flush()  # type: ignore[union-attr]
        try:
            said = self._answers.get(timeout=PATIENCE * seconds)
            found = json.loads(said)
        except (queue.Empty, ValueError):
            self._end()
            raise Unreadable(job) from None
        if found is None:
            raise Unreadable(job)
        return found

    def _start(self) -> subprocess.Popen[bytes]:
        variables = {name: os.environ[name] for name in KEPT if name in os.environ} | dict.fromkeys(ONE_THREAD, "1")
        self._answers = queue.SimpleQueue()
        self._process = subprocess.Popen(  # noqa: S603 -- this interpreter, and arguments that are all ours
            [sys.executable, "-I", "-X", "utf8", "-c", BOOT, "\x1f".join(_places()), str(self._memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=variables,
        )
        threading.Thread(target=_listen, args=(self._process.stdout, self._answers), daemon=True).start()
        return self._process

    def _end(self) -> None:
        """End the process, and be sure that it has ended."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        with contextlib.suppress(OSError):  # what was not written yet
            process.stdin.close()  # type: ignore[union-attr]  # a pipe, as asked for


def _listen(stream: IO[bytes] | None, answers: queue.SimpleQueue[bytes]) -> None:
    """The thread: one line is one answer; an empty one says that there will be none."""
    for line in stream or ():
        answers.put(line)
    answers.put(b"")
    if stream is not None:
        stream.close()


def _places() -> list[str]:
    """Where the process finds this package and NumPy."""
    numpy = find_spec("numpy")
    return [str(Path(__file__).parents[2]), *([str(Path(numpy.origin).parents[1])] if numpy and numpy.origin else [])]


# ---- in the process --------------------------------------------------------------------------------------


def answer(memory: int) -> None:
    """Answer questions, line by line, until there are no more."""
    _limit(memory)
    gc.disable()  # trees hold no circles, and looking for some takes as long as the parser
    out = os.fdopen(os.dup(1), "wb")
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        _allow(asked["seconds"])
        files = {name: base64.b64decode(text) for name, text in asked["files"].items()}
        try:
            found = _job(asked["job"])(asked["package"], files)
        except (MemoryError, RecursionError):
            found = None
        out.write(json.dumps(found).encode() + b"\n")
        out.flush()


def _job(name: str) -> Any:
    """The function that does a job; fingerprints need NumPy, the others do without."""
    if name == "fingerprints":
        from . import fingerprints  # noqa: PLC0415

        return fingerprints.job
    if name == "configuration":
        from . import configuration  # noqa: PLC0415

        return configuration.read
    from . import screening  # noqa: PLC0415

    return screening.screen


def _limit(memory: int) -> None:
    """Limit memory, and what a crash leaves behind, for good."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 (not on Windows)

        for kind, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CORE, 0)):
            hard = resource.getrlimit(kind)[1]
            with contextlib.suppress(OSError, ValueError):  # macOS refuses some
                resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard),) * 2)


def _allow(seconds: float) -> None:
    """Let the system end this process when it has used so much more CPU time."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 (not on Windows)

        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        wanted = math.ceil(time.process_time() + seconds)
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_CPU, (limit, hard))
