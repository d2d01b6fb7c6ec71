"""Milestones: history on the student's own code, judged from its answers.

The problems are drawn here, the student's code learns and answers beside its own package, and the claims are worked
out here from the answers. What the student's code says of itself counts for nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import secrets
import sys
import tempfile
import threading
import time
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from . import course, settings
from .catalog import CourseError, script_path
from .datasets import DataError
from .handles import Trouble, open_loop
from .lab import Data, Progress
from .olympics.keeping import Desk, Kept, keep
from .outcome import Finding, MilestoneResult, Outcome, Place, Ran
from .unfinished import Unfinished, Workplace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import ModuleType
    from typing import TextIO

    from .course import Milestone
    from .handles import Sessions
    from .lab import Problem
    from .outcome import Result
    from .settings import Digit, Settings
    from .sources import Sources

LIMIT = 300.0  # seconds for a shipped stage, of which none takes more than 20 on a machine with nothing else to do
FULL_LIMIT = 3600.0
NOWHERE = Workplace(None, resumed=False)
RESUMED = "This run went on where an interrupted one of the same code had stopped; its seed is {}."
SCARCE = "memory ran out with batches of {batch}: try half of that, with TINYTORCH_BATCH={half} in the environment."


class MilestoneFailed(AssertionError):
    """A milestone was not reached; the result says why."""

    def __init__(self, result: MilestoneResult) -> None:
        super().__init__(f"{result.label}: {result.outcome.value}")
        self.result = result


@dataclass(frozen=True)
class Script:
    """A milestone's script: `problems(rng)`, `run(tt, problems, seed, show)`, `claims(problems, answers)`.

    It may have `full_problems(rng, data)`, for the real benchmark, and `exhibits(problems, answers)`; its
    `entries(problems, answers)` are what a full stage that was reached enters into the Olympics. Its `run` may take a
    `folder`, too, for what an interrupted run is to find again.
    """

    path: Path
    module: ModuleType

    def problems(self, rng: np.random.Generator, data: Data | None) -> dict[str, Problem]:
        """The problems of the shipped stage, or with data sets those of the full one."""
        if data is None:
            found: dict[str, Problem] = self.module.problems(rng)
        elif hasattr(self.module, "full_problems"):
            found = self.module.full_problems(rng, data)
        else:
            raise CourseError(f"{self.path.name} has no full_problems, although its milestone has a full claim")
        return found

    def exhibits(self, problems: dict[str, Problem], answers: dict[str, Any]) -> tuple[Any, ...]:
        """What the script shows of the answers."""
        return tuple(self.module.exhibits(problems, answers)) if hasattr(self.module, "exhibits") else ()

    def entries(self, problems: dict[str, Problem], answers: dict[str, Any]) -> tuple[dict[str, Any], ...]:
        """What was measured for each event of the Olympics."""
        return tuple(self.module.entries(problems, answers)) if hasattr(self.module, "entries") else ()

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


@dataclass(frozen=True, kw_only=True)
class Stage:
    """How a milestone is played: on the shipped data or in full, from which seed, for how long, and with what to see.

    `data` is the folder of the data sets, `limit` the seconds (None: endless), `live` a terminal for live progress,
    `batch` the size of batches (None: the script's), `unfinished` the place of what an interrupted run has learnt,
    `desk` the place for entries to the Olympics (None: none are written).
    """

    seed: int
    full: bool = False
    data: Path | None = None
    digit: Digit | None = None
    limit: float | None = None
    live: TextIO | None = None
    batch: int | None = None
    unfinished: Unfinished | None = None
    desk: Desk | None = None


def missing(milestone: Milestone, results: Iterable[Result]) -> list[str]:
    """The checkpoints below a milestone that a run found open, with how many checks each lacks."""
    lacks: dict[str, int] = {}
    for result in results:
        below = any(result.number == m.number for m in milestone.needs)
        if below and result.outcome is not Outcome.PASSED:
            label = f"{result.number:02} {result.module}"
            lacks[label] = lacks.get(label, 0) + 1
    return [f"{label} ({count} open)" for label, count in lacks.items()]


def play(
    milestone: Milestone, sessions: Sessions, sources: Sources, wanted: Settings, live: TextIO | None
) -> MilestoneResult:
    """Replay one milestone and say what was reached."""
    limit = None if wanted.limit is None else FULL_LIMIT if wanted.full else LIMIT
    digit = wanted.digit if milestone.reads_digits else None
    script = load(script_path(milestone))
    stage = Stage(
        seed=wanted.seed,
        full=wanted.full,
        data=wanted.data,
        digit=digit,
        limit=limit,
        live=live,
        batch=wanted.batch,
        unfinished=_unfinished(script, milestone, wanted.root, sources) if wanted.full else None,
        desk=Desk.of(wanted.root, wanted.entrant) if wanted.full else None,
    )
    fresh = wanted.seeded or wanted.isolated  # a grade takes not even a seed from the student's repository
    return replay(script, milestone, sessions, sources, stage if fresh else _taken_up(stage))


def _unfinished(script: Script, milestone: Milestone, root: Path, sources: Sources) -> Unfinished:
    return Unfinished.of(root, milestone.year, script.source, sources.package)


def _taken_up(stage: Stage) -> Stage:
    """The same stage from the seed of a run that was interrupted, where there is one to go on with."""
    seed = stage.unfinished.seed() if stage.unfinished else None
    return stage if seed is None else replace(stage, seed=seed)


def replay(script: Script, milestone: Milestone, sessions: Sessions, sources: Sources, stage: Stage) -> MilestoneResult:
    """Replay a script for a milestone, with whatever it says, and say what was reached."""
    began = time.perf_counter()
    with _shown(stage.live, milestone.label, sessions.common) as line:
        found = _judged(script, milestone, sessions, sources, stage, line)
    return replace(found, seconds=time.perf_counter() - began)


def _judged(
    script: Script, milestone: Milestone, sessions: Sessions, sources: Sources, stage: Stage, line: str | None
) -> MilestoneResult:
    """Draw the problems, let the student's code answer, and work out what was reached."""
    blank = MilestoneResult(
        number=milestone.number, label=milestone.label, outcome=Outcome.BROKEN, seed=stage.seed, full=stage.full
    )
    data = Data(stage.data, Progress(line)) if stage.full else None
    try:
        problems = script.problems(np.random.default_rng([stage.seed, milestone.year]), data)
    except DataError as error:
        return replace(blank, outcome=Outcome.NO_DATA, cause=str(error))
    problems = {name: _with_batch(_with_drawn(p, stage.digit), stage.batch) for name, p in problems.items()}
    try:
        with stage.unfinished.open(stage.seed, problems) if stage.unfinished else nullcontext(NOWHERE) as work:
            reply = _answered(script, problems, sessions, sources, stage, line, work.folder)
    except (Trouble, Exception) as error:  # a Trouble is no Exception
        if not isinstance(error, Trouble) and not hasattr(error, "remote"):
            raise
        return replace(blank, **_stopped(error, problems))
    answers = _answers(reply)
    claims = tuple(script.module.claims(problems, answers))
    reached = all(claim.holds for claim in claims)
    notes = [*(data.notes if data else ()), *([RESUMED.format(stage.seed)] if work.resumed else ())]
    entered = script.entries(problems, answers) if reached and stage.full and stage.desk else ()
    kept = keep(stage.desk, milestone.year, stage.seed, entered) if stage.desk else Kept((), ())
    return replace(
        blank,
        outcome=Outcome.PASSED if reached else Outcome.WRONG,
        claims=claims,
        story=(milestone.history, *notes, *kept.notes),
        exhibits=(*script.exhibits(problems, answers), *kept.exhibits),
        ran=tuple(_ran(reply, sources)),
    )


def _stopped(error: BaseException, problems: dict[str, Problem]) -> dict[str, Any]:
    """Outcome and finding of a run that an error ended: the student's, or one of the process that it ran in."""
    remote = getattr(error, "remote", None)
    frames = getattr(error, "frames", ()) or getattr(remote, "frames", ())
    got, outcome = str(error), Outcome.CRASHED
    if type(error).__name__ == "TimedOut":
        outcome = Outcome.TIMED_OUT
    elif not isinstance(error, Trouble) and remote is not None:
        got = f"{remote.kind}: {remote.message}"
        outcome = Outcome.UNWRITTEN if remote.bases[:1] == ("NotImplementedError",) else Outcome.CRASHED
    batches = [problem.sizes["batch"] for problem in problems.values() if "batch" in problem.sizes]
    scarce = isinstance(error, MemoryError) or "when memory runs out" in got
    mistake = SCARCE.format(batch=batches[0], half=max(batches[0] // 2, 2)) if scarce and batches else ""
    return {"outcome": outcome, "finding": Finding(got=got, trace=_trace(frames), mistake=mistake)}


def _answered(
    script: Script,
    problems: dict[str, Problem],
    sessions: Sessions,
    sources: Sources,
    stage: Stage,
    line: str | None,
    folder: Path | None,
) -> Any:
    """What the student's side replies to the problems, of which it gets all but the answers."""
    public = {name: problem.public() for name, problem in problems.items()}
    world = sessions.begin(limit=stage.limit, trace=False)
    try:
        place = str(folder) if folder else None
        return world.lab(_beside, script.source, public, stage.seed % 2**32, line, str(sources.package), place)
    finally:
        world.close()


def _with_drawn(problem: Problem, digit: Digit | None) -> Problem:
    """The problem with the student's own digit, as a picture of the size of its questions."""
    if digit is None:
        return problem
    from .drawn import fit  # noqa: PLC0415 -- only where a picture was given

    return replace(problem, drawn=fit(digit.ink, problem.questions.shape[-1]))


def _with_batch(problem: Problem, batch: int | None) -> Problem:
    """The problem with batches of another size, where it says of which it wants them."""
    if batch is None or "batch" not in problem.sizes:
        return problem
    return replace(problem, sizes={**problem.sizes, "batch": batch})


def _beside(
    source: str, tasks: dict[str, Any], seed: int, live: str | None, measure: str | None, folder: str | None
) -> dict[str, Any]:
    from pytest_tinytorch import lab  # noqa: PLC0415 -- this function's text runs on the student's side

    return lab.beside(tt, source, tasks, seed, live, measure, folder)  # type: ignore[name-defined]  # noqa: F821 -- tt is there


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
def _shown(out: TextIO | None, label: str, common: str | None) -> Iterator[str | None]:
    """A file for live progress, and a thread that shows its last line on the terminal."""
    if out is None:
        yield None
        return
    with tempfile.TemporaryDirectory(dir=common) as folder:
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


def run_script(path: Path, words: list[str]) -> int:
    """Run `python milestones/1957_perceptron.py`: the package beside it, the script as it is now."""
    from .reports.terminal import make_console, render_milestone  # noqa: PLC0415 -- only needed here
    from .sources import Sources  # noqa: PLC0415 -- likewise

    milestone = next((m for m in course.MILESTONES if m.script == path.name), None)
    package = _package_beside(path)
    if milestone is None or package is None:
        sys.stderr.write(f"{path.name} runs inside a course repository, as milestones/{path.name} beside the package\n")
        return 4
    try:
        stage = _stage(milestone, words)
    except pytest.UsageError as error:
        sys.stderr.write(f"{error}\n")
        return 4
    sessions = open_loop(package, homes={name: m.name for m in course.MODULES for name in m.exports})
    try:
        script, sources = load(path), Sources(package)
        if stage.full:
            stage = _taken_up(replace(stage, unfinished=_unfinished(script, milestone, package.parent, sources)))
        result = replay(script, milestone, sessions, sources, stage)
    finally:
        sessions.close()
    render_milestone(result, console=make_console(sys.stdout, 80, color=sys.stdout.isatty()))
    return 0 if result.outcome is Outcome.PASSED else 1


def _stage(milestone: Milestone, words: list[str]) -> Stage:
    """The stage that a script's own command line asks for."""
    parser = argparse.ArgumentParser(description=milestone.label)
    if milestone.full_claim:
        parser.add_argument("--full", action="store_true", help="on the full benchmark")
    if milestone.reads_digits:
        parser.add_argument("--digit", metavar="FILE", help="classify a digit that you drew, a PNG or JPEG picture")
    given = vars(parser.parse_args(words))
    digit = settings.digit(given.get("digit"), Path.cwd())
    live = sys.stderr if sys.stderr.isatty() else None
    full = given.get("full", False)
    return Stage(seed=secrets.randbits(32), full=full, digit=digit, live=live, batch=settings.batch())


def _package_beside(path: Path) -> Path | None:
    """The student's package in the folder above `milestones/`: the one that holds `tensor.py`."""
    found = sorted(path.parent.parent.glob("*/tensor.py"))
    return found[0].parent if found else None
