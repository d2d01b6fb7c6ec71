"""Milestones: history on the student's own code, judged from its answers.

The problems are drawn here, the student's code learns and answers beside its own package, and the claims are worked
out here from the answers. What the student's code says of itself counts for nothing.
"""

from __future__ import annotations

import contextlib
import importlib.util
import secrets
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from . import course
from .catalog import script_path
from .handles import Trouble, open_loop
from .outcome import Finding, MilestoneResult, Outcome, Place, Ran

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType
    from typing import TextIO

    from .course import Milestone
    from .handles import Sessions
    from .settings import Settings
    from .sources import Sources

LIMIT = 120.0  # seconds for a shipped stage
FULL_LIMIT = 3600.0


class MilestoneFailed(AssertionError):
    """A milestone was not reached; the result says why."""

    def __init__(self, result: MilestoneResult) -> None:
        super().__init__(f"{result.label}: {result.outcome.value}")
        self.result = result


@dataclass(frozen=True)
class Script:
    """A milestone's script: `problems(rng)`, `run(tt, problems, seed, show)`, `claims(problems, answers)`."""

    path: Path
    module: ModuleType

    @property
    def source(self) -> str:
        """The text that travels to the student's side."""
        return self.path.read_text(encoding="utf-8")


def load(path: Path) -> Script:
    """Read a script into the judge's process. It imports no student code."""
    spec = importlib.util.spec_from_file_location(f"tinytorch_milestone_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return Script(path, module)


def play(
    milestone: Milestone, sessions: Sessions, sources: Sources, settings: Settings, live: TextIO | None
) -> MilestoneResult:
    """Replay one milestone and say what was reached."""
    limit = None if settings.limit is None else FULL_LIMIT if settings.full else LIMIT
    return _play(load(script_path(milestone)), milestone, sessions, sources, settings.seed, limit, live)


def _play(
    script: Script,
    milestone: Milestone,
    sessions: Sessions,
    sources: Sources,
    seed: int,
    limit: float | None,
    live: TextIO | None,
) -> MilestoneResult:
    problems = script.module.problems(np.random.default_rng([seed, milestone.year]))
    public = {name: problem.public() for name, problem in problems.items()}
    began = time.perf_counter()

    def result(outcome: Outcome, **more: Any) -> MilestoneResult:
        seconds = time.perf_counter() - began
        return MilestoneResult(
            number=milestone.number, label=milestone.label, outcome=outcome, seconds=seconds, seed=seed, **more
        )

    world = sessions.begin(limit=limit, trace=False)
    try:
        with _shown(live, milestone.label) as line:
            reply = world.lab(_beside, script.source, public, seed % 2**32, line, str(sources.package))
    except Trouble as error:
        trace = _trace(getattr(error, "frames", ()) or getattr(getattr(error, "remote", None), "frames", ()))
        outcome = Outcome.TIMED_OUT if type(error).__name__ == "TimedOut" else Outcome.CRASHED
        return result(outcome, finding=Finding(got=str(error), trace=trace))
    except Exception as error:
        remote = getattr(error, "remote", None)
        if remote is None:
            raise
        trace = _trace(remote.frames)
        outcome = Outcome.UNWRITTEN if remote.bases[:1] == ("NotImplementedError",) else Outcome.CRASHED
        return result(outcome, finding=Finding(got=f"{remote.kind}: {remote.message}", trace=trace))
    finally:
        world.close()
    answers = _answers(reply)
    claims = tuple(script.module.claims(problems, answers))
    reached = all(claim.holds for claim in claims)
    return result(
        Outcome.PASSED if reached else Outcome.WRONG,
        claims=claims,
        story=(milestone.history,),
        ran=tuple(_ran(reply, sources)),
    )


def _beside(source: str, tasks: dict[str, Any], seed: int, live: str | None, measure: str | None) -> dict[str, Any]:
    from pytest_tinytorch import lab  # noqa: PLC0415 -- this function's text runs on the student's side

    return lab.beside(tt, source, tasks, seed, live, measure)  # type: ignore[name-defined]  # noqa: F821 -- tt is there


def _answers(reply: Any) -> dict[str, Any]:
    """The student side's answers, whatever it sent back."""
    answers = reply.get("answers") if type(reply) is dict else None
    return answers if type(answers) is dict else {}


def _trace(frames: Any) -> tuple[Place, ...]:
    return tuple(Place(file=f.file, line=f.line, function=f.function, text=f.text) for f in frames)


def _ran(reply: Any, sources: Sources) -> Iterator[Ran]:
    """Which of the student's functions ran, and how many of their lines."""
    measured = reply.get("lines") if type(reply) is dict else None
    for file, (statements, executed) in (measured or {}).items():
        source = sources[str(file).removesuffix(".py")]
        for function in source.definitions.values():
            inside = [n for n in statements if function.line < n <= function.last]
            used = [n for n in executed if function.line < n <= function.last]
            if used and function.kind == "function":
                yield Ran(
                    file=source.shown, line=function.line, function=function.name, used=len(used), lines=len(inside)
                )


@contextlib.contextmanager
def _shown(out: TextIO | None, label: str) -> Iterator[str | None]:
    """A file for live progress, and a thread that shows its last line on the terminal."""
    if out is None:
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        path, done = Path(folder) / "progress", threading.Event()
        thread = threading.Thread(target=_follow, args=(path, out, label, done), daemon=True)
        thread.start()
        try:
            yield str(path)
        finally:
            done.set()
            thread.join()


def _follow(path: Path, out: TextIO, label: str, done: threading.Event) -> None:
    shown = ""
    while not done.wait(0.1):
        with contextlib.suppress(OSError):  # the file is not there before the first line
            line = "".join(c if c.isprintable() else "?" for c in path.read_text("utf-8", "replace").rstrip("\n"))
            text = f"{label}: {line}"[:78]
            if text != shown:
                out.write(f"\r{text:<{len(shown)}}")
                out.flush()
                shown = text
    out.write("\r" + " " * len(shown) + "\r")
    out.flush()


# ---- a script by itself -----------------------------------------------------------------------------------


def run_script(path: Path) -> int:
    """Run `python milestones/1957_perceptron.py`: the package beside it, the script as it is now."""
    from .reports.terminal import make_console, render_milestone  # noqa: PLC0415 -- only needed here
    from .sources import Sources  # noqa: PLC0415 -- likewise

    milestone = next((m for m in course.MILESTONES if m.script == path.name), None)
    package = _package_beside(path)
    if milestone is None or package is None:
        sys.stderr.write(f"{path.name} runs inside a course repository, as milestones/{path.name} beside the package\n")
        return 4
    sessions = open_loop(package, homes={name: m.name for m in course.MODULES for name in m.exports})
    live = sys.stderr if sys.stderr.isatty() else None
    try:
        result = _play(load(path), milestone, sessions, Sources(package), secrets.randbits(32), None, live)
    finally:
        sessions.close()
    render_milestone(result, console=make_console(sys.stdout, 80, color=sys.stdout.isatty()))
    return 0 if result.outcome is Outcome.PASSED else 1


def _package_beside(path: Path) -> Path | None:
    """The student's package in the folder above `milestones/`: the one that holds `tensor.py`."""
    found = sorted(path.parent.parent.glob("*/tensor.py"))
    return found[0].parent if found else None
