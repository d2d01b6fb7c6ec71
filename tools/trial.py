"""Try variants of the student's package: each in a course repository and a process of its own, many after another.

A process is a fork of this one where the system can fork, so a trial starts with everything imported; elsewhere it
is a fresh one. Tests of the course and the mutation tool ask thousands of questions of the form "which checks does
this package pass?"; this is the one place that answers them.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import itertools
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
import warnings
from dataclasses import dataclass, field
from functools import lru_cache
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from pytest_tinytorch.catalog import gather
from pytest_tinytorch.collection import functions_of
from pytest_tinytorch.course import CHECKPOINTS, TRACKS
from pytest_tinytorch.handles import open_isolated, open_loop
from pytest_tinytorch.outcome import Outcome, Result
from pytest_tinytorch.running import Relay
from pytest_tinytorch.running import run as run_check
from pytest_tinytorch.selection import Asked, select_checkpoints
from pytest_tinytorch.sources import Sources
from pytest_tinytorch.verdict import Judge
from tools import SOLUTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    from pytest_tinytorch.course import Module

How = Literal["pytest", "judge", "loop"]
CONFIGURATION = """\
[tool.pytest.ini_options]
tinytorch_time_limit = "{limit}"
"""
UNUSED = ("cacheprovider", "faulthandler", "unraisableexception", "threadexception", "junitxml", "doctest", "pastebin")
OPTIONS = ("-p", "pytest_tinytorch.plugin", "-s", "-q", *(part for name in UNUSED for part in ("-p", f"no:{name}")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One variant: the texts of its files by name, which checkpoints are asked, and how.

    `only` and `first` are exercises whose checks alone run, or run before the others; with `stops`, until one does not
    pass. `limit` is the student's time per check. `by` says who runs the checks: `pytest`, a grader's judge (`judge`),
    or the same without isolation (`loop`), which is quickest.
    """

    name: str
    package: Mapping[str, str]
    checkpoint: str
    arguments: tuple[str, ...] = ()
    only: str | None = None
    first: str | None = None
    stops: bool = False
    seed: int = 1
    limit: float = 10.0
    by: How = "pytest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of a trial. `status` is pytest's; None where the process was killed."""

    name: str
    status: int | None
    results: tuple[Result, ...] = field(default=(), repr=False)
    output: str = field(default="", repr=False)
    seconds: float = 0.0

    @property
    def not_passed(self) -> list[Result]:
        """The checks that ended in another way than passed, in the order in which they ran."""
        return [result for result in self.results if result.outcome is not Outcome.PASSED]

    def outcomes(self, exercise: str | None = None) -> set[Outcome]:
        """How the checks of one exercise, or all, ended."""
        return {result.outcome for result in self.results if exercise in {None, result.exercise}}


def package(**changed: str) -> dict[str, str]:
    """The solutions' files by name, some of them exchanged: `package(activations=source)`."""
    return _solutions() | {f"{name}.py": text for name, text in changed.items()}


def below(module: Module, source: str) -> dict[str, str]:
    """The least package in which a module works: what it rests on, and its own file as given."""
    files = {earlier.file: _solutions()[earlier.file] for earlier in module.foundations}
    return files | {"__init__.py": "", module.file: source}


@lru_cache(maxsize=1)
def _solutions() -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in SOLUTIONS.glob("*.py")}


def run(trials: Iterable[Trial], *, jobs: int | None = None, deadline: float = 120.0) -> Iterator[Verdict]:
    """Run trials, `jobs` at a time, and give their verdicts as they come in."""
    waiting, running = iter(trials), dict[Any, _Running]()
    jobs = jobs or os.cpu_count() or 1
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    _warm_up()
    with tempfile.TemporaryDirectory(prefix="trial-") as folder:
        try:
            while True:
                for trial in itertools.islice(waiting, jobs - len(running)):
                    one = _Running(trial, Path(tempfile.mkdtemp(dir=folder)), context)
                    running[one.pipe] = one
                if not running:
                    return
                ready = wait(list(running), timeout=1.0)
                late = [pipe for pipe, one in running.items() if time.monotonic() > one.start + deadline]
                for pipe in {*ready, *late}:
                    yield running.pop(pipe).verdict()
        finally:
            for one in running.values():
                one.process.kill()


def _warm_up() -> None:
    """Import what every trial imports, before this process is forked."""
    for name in ("pytest_tinytorch.verifier", *(module.checks for module in CHECKPOINTS if module.checks)):
        with contextlib.suppress(ImportError):  # the trial itself will say so
            importlib.import_module(name)


@dataclass
class _Running:
    """A trial that is under way."""

    trial: Trial
    folder: Path
    context: Any
    start: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.pipe, other = self.context.Pipe(duplex=False)
        self.process: BaseProcess = self.context.Process(target=_child, args=(self.trial, self.folder, other))
        with warnings.catch_warnings():
            # the child runs no other thread's code: it only calls pytest
            warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
            self.process.start()
        other.close()

    def verdict(self) -> Verdict:
        """What the child sent; a child that sent nothing was killed or died."""
        seconds = time.monotonic() - self.start
        try:
            verdict = self.pipe.recv() if self.pipe.poll() else None
        except EOFError:
            verdict = None
        self.process.kill() if verdict is None else self.process.join()
        self.process.join()
        self.pipe.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        if verdict is None:
            return Verdict(name=self.trial.name, status=None, seconds=seconds)
        status, results, output = verdict
        found = tuple(Result.from_dict(result) for result in results)
        return Verdict(name=self.trial.name, status=status, results=found, output=output, seconds=seconds)


class Listener:
    """A pytest plugin that chooses checks by exercise and keeps what the verifier says of each."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.results: list[dict[str, Any]] = []

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Keep the checks of the only exercise, and put those of the first in front."""
        if self.trial.only:
            items[:] = [item for item in items if _exercise(item) == self.trial.only]
        if self.trial.first:
            items.sort(key=lambda item: _exercise(item) != self.trial.first)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Keep a result."""
        if hasattr(report, "tinytorch"):
            self.results.append(report.tinytorch)


def _exercise(item: Any) -> str | None:
    about = getattr(item.obj, "about", None)
    return about.exercise if about else None


def _child(trial: Trial, folder: Path, pipe: Connection) -> None:
    """The whole life of a trial's process."""
    gc.freeze()  # what was there before needs no second look
    with (folder / "output").open("w+", encoding="utf-8") as output:
        for stream in (1, 2):
            os.dup2(output.fileno(), stream)
        sys.stdout = sys.stderr = output
        listener = Listener(trial)
        write_course(folder / "course", trial.package, trial.limit)
        verify = _verify if trial.by == "pytest" else _run_checks
        status = verify(trial, folder / "course", listener)
        output.seek(0)
        pipe.send((status, listener.results, output.read()))
    os._exit(0)  # nothing of the parent's is put away here


def _verify(trial: Trial, course: Path, listener: Listener) -> int:
    os.chdir(course)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    for name in [name for name in os.environ if name in {"PYTEST_ADDOPTS", "PYTEST_CURRENT_TEST", "PYTEST_PLUGINS"}]:
        del os.environ[name]
    with contextlib.suppress(ValueError):  # a debugger's or coverage's own tracer belongs to the parent
        sys.settrace(None)
    warnings.resetwarnings()
    asked = ("--checkpoint", trial.checkpoint, "--tinytorch-seed", str(trial.seed), *(["-x"] if trial.stops else []))
    return int(pytest.main([*OPTIONS, *asked, *trial.arguments], plugins=[listener]))


def _run_checks(trial: Trial, course: Path, listener: Listener) -> int:
    sessions = (open_isolated if trial.by == "judge" else open_loop)(course / "tinytorch")
    judge = Judge(Sources(course / "tinytorch"))
    relay = Relay() if trial.by == "judge" else None
    modules, _ = select_checkpoints([trial.checkpoint], Asked(gather((), (), TRACKS["complete"])))
    checks = [each for module in modules for each in functions_of(module) if trial.only in {None, each[0].exercise}]
    try:
        for check, function in sorted(checks, key=lambda each: trial.first not in {None, each[0].exercise}):
            found = run_check(
                check,
                function,
                sessions=sessions,
                judge=judge,
                seed=trial.seed,
                limit=trial.limit,
                relay=relay,
            )
            listener.results.append(found.as_dict())
            if trial.stops and found.outcome is not Outcome.PASSED:
                break
    finally:
        if relay:
            relay.close()
        sessions.close()
    return int(any(result["outcome"] != Outcome.PASSED.value for result in listener.results))


def write_course(course: Path, package: Mapping[str, str], limit: float = 10.0) -> None:
    """Write the least that is a course repository."""
    (course / "tinytorch").mkdir(parents=True)
    (course / "pyproject.toml").write_text(CONFIGURATION.format(limit=limit), encoding="utf-8")
    for name, text in package.items():
        (course / "tinytorch" / name).write_text(text, encoding="utf-8", newline="\n")


def run_all(trials: Sequence[Trial], *, jobs: int | None = None, deadline: float = 120.0) -> dict[str, Verdict]:
    """The verdicts of trials by their names."""
    return {verdict.name: verdict for verdict in run(trials, jobs=jobs, deadline=deadline)}
