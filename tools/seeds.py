"""Whether verdicts hold with any seed: every check again and again, each time with other numbers.

    python -m tools.seeds                                        solutions pass: two seconds for each check
    python -m tools.seeds --module capstone --seconds 20         those of one module, for longer
    python -m tools.seeds --first 5000                           from another seed on
    python -m tools.seeds --mistakes --most 20                   the catalogue's mistakes are caught, and named

A check that draws what decides nothing once in some hundred times fails a student who is right, or lets through one
who is wrong, and no run with a few seeds tells. A check that warns counts as one that does not pass. Exit status 1:
not every verdict held.
"""

from __future__ import annotations

import argparse
import functools
import os
import sys
import tempfile
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_tinytorch.collection import functions_of
from pytest_tinytorch.course import MODULES, Module
from pytest_tinytorch.handles import open_loop
from pytest_tinytorch.outcome import Outcome, Result
from pytest_tinytorch.running import run
from pytest_tinytorch.sources import Sources
from pytest_tinytorch.verdict import Judge
from tests.mistakes import catalogue
from tools.trial import Trial, below, package, write_course
from tools.trial import run as run_trials

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

LIMIT = 60.0  # seconds for one run of a check: this is not about speed


@dataclass(frozen=True, slots=True)
class Tried:
    """A check, how many seeds it was run with, and the results of those with which it did not pass."""

    check: str
    seeds: int
    failures: list[Result] = field(default_factory=list)

    def __str__(self) -> str:
        first = self.failures[0]
        return (
            f"{self.check}: {len(self.failures)} of {self.seeds} seeds, {first.outcome.value} with {first.seed}\n"
            f"  again: pytest --checkpoint {first.number} --tinytorch-seed {first.seed}"
        )


def try_module(module: Module, files: Mapping[str, str], *, first: int, seconds: float, most: int) -> list[Tried]:
    """Run each check of a module on a package for so many seconds, at most so often, and at least once."""
    warnings.filterwarnings("error", module="pytest_tinytorch[.]checkpoints")
    with tempfile.TemporaryDirectory() as folder:
        write_course(Path(folder), files)
        judge, sessions = Judge(Sources(Path(folder) / "tinytorch")), open_loop(Path(folder) / "tinytorch")
        found = []
        for check, function in functions_of(module):
            end, results = time.monotonic() + seconds, list[Result]()
            while not results or (len(results) < most and time.monotonic() < end):
                seed = first + len(results)
                results.append(run(check, function, sessions=sessions, judge=judge, seed=seed, limit=LIMIT))
            wrong = [result for result in results if result.outcome is not Outcome.PASSED]
            found.append(Tried(check.id, len(results), wrong))
        sessions.close()
    return found


def try_solutions(
    modules: Sequence[Module], *, first: int, seconds: float, most: int, jobs: int | None
) -> Iterator[tuple[int, str]]:
    """Each check of these modules on the solutions: how often it ran, and what is to be told of it, if anything."""
    with ProcessPoolExecutor(jobs) as pool:
        one = functools.partial(try_module, files=package(), first=first, seconds=seconds, most=most)
        for future in [pool.submit(one, module) for module in modules]:
            for tried in future.result():
                yield tried.seeds, str(tried) if tried.failures else ""


def try_mistakes(modules: Sequence[Module], *, first: int, most: int, jobs: int | None) -> Iterator[tuple[int, str]]:
    """Each mistake of these modules, made with one seed after another: one run each, and what is wrong with it."""
    found = catalogue()
    made = {f"{module.name}: {each.name}": (module, each) for module in modules for each in found[module.name]}
    trials = (
        Trial(
            name=f"{name}, seed {seed}",
            package=below(module, mistake.make(package()[module.file])),
            checkpoint=str(module.number),
            only=mistake.exercise,
            stops=True,
            seed=seed,
            by="loop",
        )
        for name, (module, mistake) in made.items()
        for seed in range(first, first + most)
    )
    for verdict in run_trials(trials, jobs=jobs, deadline=LIMIT):
        _, mistake = made[verdict.name.rpartition(", seed ")[0]]
        flaw = mistake.not_shown(verdict.results)
        yield 1, f"{verdict.name}: {flaw}" if flaw else ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Try checks or mistakes, print those of which a verdict did not hold, and say how many runs there were."""
    parser = argparse.ArgumentParser(prog="python -m tools.seeds", description="Do verdicts hold with any seed?")
    parser.add_argument("--module", action="append", choices=[module.name for module in MODULES])
    parser.add_argument("--mistakes", action="store_true", help="the catalogue's mistakes in place of the solutions")
    parser.add_argument("--seconds", type=float, default=2.0, help="for each check on the solutions (2)")
    parser.add_argument("--most", type=int, help="seeds for each check (2000, or as the seconds allow) or mistake (8)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (0)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes (as many as processors)")
    options = parser.parse_args(arguments)
    modules = [module for module in MODULES if module.name in (options.module or (module.name,))]
    if options.mistakes:
        told = try_mistakes(modules, first=options.first, most=options.most or 8, jobs=options.jobs)
    else:
        most = options.most or 2000
        told = try_solutions(modules, first=options.first, seconds=options.seconds, most=most, jobs=options.jobs)
    runs = flaws = 0
    for count, flaw in told:
        runs += count
        if flaw:
            flaws += 1
            print(flaw, flush=True)
    print(f"{runs} runs; {flaws} verdicts did not hold")
    return int(flaws > 0)


if __name__ == "__main__":
    sys.exit(main())
