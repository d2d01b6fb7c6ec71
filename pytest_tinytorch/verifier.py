"""The working plugin: one object that holds one run. Hooks stand in the order in which pytest calls them."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from . import reports, settings, unfinished
from .catalog import CourseError, script_path
from .collection import CHECK, CheckpointFile, Corridor, MilestoneFile, MilestoneItem
from .course import Milestone, Module
from .handles import World, open_isolated, open_loop
from .hints import ladder
from .milestones import MilestoneFailed, missing, play
from .outcome import Hint, MilestoneResult, Outcome, Result, Run
from .progress import Progress
from .reports.terminal import make_console, render
from .running import conclude, inputs
from .sources import Sources
from .verdict import Judge, Unwritten, failing_text

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from .checking import Draw
    from .handles import Sessions

WORLD = pytest.StashKey[World]()
FOUND = pytest.StashKey[MilestoneResult]()

MAX_OUTPUT = 64_000  # characters of what a student's code prints

# how pytest's own progress line and counts call an outcome: category, letter, word
SHOWN = {
    Outcome.UNWRITTEN: ("not written", "t", "TODO"),
    Outcome.WRONG: ("failed", "F", "WRONG"),
    Outcome.BLOCKED: ("blocked", "b", "BLOCKED"),
    Outcome.CRASHED: ("failed", "C", "CRASHED"),
    Outcome.TIMED_OUT: ("failed", "T", "TIMED OUT"),
    Outcome.BROKEN: ("error", "E", "CHECKER BROKE"),
    Outcome.NO_DATA: ("without data", "d", "NO DATA"),
}


class Verifier:
    """Runs checkpoints and milestones, and tells what came of it."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        settings.refuse_paths(config)
        self.settings = settings.read(config)
        self.formats = _formats(config)
        _check_reports(self.settings.reports, self.formats)
        self.progress = Progress(self.settings.root, self.settings.package)
        self.modules, self.milestones, self.notes = settings.chosen(config, self.settings, self.progress)
        self.sources = Sources(self.settings.package)
        self.judge = Judge(self.sources, self.progress.failing(self._below()))
        self.files = self._files()
        self.run = Run(
            track=self.settings.catalog.track,
            seed=self.settings.seed,
            mode="isolated" if self.settings.isolated else "loop",
            package=str(self.settings.package),
        )
        self._sessions: Sessions | None = None
        config.args = [str(path) for path in self.files]
        _quieten(config)

    def _below(self) -> list[Module]:
        """Modules that the chosen ones rest on and that this run does not verify."""
        return [m for m in self.settings.catalog.checkpoints if m not in self.modules]

    def _files(self) -> dict[Path, Module | Milestone]:
        catalog = self.settings.catalog
        try:
            checks: dict[Path, Module | Milestone] = {catalog.checks_file(m): m for m in self.modules}
            return checks | {script_path(m): m for m in self.milestones}
        except CourseError as error:
            raise pytest.UsageError(str(error)) from None

    @property
    def sessions(self) -> Sessions:
        """The place where the student's code lives in this run; opened when the first check asks."""
        if self._sessions is None:
            open_ = open_isolated if self.settings.isolated else open_loop
            self._sessions = open_(self.settings.package, homes=self.settings.catalog.homes)
            self._sessions.meets = bool(self.milestones)  # for their progress
            if self.settings.full:
                self._share(unfinished.place(self.settings.root))
        return self._sessions

    def _share(self, folder: Path) -> None:
        """Let the student's code write to a folder, where there can be one."""
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            self.sessions.share(folder)

    # ---- collection -------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Let the processes of an isolated run start while pytest collects; a controller of xdist runs no check."""
        if not self.config.option.collectonly and not self.config.getoption("numprocesses", None):
            self.sessions.prepare()

    def pytest_report_header(self) -> list[str]:
        """Which code is verified, and how to repeat the run."""
        how = "isolated" if self.settings.isolated else "in this process"
        package = self.settings.package.relative_to(self.settings.root)
        first = f"tinytorch: {package}/, track {self.run.track.name}, {how}, seed {self.settings.seed}"
        return [first, *(f"tinytorch: {note}" for note in self.notes)]

    @pytest.hookimpl(tryfirst=True)
    def pytest_collect_directory(self, path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """From the root straight to the installed files."""
        return Corridor.of(parent, path, self.files) if any(path in file.parents for file in self.files) else None

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """A milestone's script becomes one item."""
        found = self.files.get(file_path)
        return MilestoneFile.of(parent, file_path, found) if isinstance(found, Milestone) else None

    def pytest_pycollect_makemodule(self, module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
        """An installed file of checks becomes a checkpoint."""
        found = self.files.get(module_path)
        return CheckpointFile.of(parent, module_path, found) if isinstance(found, Module) else None

    @pytest.fixture
    def world(self, request: pytest.FixtureRequest) -> Iterator[World | None]:
        """The student's code, loaded for one check; None where a stub makes it needless."""
        check = request.node.stash[CHECK]
        if self.judge.is_stub(check):
            yield None
            return
        world = self.sessions.begin(limit=self.settings.limit, trace=self.judge.has_failing)
        request.node.stash[WORLD] = world
        yield world
        world.close()

    @pytest.fixture
    def tt(self, world: World | None) -> Any:
        """The student's package: `tt.softmax` is a handle of it."""
        return world and world.tt

    @pytest.fixture
    def lab(self, world: World | None) -> Any:
        """Runs a plain function beside the student's code: `lab(fn, *args)`."""
        return world and world.lab

    @pytest.fixture
    def draw(self, request: pytest.FixtureRequest) -> Draw:
        """Random inputs, fresh every run."""
        return inputs(request.node.stash[CHECK], self.settings.seed)

    @pytest.fixture
    def course_root(self) -> Path:
        """The repository under test, for the checks of the environment."""
        return self.settings.root

    # ---- running ----------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> None:
        """A check whose exercise is still a stub ends here."""
        check = pyfuncitem.stash.get(CHECK, None)
        if check is not None and self.judge.is_stub(check):
            raise Unwritten(check.about)

    def run_milestone(self, item: MilestoneItem) -> None:
        """Replay a milestone, unless what it rests on is not proved."""
        milestone = item.milestone
        lacking = missing(milestone, self.run.results)
        if lacking:
            found = MilestoneResult(
                number=milestone.number, label=milestone.label, outcome=Outcome.BLOCKED, cause=", ".join(lacking)
            )
        else:
            found = play(milestone, self.sessions, self.sources, self.settings, _live(self.config))
        item.stash[FOUND] = found
        if found.outcome is not Outcome.PASSED:
            raise MilestoneFailed(found)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Turn the end of a check into its result, and hang it on pytest's report."""
        report = yield
        if call.when == "teardown" and not call.excinfo:
            return report
        if isinstance(item, MilestoneItem):
            if call.when == "call":
                self._report_milestone(item, call, report)
        elif CHECK in item.stash and (call.when == "call" or call.excinfo):
            self._report_check(item, call, report)
        return report

    def _report_check(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        check, world = item.stash[CHECK], item.stash.get(WORLD, None)
        error = call.excinfo.value if call.excinfo else None
        result = conclude(self.judge, check, error, world, seconds=call.duration, seed=self.settings.seed)
        if not result.output:
            result = replace(result, output=report.capstdout[-MAX_OUTPUT:])
        report.tinytorch = result.as_dict()  # type: ignore[attr-defined]  # travels with the report, also under xdist
        if result.outcome is not Outcome.PASSED:
            report.outcome = "failed"
            if self.config.option.tbstyle == "no":
                report.longrepr = failing_text(result)

    def _report_milestone(self, item: MilestoneItem, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        found = item.stash.get(FOUND, None)
        if found is None:
            got = str(call.excinfo.value) if call.excinfo else ""
            label, number = item.milestone.label, item.milestone.number
            found = MilestoneResult(number=number, label=label, outcome=Outcome.BROKEN, cause=got)
        report.tinytorch_milestone = found.as_dict()  # type: ignore[attr-defined]  # travels with the report
        if found.outcome is not Outcome.PASSED and self.config.option.tbstyle == "no":
            report.longrepr = f"{found.outcome.value}: {found.label}"

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """How the progress line and the counts call an outcome."""
        found = getattr(report, "tinytorch", None) or getattr(report, "tinytorch_milestone", None)
        return SHOWN.get(Outcome(found["outcome"])) if found else None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the result of every check, on the process that reports."""
        if hasattr(report, "tinytorch"):
            self.run.results.append(Result.from_dict(report.tinytorch))
        if hasattr(report, "tinytorch_milestone"):
            self.run.milestones.append(MilestoneResult.from_dict(report.tinytorch_milestone))

    # ---- afterwards -------------------------------------------------------------------------------------------

    def pytest_sessionfinish(self) -> None:
        """Remember what was proved; workers of xdist leave that to the process that reports."""
        if self._sessions is not None:
            self.run.hardening = self._sessions.hardening if self.settings.isolated else ""
            self._sessions.close()
        if hasattr(self.config, "workerinput") or self.config.option.collectonly:
            return
        self.run.results.sort(key=lambda r: r.number)
        by_number = {m.number: m for m in self.settings.catalog.checkpoints}
        self.progress.remember(self.run.results, by_number)
        for found in self.run.milestones:
            self.progress.remember_milestone(found)
        complete_run(self.run, self.progress, self.settings)
        if self.settings.hint:
            self.run.hint = self._hint()
        self.notes = [note for note in [self.progress.save()] if note]

    def _hint(self) -> Hint | None:
        """The next rung for the first exercise that is open."""
        first = self.run.first
        if first is None or first.exercise is None:
            return None
        name = f"{first.module}.{first.exercise}"
        if first.outcome is Outcome.BLOCKED and first.cause in self._exercises():
            name = first.cause
        rungs = ladder(name, self.settings.catalog.by_name[name.partition(".")[0]].hints)
        if rungs is None:
            return None
        level = self.progress.next_hint_level(name, 3)
        return Hint(exercise=name, level=level, text=rungs.rungs[level - 1])

    def _exercises(self) -> set[str]:
        return {f"{m.name}.{exercise}" for m in self.settings.catalog.checkpoints for exercise in m.exercises}

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """The report, below pytest's own."""
        if self.config.option.collectonly:
            return
        writer = terminalreporter._tw
        console = make_console(writer._file, writer.fullwidth, color=writer.hasmarkup)
        level = self.config.option.verbose
        render(self.run, console=console, terse=level < 0, verbose=level > 0)
        for note in [*self.notes, *write_reports(self.run, self.settings, self.formats)]:
            terminalreporter.write_line(f"tinytorch: {note}")


def show_capabilities(config: pytest.Config) -> int:
    """Print what was proved so far, without running anything."""
    config._do_configure()  # as pytest's own --markers does: ini values and the terminal reporter are ready then
    try:
        wanted = settings.read(config)
        formats = _formats(config)
        _check_reports(wanted.reports, formats)
        progress = Progress(wanted.root, wanted.package)
        run = Run(track=wanted.catalog.track, package=str(wanted.package))
        complete_run(run, progress, wanted)
        writer = config.get_terminal_writer()
        render(run, console=make_console(writer._file, writer.fullwidth, color=writer.hasmarkup), terse=False)
        for note in write_reports(run, wanted, formats):
            writer.line(f"tinytorch: {note}")
    finally:
        config._ensure_unconfigure()
    return 0


def complete_run(run: Run, progress: Progress, wanted: settings.Settings) -> None:
    """Add what is remembered to what this run found."""
    run.states = progress.states(wanted.catalog.checkpoints, run.track)
    run.reached = progress.reached()


def write_reports(run: Run, wanted: settings.Settings, formats: dict[str, Any]) -> list[str]:
    """Write every report that was asked for; a sentence about each."""
    said = []
    for path in wanted.reports:
        try:
            reports.write(run, path, formats)
            said.append(f"report written to {path}")
        except reports.ReportError as error:
            said.append(str(error))
    return said


def _formats(config: pytest.Config) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for group in reversed(config.hook.pytest_tinytorch_report_formats()):
        merged |= group
    return merged


def _check_reports(paths: tuple[Path, ...], formats: dict[str, Any]) -> None:
    """Refuse a report that cannot be written before anything runs."""
    for path in paths:
        try:
            reports.check(path, formats)
        except reports.ReportError as error:
            raise pytest.UsageError(str(error)) from None


def _quieten(config: pytest.Config) -> None:
    """Our report replaces pytest's tracebacks and its list of failures, unless the user asks for them."""
    given = config.invocation_params.args
    if config.option.tbstyle == "auto" and not any(str(a).startswith("--tb") for a in given):
        config.option.tbstyle = "no"
    if not any(str(a).startswith("-r") for a in given):
        config.option.reportchars = ""


def _live(config: pytest.Config) -> Any:
    """Where a milestone's live progress goes: the terminal, past the capture; None where there is none."""
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if reporter is None or not reporter._tw._file.isatty() or config.option.verbose < 0:
        return None
    return reporter._tw._file
