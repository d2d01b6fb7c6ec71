"""Judges as the grader sees them: started for one submission, listened to, and ended."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ..handles.processes import KEPT_VARIABLES, ONE_THREAD
from ..outcome import MilestoneResult, Result

if TYPE_CHECKING:
    from .judge import Order

GRACE = 20.0  # seconds beyond the limits in which a judge may come to its end
NEEDED = ("pytest_tinytorch", "pytest", "numpy", "rich", "coverage")  # where a judge finds these, it finds all
BOOT = (
    "import gc, sys; gc.disable(); sys.path += [p for p in sys.argv.pop(1).split(chr(0x1f)) if p not in sys.path]; "
    "from pytest_tinytorch.grade.judge import main; main()"
)


@dataclass(kw_only=True)
class Heard:
    """What a judge has said: results by node id and by year, and how it ended (`trouble`, empty where all is well)."""

    checks: dict[str, Result] = field(default_factory=dict)
    milestones: dict[int, MilestoneResult] = field(default_factory=dict)
    hardening: str = ""
    ended: bool = False
    trouble: str = ""

    def take(self, line: bytes) -> None:
        """Take in one line; of two results for one check the worse counts."""
        said = json.loads(line)
        match said["kind"]:
            case "check":
                result = Result.from_dict(said["result"])
                if result.check not in self.checks or self.checks[result.check].outcome.value == "passed":
                    self.checks[result.check] = result
            case "milestone":
                found = MilestoneResult.from_dict(said["result"])
                self.milestones[found.number] = found
            case "end":
                self.ended, self.hardening = True, said["hardening"]
            case "broke":
                self.trouble = said["said"]


def hear(order: Order, scratch: Path) -> Heard:
    """Have a new process judge; whatever comes of it, nothing of it is left when this returns.

    `scratch` is an empty folder, for what the processes write.
    """
    heard = Heard()
    process = subprocess.Popen(  # noqa: S603 -- this interpreter, and arguments that are all ours
        [sys.executable, "-I", "-X", "utf8", "-c", BOOT, "\x1f".join(_places())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(scratch),
        cwd=scratch,
        start_new_session=True,
    )
    reader = threading.Thread(target=_listen, args=(process.stdout, heard), daemon=True)
    reader.start()
    try:
        with contextlib.suppress(OSError):  # it is gone already, and has said nothing
            process.stdin.write(order.as_line())  # type: ignore[union-attr]  # a pipe, as asked for
            process.stdin.flush()  # type: ignore[union-attr]
        reader.join(order.total_limit + order.time_limit + GRACE)
    finally:
        _end(process, reader)
    return heard


def _listen(stream: IO[bytes] | None, heard: Heard) -> None:
    """The thread: every whole line, as it comes."""
    for line in stream or ():
        if line.endswith(b"\n"):
            heard.take(line)


def _end(process: subprocess.Popen[bytes], reader: threading.Thread) -> None:
    """Let the judge end: its input ends. Kill it where it does not."""
    with contextlib.suppress(OSError):
        process.stdin.close()  # type: ignore[union-attr]  # a pipe, as asked for
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        pass
    finally:
        process.kill()
        process.wait()
        reader.join(5)
        process.stdout.close()  # type: ignore[union-attr]  # a pipe, as asked for


def _environment(scratch: Path) -> dict[str, str]:
    """What a judge and its workers know of this system: nothing of the grader's own secrets."""
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    places = dict.fromkeys(("HOME", "TMPDIR", "TEMP", "TMP", "USERPROFILE"), str(scratch))
    return {**kept, **places, **dict.fromkeys(ONE_THREAD, "1"), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def _places() -> list[str]:
    """The folders in which this process finds what a judge needs."""
    found = [Path(spec.origin).parents[1] for name in NEEDED if (spec := find_spec(name)) and spec.origin]
    return list(dict.fromkeys(map(str, found)))
