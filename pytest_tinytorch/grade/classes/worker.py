"""A process that works on submissions, one after the other: requests as JSON lines in, answers as JSON lines out.

It runs no student's code: what it calls starts processes of their own for that. When it is told to end, or when whoever
asks it is gone, it ends everything that it started.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import queue
import signal
import sys
import threading
import traceback
from typing import IO, Any

from ...handles import limits

GONE = 143  # the exit status of a process that was told to end


def main() -> None:
    """Answer until nobody asks any more."""
    limits.hide_memory()
    limits.adopt_orphans()
    signal.signal(signal.SIGTERM, _end)
    if sys.platform == "win32":  # elsewhere we have a session of our own, and what we start would inherit this
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever asks
    answers = _own_output()
    requests: queue.Queue[bytes] = queue.Queue()
    threading.Thread(target=_read, args=(requests,), daemon=True).start()
    while line := requests.get():
        answers.write(json.dumps(_answer(json.loads(line))).encode() + b"\n")
        answers.flush()
    limits.kill_children(set())


def _own_output() -> IO[bytes]:
    """Standard output for the answers alone; whatever else prints goes where errors go."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _read(requests: queue.Queue[bytes]) -> None:
    """The thread: requests as they come. Where there are no more in the middle of a task, the task ends."""
    with contextlib.suppress(OSError):
        for line in sys.stdin.buffer:
            requests.put(line)
    requests.put(b"")
    if sys.platform == "win32":
        os._exit(GONE)
    os.kill(os.getpid(), signal.SIGTERM)


def _end(*_: object) -> None:
    """Leave by way of every `finally`, and then for good, with all that was started."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    limits.kill_children(set())
    raise SystemExit(GONE)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    """What the function answers, or how it failed: nothing that it raises ends this process."""
    try:
        function = getattr(importlib.import_module(request["module"]), request["operation"])
        return {"answer": function(request["job"])}
    except Exception as error:  # noqa: BLE001 -- a fault of ours costs one submission, and is told
        return {"broke": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()}


if __name__ == "__main__":
    main()
