"""Whether solutions pass with any seed: every check again and again, each time with other numbers.

    python -m tools.seeds                                        every module, two seconds for each check
    python -m tools.seeds --module capstone --seconds 20         one of them, for longer
    python -m tools.seeds --first 5000                           from another seed on

A check that draws what decides nothing once in some hundred times fails a student who is right, and no run with a few
seeds tells. A check that warns counts as one that does not pass. Exit status 1: there was one.
"""

from __future__ import annotations

import argparse
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
from tools.trial import package, write_course

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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


def main(arguments: Sequence[str] | None = None) -> int:
    """Try every check, print those that did not always pass, and say how many runs there were."""
    parser = argparse.ArgumentParser(prog="python -m tools.seeds", description="Do solutions pass with any seed?")
    parser.add_argument("--module", action="append", choices=[module.name for module in MODULES])
    parser.add_argument("--seconds", type=float, default=2.0, help="for each check (2)")
    parser.add_argument("--most", type=int, default=2000, help="seeds for each check, where they take no time (2000)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (0)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes (as many as processors)")
    options = parser.parse_args(arguments)
    modules = [module for module in MODULES if module.name in (options.module or (module.name,))]
    runs = flaws = 0
    with ProcessPoolExecutor(options.jobs) as pool:
        asked = [
            pool.submit(try_module, module, package(), first=options.first, seconds=options.seconds, most=options.most)
            for module in modules
        ]
        for future in asked:
            for tried in future.result():
                runs += tried.seeds
                if tried.failures:
                    flaws += 1
                    print(tried, flush=True)
    print(f"{runs} runs; {flaws} checks did not pass with every seed")
    return int(flaws > 0)


if __name__ == "__main__":
    sys.exit(main())
